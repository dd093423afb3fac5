"""Why a document is where it is in a list, and why another one is not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from engine.document_text import DocumentText
from engine.errors import NoSuchDocument, translated
from engine.everyone import date_field
from engine.query import Query
from engine.search_engine import SearchEngine
from engine.service.access.caller import Caller
from engine.service.access.dependencies import BoxCaller, the_service
from engine.service.asking import ask
from engine.service.box.document.document_views import title_of, written_in
from engine.service.box.page.naming import name_of, shortened
from engine.service.box.page.problem_pages import BoxRoute, wants_fragment
from engine.service.box.page.rendering import frame_of, render
from engine.service.box.urls.asked import PER_PAGE, Asked
from engine.service.box.urls.place import Place
from engine.service.box.urls.preferences import place_of
from engine.service.box.why.accounts import account_of
from engine.service.box.words.told import Told, told
from engine.service.box.words.words import Words
from engine.service.limits import check_text
from engine.service.service import Service
from engine.why_not import WhyNot

router = APIRouter(route_class=BoxRoute, include_in_schema=False)

_NAMED = 6
_LEDGERS = ("Its score is ", "It is among the results, at rank ")
"""How those sentences begin that say a whole ledger, which the page draws."""
_LONGEST_NAME = 1024


@dataclass(frozen=True, slots=True)
class Named:
    """A document that was perhaps meant."""

    title: str
    doc_id: str
    href: str


@dataclass(frozen=True, slots=True)
class _Explained:
    """What became of a document in a search; `found` is None where the index has none of that name."""

    outcome: WhyNot | None
    found: DocumentText | None
    named: tuple[tuple[str, str], ...] = ()


@router.get("/why")
async def why(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Show the whole account of a document's score."""
    place = place_of(request)
    explained = await _explained(request, caller, place)
    if explained.found is None or explained.outcome is None:
        raise NoSuchDocument(
            f"the index has no document {place.doc_id!r:.200}; use an id that a search shows"
        )
    return _page(request, caller, place, explained, "why.html")


@router.get("/why-not")
async def why_not(request: Request, caller: BoxCaller) -> Response:
    """Show what became of a document that is not where somebody looked for it; without one, ask for it."""
    place = place_of(request)
    wanted = " ".join(place.doc_id.split())[:_LONGEST_NAME]
    explained = _Explained(None, None)
    if wanted and place.asked.text:
        explained = await _explained(request, caller, place)
    meant = [doc_id for doc_id, title in explained.named if title.casefold() == wanted.casefold()]
    if len(meant) == 1:
        return RedirectResponse(replace(place, doc_id=meant[0]).page_of("/why-not"), 303)
    return _page(request, caller, place, explained, "why_not.html")


def _page(
    request: Request, caller: Caller, place: Place, explained: _Explained, template: str
) -> HTMLResponse:
    outcome, found = explained.outcome, explained.found
    words = frame_of(request, caller).words
    account = None
    if outcome is not None and outcome.ledger is not None and outcome.rank is not None:
        account = account_of(outcome.ledger, outcome.rank, outcome.last, place, words)
    if _piece(request):
        template = "why_piece.html"
    return render(
        request,
        template,
        caller=caller,
        asked=place.asked,
        place=place,
        outcome=outcome,
        account=account,
        sentences=_sentences(outcome, words) if outcome else (),
        title=title_of(found) if found else "",
        language=written_in(found) if found else "",
        wanted=place.doc_id,
        candidates=tuple(
            Named(title, doc_id, replace(place, doc_id=doc_id).page_of("/why-not"))
            for doc_id, title in explained.named
        ),
    )


def _sentences(outcome: WhyNot, words: Words) -> tuple[Told, ...]:
    """Return what the engine says of a document's way, in the language of the page; of scores their sums alone."""
    said = [told(one, words.language) for one in outcome.sentences if not one.startswith(_LEDGERS)]
    if outcome.ledger is not None and outcome.last is not None:
        score, last = f"{outcome.ledger.total:.3f}", f"{outcome.last.total:.3f}"
        said.append(Told(words("why-not.scores", score=score, last=last)))
    return tuple(said)


def _piece(request: Request) -> bool:
    return wants_fragment(request) or request.query_params.get("fragment") == "1"


async def _explained(request: Request, caller: Caller, place: Place) -> _Explained:
    service = the_service(request)
    asked = place.asked
    check_text("q", asked.text, service.settings)

    def look(engine: SearchEngine) -> _Explained:
        try:
            found = engine.document(place.doc_id, end=400)
        except NoSuchDocument:
            return _Explained(None, None, _perhaps(engine, place.doc_id))
        query = query_of(service, caller, asked)
        shown = min(asked.page * PER_PAGE, service.settings.max_k)
        return _Explained(engine.why_not(query, place.doc_id, k=shown), found)

    return await ask(service, caller, look)


def query_of(service: Service, caller: Caller, asked: Asked) -> Query:
    """Return what the engine is asked by a search page of this URL; by score, whatever order it shows."""
    field = service.settings.date_field
    if not field and (asked.since or asked.until):
        with translated():
            field = date_field(service.engines.index.reader())
    return replace(asked.query(caller.user_id, field), sort="")


def _perhaps(engine: SearchEngine, name: str) -> tuple[tuple[str, str], ...]:
    """Return ids and titles of documents that somebody may mean who writes a name that is no id."""
    hits = engine.search(Query(shortened(name, 300), operators=False), k=_NAMED).hits
    return tuple((hit.doc_id, name_of(hit.title, hit.doc_id)[0]) for hit in hits)
