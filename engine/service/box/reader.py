"""The pages about whoever reads: what is known of them, what they say of documents, how they come in and leave."""

from __future__ import annotations

from fastapi import APIRouter

from engine.service.box import doors, feedback, you_pages

router = APIRouter()
for _pages in (you_pages, feedback, doors):
    router.include_router(_pages.router)
