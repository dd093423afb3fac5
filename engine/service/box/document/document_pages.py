"""Reading: a document opened where it was found, and a passage that unfolds in a list."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from engine.document_text import DocumentText
from engine.errors import translated
from engine.search_engine import SearchEngine
from engine.service.access.dependencies import BoxCaller, the_service
from engine.service.asking import ask
from engine.service.box.document.contents import Heading, contents
from engine.service.box.document.document_views import (
    SLACK,
    Part,
    address_of,
    cut,
    facts,
    parts_of,
    title_of,
    window,
    written_in,
)
from engine.service.box.document.sought import spans_of
from engine.service.box.page.naming import OPENING
from engine.service.box.page.problem_pages import BoxRoute
from engine.service.box.page.rendering import frame_of, render
from engine.service.box.reader.opinions import opinion_of
from engine.service.box.urls.place import Place
from engine.service.box.urls.preferences import place_of, preferences_of
from indexer.protocol import IndexReader

router = APIRouter(route_class=BoxRoute, include_in_schema=False)

_LONGEST_PASSAGE = 20_000
_MOST_PASSAGES = 4_000
"""A document of more passages has no table of contents: all of them would have to be read for it."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the page of a document is made of."""

    found: DocumentText
    title: str
    start: int
    end: int
    parts: tuple[Part, ...]
    headings: tuple[Heading, ...]
    opinion: str


@router.get("/document")
async def document(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Show a document, opened at a passage."""
    service = the_service(request)
    place = place_of(request)
    words = frame_of(request, caller).words

    def read(engine: SearchEngine) -> _Opened:
        with translated():
            reader = service.engines.index.reader()
        opened = _opened(engine, reader, place)
        opinion = opinion_of(engine, caller.user_id, place.doc_id)
        return _Opened(*opened, opinion)

    opened = await ask(service, caller, read)
    found = opened.found
    marks = sum(piece.word for part in opened.parts for run in part.runs for piece in run.pieces)
    return render(
        request,
        "document.html",
        caller=caller,
        asked=place.asked,
        place=place,
        found=found,
        opened=opened,
        title=opened.title,
        named=opened.title != found.doc_id,
        language=written_in(found),
        source=address_of(found),
        facts=facts(found.metadata, place, words),
        marks=marks,
        earlier=_at(place, max(0, opened.start - (opened.end - opened.start))) if opened.start else "",
        later=_at(place, opened.end) if opened.end < found.length else "",
        may_rate=caller.user_id is not None or _may_be_guest(service.settings.guests, service.settings.box),
        watched=caller.user_id is not None and preferences_of(request).personal,
    )


@router.get("/passage")
async def passage(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Show a passage alone, to be put into a list."""
    service = the_service(request)
    place = place_of(request)

    def read(engine: SearchEngine) -> tuple[DocumentText, tuple[Part, ...]]:
        start = place.start or 0
        end = place.end if place.end is not None else start + SLACK
        found = engine.document(place.doc_id, start=start, end=min(end, start + _LONGEST_PASSAGE))
        with translated():
            reader = service.engines.index.reader()
        words = spans_of(place.asked.text, found.text, found.start, reader, engine.settings)
        return found, parts_of(found, found.start, found.end, Place(place.doc_id), words)

    found, parts = await ask(service, caller, read)
    return render(
        request,
        "passage.html",
        caller=caller,
        found=found,
        parts=parts,
        language=written_in(found),
        href=place.url(fragment="passage"),
    )


def _opened(
    engine: SearchEngine, reader: IndexReader, place: Place
) -> tuple[DocumentText, str, int, int, tuple[Part, ...], tuple[Heading, ...]]:
    begin = engine.document(place.doc_id, end=OPENING)
    length = begin.length
    low, high = window(place.start, place.end, place.at, length)
    found = engine.document(place.doc_id, start=max(0, low - SLACK), end=high)
    start, end = cut(found.text, found.start, low, high, length)
    words = spans_of(place.asked.text, found.text, found.start, reader, engine.settings)
    parts = parts_of(found, start, end, place, words)
    headings: tuple[Heading, ...] = ()
    if found.passage_count <= _MOST_PASSAGES:
        with translated():
            stored = reader.find(place.doc_id)
            passages = reader.passages(reader.passages_of(stored.number)) if stored else []
        headings = contents(passages, found.title, place, start, end)
    return found, title_of(begin), start, end, parts, headings


def _at(place: Place, offset: int) -> str:
    return Place(place.doc_id, place.start, place.end, offset, place.asked).url(fragment="text")


def _may_be_guest(guests: bool, box: str) -> bool:
    return guests and box == "open"
