"""The search page: all of it, its results alone, suggestions while one types; and the files that pages need."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from engine.completion import Completion
from engine.service.access.caller import Caller
from engine.service.access.dependencies import BoxCaller, the_service
from engine.service.asking import ask
from engine.service.box.page.marks import Piece, pieces
from engine.service.box.page.problem_pages import BoxRoute
from engine.service.box.page.rendering import render, static_answer
from engine.service.box.search.searching import Beat, home, reads_twice, results
from engine.service.box.urls.asked import Asked
from engine.service.box.urls.preferences import preferences_of
from engine.service.limits import check_text

SUGGESTED = 7
"""So many queries are suggested while one types."""

router = APIRouter(route_class=BoxRoute, include_in_schema=False)


@router.get("/")
async def search_page(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Answer with the search page: results for a query, or what there is to find where there is none."""
    return await _answer(request, caller, "search.html", "final")


@router.get("/results")
async def results_piece(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Answer with the results alone, for a page that is there already: `beat=first` before anything is read twice."""
    beat: Beat = "first" if request.query_params.get("beat") == "first" else "final"
    return await _answer(request, caller, "answer.html", beat)


@router.get("/suggest")
async def suggest(request: Request, caller: BoxCaller, q: str = "") -> JSONResponse:
    """Answer with queries that what was typed may become, in pieces: what was typed already, and what was not."""
    service = the_service(request)
    check_text("q", q, service.settings)
    found = await ask(service, caller, lambda engine: engine.complete(q, k=SUGGESTED))
    suggestions = [
        {"text": one.text, "kind": one.kind, "pieces": [[piece.text, piece.word] for piece in _typed(one)]}
        for one in found
    ]
    return JSONResponse({"suggestions": suggestions}, headers={"Cache-Control": "private, max-age=60"})


@router.get("/static/{version}/{name}")
async def static_file(request: Request, version: str, name: str) -> Response:
    """Answer with a stylesheet, script or picture."""
    return static_answer(request, version, name)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """Answer with the picture for the tab, where a browser asks for it by habit."""
    return static_answer(request, "", "quire.svg")


def _typed(one: Completion) -> list[Piece]:
    return [piece for run in pieces(one.text, 0, one.highlights) for piece in run.pieces]


async def _answer(request: Request, caller: Caller, template: str, beat: Beat) -> HTMLResponse:
    service = the_service(request)
    wished = preferences_of(request)
    asked = Asked.of(request.query_params.multi_items(), (wished.personal, wished.strength))
    twice = reads_twice(service.engines.of(caller.tenant).settings)
    if asked.text:
        typing = request.query_params.get("typing") == "1"
        found = await results(request, service, caller, asked, beat, typing=typing)
        return render(request, template, caller=caller, view=found, asked=asked, home=False, twice=twice)
    start = await home(request, service, caller, asked)
    return render(request, template, caller=caller, view=start, asked=asked, home=True, twice=twice)
