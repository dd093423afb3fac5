"""The pages around a document: read it, ask why it is here or not, what is like it, and what it says in short."""

from __future__ import annotations

from fastapi import APIRouter

from engine.service.box import about_pages, document_pages, why_pages

router = APIRouter()
for _pages in (document_pages, about_pages, why_pages):
    router.include_router(_pages.router)
