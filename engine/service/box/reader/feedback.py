"""What a reader says of a document, or did with it: POST /feedback, from the buttons of a page or its JavaScript."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from engine.search_engine import SearchEngine
from engine.service.access.caller import Caller
from engine.service.access.cookies import as_reader
from engine.service.access.dependencies import BoxCaller, the_service
from engine.service.access.origins import own_path, same_origin
from engine.service.asking import ask
from engine.service.box.page.problem_pages import BoxRoute, wants_fragment
from engine.service.box.page.rendering import render
from engine.service.box.reader.opinions import OPINIONS, PASSING, note, opine, take_back
from engine.service.box.reader.you_pages import noting
from engine.service.box.urls.preferences import preferences_of
from engine.service.limits import check_id, invalid

router = APIRouter(route_class=BoxRoute, include_in_schema=False)

UNDO = "undo"

Written = Annotated[str, Form()]


@router.post("/feedback", dependencies=[Depends(same_origin)])
async def feedback(
    request: Request, caller: BoxCaller, doc_id: Written, kind: Written, back: Written = ""
) -> Response:
    """Remember it, and lead back.

    An opinion makes a guest of whoever is nobody yet. That a document was opened or read is kept only of readers of
    whom something is kept already, and not while they have personal results turned off.
    """
    check_id("doc_id", doc_id)
    if kind in PASSING:
        await _passing(request, caller, doc_id, kind)
        return Response(status_code=204)
    if kind == UNDO:
        return await _undone(request, caller, doc_id, back)
    if kind not in OPINIONS:
        known = ", ".join((*OPINIONS, *PASSING, UNDO))
        raise invalid("kind", f"is one of {known}; found {kind!r:.40}")
    service = the_service(request)
    await ask(service, caller, lambda engine: engine.document(doc_id, end=0))
    reader = as_reader(request, caller)
    new = caller.user_id is None
    user_id = reader.user_id or ""
    await ask(service, reader, lambda engine: opine(engine, user_id, doc_id, kind))
    if wants_fragment(request):
        return _told(request, reader, kind, doc_id, back, new=new)
    return RedirectResponse(noting(own_path(back), kind, about=doc_id, new=new), 303)


async def _passing(request: Request, caller: Caller, doc_id: str, kind: str) -> None:
    user_id = caller.user_id
    if user_id is None or not preferences_of(request).personal:
        return

    def remember(engine: SearchEngine) -> None:
        if engine.readers.exists and engine.readers.version(user_id):
            engine.document(doc_id, end=0)
            note(engine, user_id, doc_id, kind)

    await ask(the_service(request), caller, remember)


async def _undone(request: Request, caller: Caller, doc_id: str, back: str) -> Response:
    user_id = caller.user_id
    if user_id is not None:
        await ask(the_service(request), caller, lambda engine: take_back(engine, user_id, doc_id))
    if wants_fragment(request):
        return Response(status_code=204)
    return RedirectResponse(noting(own_path(back), "undone"), 303)


def _told(request: Request, reader: Caller, kind: str, doc_id: str, back: str, *, new: bool) -> Response:
    """Return what the page's JavaScript may put into the page: nothing, unless there is something to tell or undo."""
    if not new and kind != "hide":
        return Response(status_code=204)
    return render(
        request, "noted_piece.html", caller=reader, kind=kind, about=doc_id, back=own_path(back), new=new
    )
