"""What a document is like, and what it says in short: `/similar` and `/summary`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from engine.document_text import DocumentText
from engine.errors import NoSuchDocument
from engine.search_engine import SearchEngine
from engine.service.access.dependencies import BoxCaller, the_service
from engine.service.box.document.document_views import Fact, facts, title_of, written_in
from engine.service.box.page.marks import Run, pieces
from engine.service.box.page.naming import LONGEST_LABEL, name_of, openings, shortened
from engine.service.box.page.problem_pages import BoxRoute
from engine.service.box.page.rendering import Frame, frame_of, render
from engine.service.box.page.scripts import language_of
from engine.service.box.urls.place import Place
from engine.service.box.urls.preferences import place_of
from engine.service.box.words.told import Told, told
from engine.service.box.words.words import Words
from engine.service.limits import check_text
from engine.service.pool import Pressure
from engine.similar import Similar, SimilarDocument
from engine.summary import Summary, SummarySentence

router = APIRouter(route_class=BoxRoute, include_in_schema=False)

MOST_CHOSEN = 10
"""So many documents are summed up on one page."""
LENGTHS = (300, 600, 1200)
"""Characters that a summary may have."""
_LIKE = 10
_PHRASES = 6


@dataclass(frozen=True, slots=True)
class Like:
    """A document that is like another: what it is called, why it is here, and where it leads."""

    title: str
    doc_id: str
    language: str
    near: int | None
    words: tuple[str, ...]
    facts: tuple[Fact, ...]
    href: str
    similar: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a summary, and the place where it stands."""

    runs: tuple[Run, ...]
    href: str
    where: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Short:
    """A document in short."""

    title: str
    doc_id: str
    language: str
    href: str
    sentences: tuple[Sentence, ...]
    phrases: tuple[str, ...]
    notices: tuple[Told, ...]
    tilted: bool


@dataclass(frozen=True, slots=True)
class _Summed:
    """What came of summing up: the summaries, what they share, and ids that the index does not have."""

    each: tuple[tuple[Summary, tuple[str, ...], DocumentText], ...]
    shared: tuple[str, ...]
    missing: tuple[str, ...]


@router.get("/similar")
async def similar(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Show the documents most like one."""
    service = the_service(request)
    place = place_of(request)
    engine = service.engines.of(caller.tenant)

    def look(pressure: Pressure) -> tuple[Similar, DocumentText, dict[str, str]]:
        found = engine.similar(place.doc_id, k=_LIKE)
        begin = openings(service.engines.index.reader, ((one.doc_id, one.title) for one in found.items))
        return found, engine.document(place.doc_id, end=400), begin

    found, source, begin = await service.pool.run(look)
    frame = frame_of(request, caller)
    return render(
        request,
        "similar.html",
        caller=caller,
        asked=place.asked,
        place=place,
        title=title_of(source),
        language=written_in(source),
        likes=tuple(_like(one, begin, place, frame) for one in found.items),
        notices=tuple(told(said, frame.words.language) for said in found.notices),
    )


@router.get("/summary")
async def summary(request: Request, caller: BoxCaller) -> HTMLResponse:
    """Show chosen documents in short, each with its keyphrases; the sentences lead to where they stand."""
    service = the_service(request)
    place = place_of(request)
    check_text("q", place.asked.text, service.settings)
    chosen = tuple(dict.fromkeys(one for one in request.query_params.getlist("id") if one))
    length = next((one for one in LENGTHS if request.query_params.get("length") == str(one)), LENGTHS[1])
    engine = service.engines.of(caller.tenant)
    user_id = caller.user_id if place.asked.personal else None

    def sum_up(pressure: Pressure) -> _Summed:
        each, missing = [], []
        for doc_id in chosen[:MOST_CHOSEN]:
            if pressure.cancelled():
                break
            try:
                made = engine.summarise(doc_id, query=place.asked.text, user_id=user_id, length=length)
            except NoSuchDocument:
                missing.append(doc_id)
                continue
            each.append((made, _phrases(engine, (doc_id,)), engine.document(doc_id, end=400)))
        there = tuple(made.doc_id for made, _, _ in each)
        return _Summed(tuple(each), _phrases(engine, there) if len(there) > 1 else (), tuple(missing))

    words = frame_of(request, caller).words
    summed = await service.pool.run(sum_up)
    if chosen and not summed.each:
        raise NoSuchDocument("the index has none of these documents; use ids that a search shows")
    return render(
        request,
        "summary.html",
        caller=caller,
        asked=place.asked,
        place=place,
        chosen=chosen[:MOST_CHOSEN],
        left_out=max(0, len(chosen) - MOST_CHOSEN),
        missing=summed.missing,
        shared=summed.shared,
        length=length,
        lengths=LENGTHS,
        shorts=tuple(_short(made, phrases, found, place, words) for made, phrases, found in summed.each),
    )


def _phrases(engine: SearchEngine, doc_ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(phrase.text for phrase in engine.keyphrases(doc_ids, _PHRASES))


def _like(one: SimilarDocument, begin: Mapping[str, str], place: Place, frame: Frame) -> Like:
    title, _ = name_of(one.title, one.doc_id, begin.get(one.doc_id, ""))
    return Like(
        title=title,
        doc_id=one.doc_id,
        language=language_of(title, one.metadata),
        near=None if one.cosine is None else round(100 * max(0.0, one.cosine)),
        words=one.words,
        facts=facts(one.metadata, place, frame.words)[:3],
        href=place.whole(one.doc_id),
        similar=place.whole(one.doc_id, "/similar"),
    )


def _short(made: Summary, phrases: tuple[str, ...], found: DocumentText, place: Place, words: Words) -> Short:
    here = Place(made.doc_id, asked=place.asked)
    sentences = []
    above = ""
    for one in made.sentences:
        heading = one.headings[-1] if one.headings else ""
        sentences.append(_sentence(one, here, "" if heading in (above, made.title) else heading))
        above = heading
    return Short(
        title=title_of(found),
        doc_id=made.doc_id,
        language=written_in(found),
        href=here.url(),
        sentences=tuple(sentences),
        phrases=phrases,
        notices=tuple(told(said, words.language) for said in made.notices),
        tilted=made.tilted,
    )


def _sentence(one: SummarySentence, here: Place, where: str) -> Sentence:
    return Sentence(
        runs=pieces(one.text, one.start, one.highlights),
        href=here.passage(one.start, one.end),
        where=shortened(where, LONGEST_LABEL),
        page=one.page,
    )
