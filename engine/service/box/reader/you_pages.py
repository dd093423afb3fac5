"""Who the system thinks one is: seen, corrected, taken along, erased. Every change is a plain form."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from engine.errors import translated
from engine.personal.wishes import checked_words
from engine.search_engine import SearchEngine
from engine.service.access.caller import Caller
from engine.service.access.cookies import as_reader, drop_reader
from engine.service.access.dependencies import BoxCaller, the_service
from engine.service.access.origins import own_path, same_origin
from engine.service.asking import ask
from engine.service.box.page.problem_pages import BoxRoute, wants_fragment
from engine.service.box.page.rendering import frame_of, render
from engine.service.box.reader.you_views import YouView, you_view
from engine.service.box.urls.asked import STRONGEST, Asked
from engine.service.box.urls.preferences import Preferences, keep_preferences, preferences_of
from engine.service.problems import Problem

router = APIRouter(route_class=BoxRoute, include_in_schema=False)

Written = Annotated[str, Form()]
T = TypeVar("T")
_OURS = [Depends(same_origin)]


@router.get("/you")
async def you(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Show who the system thinks its reader is."""
    return await _shown(request, caller, "you_piece.html" if wants_fragment(request) else "you.html")


@router.post("/you/mute", dependencies=_OURS)
async def mute(request: Request, caller: BoxCaller, name: Written, back: Written = "") -> Response:
    """Turn an interest off."""
    await _changed(request, caller, lambda engine, user_id: engine.readers.mute(user_id, name))
    return await _done(request, caller, "muted", back)


@router.post("/you/unmute", dependencies=_OURS)
async def unmute(request: Request, caller: BoxCaller, name: Written, back: Written = "") -> Response:
    """Turn an interest on again."""
    await _changed(request, caller, lambda engine, user_id: engine.readers.unmute(user_id, name))
    return await _done(request, caller, "unmuted", back)


@router.post("/you/forget-document", dependencies=_OURS)
async def forget_document(
    request: Request, caller: BoxCaller, doc_id: Written, back: Written = ""
) -> Response:
    """Forget all that a reader did with a document."""
    await _changed(request, caller, lambda engine, user_id: engine.readers.forget_document(user_id, doc_id))
    return await _done(request, caller, "forgotten", back)


@router.post("/you/declare", dependencies=_OURS)
async def declare(request: Request, caller: BoxCaller, text: Written = "", back: Written = "") -> Response:
    """Keep an interest in the reader's own words; who is nobody yet becomes a guest."""
    if not text.strip():
        return await _done(request, caller, "empty", back)
    words = checked_words(text)
    reader = as_reader(request, caller)
    await _changed(request, reader, lambda engine, user_id: engine.readers.declare(user_id, words))
    return await _done(request, reader, "declared", back, new=caller.user_id is None)


@router.post("/you/undeclare", dependencies=_OURS)
async def undeclare(request: Request, caller: BoxCaller, text: Written, back: Written = "") -> Response:
    """Take back an interest that was put into words."""
    await _changed(request, caller, lambda engine, user_id: engine.readers.undeclare(user_id, text))
    return await _done(request, caller, "undeclared", back)


@router.post("/you/preferences", dependencies=_OURS)
async def preferences(
    request: Request,
    caller: BoxCaller,
    strength: Written = "1",
    personal: Written = "off",
    back: Written = "",
) -> Response:
    """Keep how much interests count, in the browser, and go back to the list as it is then."""
    asked = Asked.of([("strength", strength), ("personal", "off" if personal == "off" else "on")])
    wished = Preferences(asked.personal, asked.strength)
    answer = await _done(
        request, caller, "preferences", _wishing(own_path(back), wished) if back else "", wished=wished
    )
    keep_preferences(request, answer, wished)
    return answer


@router.get("/you/export")
async def export(request: Request, caller: BoxCaller) -> Response:
    """Give all that is kept of a reader, as a file."""
    user_id = _known(caller)
    content = await ask(the_service(request), caller, lambda engine: _exported(engine, user_id))
    return Response(
        json.dumps(content, ensure_ascii=False, indent=2),
        media_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="quire-profile.json"',
            "Cache-Control": "no-store",
        },
    )


