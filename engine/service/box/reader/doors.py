"""How a reader comes in and leaves: a signed link becomes a cookie, and a button takes that away."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from engine.service.access.admission import count, count_failure
from engine.service.access.cookies import drop_reader, keep_reader
from engine.service.access.dependencies import reader_at_box, the_service
from engine.service.access.origins import same_origin
from engine.service.box.page.problem_pages import BoxRoute, problem_page
from engine.service.box.page.rendering import frame_of
from engine.service.problems import Problem

router = APIRouter(route_class=BoxRoute, include_in_schema=False)


async def _open(request: Request) -> None:
    """Let in who comes with a link, or leaves: also where the box is for known readers only.

    Raises:
        Problem: 404: there is no search box; 429.
    """
    service = the_service(request)
    if service.settings.box == "off":
        raise Problem(404, "no-box", "this service has no search box")
    rate = service.settings.rate_per_minute
    who = f"box {service.proxies.client(request.scope)}"
    count(service, who, rate, f"the search box answers {rate:,} requests a minute from one address")


Opened = Annotated[None, Depends(_open)]


@router.get("/enter")
async def enter(request: Request, _opened: Opened, token: str = "") -> Response:
    """Take a reader's token out of the address into a cookie that scripts cannot read, and go to the search page."""
    try:
        if not token:
            raise Problem(401, "token-missing", "a link to enter by carries a reader's token; found none")
        reader_at_box(request, token)
    except Problem as problem:
        count_failure(the_service(request), request.scope)
        return problem_page(_without_token(request), problem)
    keep_reader(request, token)
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(frame_of(request, None).link("/"), 303, headers)


def _without_token(request: Request) -> Request:
    """Return a request of the same page whose address, and the links made of it, say nothing of who came."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name == "lang"]
    return Request({**request.scope, "query_string": urlencode(kept).encode()})


@router.post("/leave", dependencies=[Depends(same_origin)])
async def leave(request: Request, _opened: Opened) -> Response:
    """Be nobody in particular again in this browser; what is kept of the reader stays."""
    drop_reader(request)
    return RedirectResponse(frame_of(request, None).link("/"), 303)
