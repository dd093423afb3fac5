"""All routes of the search box together: `router`."""

from __future__ import annotations

from fastapi import APIRouter

from engine.service.box.document import about_pages, document_pages
from engine.service.box.reader import doors, feedback, you_pages
from engine.service.box.search import search_pages
from engine.service.box.why import why_pages

router = APIRouter(include_in_schema=False)
for _pages in (search_pages, document_pages, about_pages, why_pages, you_pages, feedback, doors):
    router.include_router(_pages.router)