@router.get("/you/erase")
async def erase_or_not(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Ask whether all is to be erased, and say what that is."""
    return await _shown(request, caller, "erase.html")


@router.post("/you/erase", dependencies=_OURS)
async def erase(request: Request, caller: BoxCaller, sure: Written = "") -> Response:
    """Erase a reader, and look whether anything is left; a guest is nobody again."""
    user_id = _known(caller)
    if sure != "yes":
        return RedirectResponse(frame_of(request, caller).link("/you/erase"), 303)

    def work(engine: SearchEngine) -> tuple[dict[str, int], bool]:
        forgotten = engine.forget(user_id)
        counts = {name: getattr(forgotten, name) for name in ("events", "declared")}
        left = engine.readers.export(user_id)
        gone = not left["events"] and not left["declared"] and not left["muted"]
        return counts, gone and engine.interests(user_id) is None

    counts, gone = await ask(the_service(request), caller, work)
    if caller.guest:
        drop_reader(request)
    answer = render(request, "erased.html", caller=None if caller.guest else caller, counts=counts, gone=gone)
    keep_preferences(request, answer, Preferences())
    return answer


async def _shown(request: Request, caller: Caller, template: str, **values: object) -> HTMLResponse:
    """Return a page about the reader, as all stands now."""
    service = the_service(request)
    frame = frame_of(request, caller)

    def look(engine: SearchEngine) -> YouView:
        with translated():
            reader = service.engines.index.reader()
        return you_view(engine, reader, caller.user_id, frame)

    wished = values.pop("wished", None) or preferences_of(request)
    return render(
        request,
        template,
        caller=caller,
        headers={"Cache-Control": "no-store"},
        view=await ask(service, caller, look),
        wished=wished,
        strongest=STRONGEST,
        may_be_guest=service.settings.guests and service.settings.box == "open",
        said=values.get("said", ""),
    )


async def _changed(request: Request, caller: Caller, change: Callable[[SearchEngine, str], object]) -> None:
    user_id = _known(caller)
    await ask(the_service(request), caller, lambda engine: change(engine, user_id))


async def _done(
    request: Request,
    caller: Caller,
    said: str,
    back: str,
    *,
    new: bool = False,
    wished: Preferences | None = None,
) -> Response:
    """Return the way back; for the page's own JavaScript, the panel as it is now."""
    if wants_fragment(request):
        return await _shown(request, caller, "you_piece.html", said=said, wished=wished)
    path = own_path(back) if back else frame_of(request, caller).link("/you")
    return RedirectResponse(noting(path, said, new=new), 303)


def noting(path: str, said: str, *, about: str = "", new: bool = False) -> str:
    """Return a path of our own with what the page there is to tell once (`noted.html`)."""
    parts = urlsplit(path)
    pairs = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not pair[0].startswith("noted")
    ]
    pairs.append(("noted", said))
    if about:
        pairs.append(("noted_id", about))
    if new:
        pairs.append(("noted_new", "1"))
    return f"{parts.path}?{urlencode(pairs, quote_via=quote)}"


def _wishing(path: str, wished: Preferences) -> str:
    """Return the path of a list with these preferences in the place of those it had; any other path as it is."""
    parts = urlsplit(path)
    if parts.path != "/" or not parts.query:
        return path
    return Asked.of(parse_qsl(parts.query)).but(personal=wished.personal, strength=wished.strength).url


def _known(caller: Caller) -> str:
    if caller.user_id is None:
        raise Problem(401, "reader-missing", "nobody is known by this browser, so there is nothing to change")
    return caller.user_id


def _exported(engine: SearchEngine, user_id: str) -> dict[str, object]:
    if not engine.readers.exists:
        return {"user_id": user_id, "events": [], "declared": [], "muted": []}
    return engine.readers.export(user_id)
