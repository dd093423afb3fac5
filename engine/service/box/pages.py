"""The search page's routes, and all routes of the box together: `router`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from engine.service.access.caller import Caller
from engine.service.access.dependencies import box_caller, the_service
from engine.service.box import reader, reading
from engine.service.box.asked import Asked
from engine.service.box.preferences import preferences_of
from engine.service.box.problem_pages import BoxRoute
from engine.service.box.rendering import render, static_answer
from engine.service.box.searching import Beat, home, results

router = APIRouter(route_class=BoxRoute, include_in_schema=False)

router.include_router(reading.router)
router.include_router(reader.router)

Reader = Annotated[Caller, Depends(box_caller)]


@router.get("/")
async def search_page(request: Request, caller: Reader) -> HTMLResponse:
    """Answer with the search page: results for a query, or what there is to find where there is none."""
    return await _answer(request, caller, "search.html", "final")


@router.get("/results")
async def results_piece(request: Request, caller: Reader) -> HTMLResponse:
    """Answer with the results alone, for a page that is there already: `beat=first` before anything is read twice."""
    beat: Beat = "first" if request.query_params.get("beat") == "first" else "final"
    return await _answer(request, caller, "answer.html", beat)


@router.get("/static/{version}/{name}")
async def static_file(version: str, name: str) -> Response:
    """Answer with a stylesheet, script or picture."""
    return static_answer(version, name)


async def _answer(request: Request, caller: Caller, template: str, beat: Beat) -> HTMLResponse:
    service = the_service(request)
    wished = preferences_of(request)
    asked = Asked.of(request.query_params.multi_items(), (wished.personal, wished.strength))
    if asked.text:
        found = await results(request, service, caller, asked, beat)
        return render(request, template, caller=caller, view=found, asked=asked, home=False)
    start = await home(request, service, caller, asked)
    return render(request, template, caller=caller, view=start, asked=asked, home=True)
