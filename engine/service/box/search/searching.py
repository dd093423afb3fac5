"""From what a URL asks for to the values that the search page shows: the engine asked, its answer made into views."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from fastapi import Request

from engine.marking import Marks
from engine.query import Query
from engine.ranking import FacetCounts, Hit, Ranking
from engine.recommendations import Recommendation
from engine.search_engine import SearchEngine
from engine.service import asking
from engine.service.access.caller import Caller
from engine.service.access.state import reader_problem_of
from engine.service.box.page.naming import LONGEST_LABEL, is_seen, name_of, openings, shortened
from engine.service.box.page.rendering import Frame, frame_of
from engine.service.box.page.scripts import language_of
from engine.service.box.reader.opinions import opinions_in
from engine.service.box.search import around
from engine.service.box.search.hits import HitViews
from engine.service.box.search.holdings import Holdings, HoldingsOf
from engine.service.box.search.views import Choice, HitView, HomeView, ResultsView, Suggested
from engine.service.box.urls.asked import PER_PAGE, Asked
from engine.service.box.urls.place import Place
from engine.service.box.words.told import Told, told
from engine.service.problems import Problem
from engine.settings import NO_RERANKER, SearchSettings

if TYPE_CHECKING:
    from engine.service.service import Service

Beat: TypeAlias = Literal["first", "final"]
SUGGESTED = 6
_MOST_WIDER = 3
_NOTHING_MEETS = "No document meets all conditions"
_NOBODY = secrets.token_hex(16)
"""An id that no reader has."""


async def holdings_of(request: Request, service: Service, caller: Caller) -> Holdings:
    """Return what the index holds, looked at once a generation."""
    state = request.app.state
    if not hasattr(state, "box_holdings"):
        state.box_holdings = HoldingsOf()
    known: HoldingsOf = state.box_holdings
    now = known.known
    if now is not None and now.generation == service.engines.generation:
        return now
    wished = service.settings.date_field
    return await asking.ask(
        service, caller, lambda engine: known.now(engine, service.engines.index.reader(), wished)
    )


def reads_twice(settings: SearchSettings) -> bool:
    """Whether a cross-encoder reads some of each list again, so that there is a list to show before it has."""
    return settings.reranker != NO_RERANKER and settings.rerank_depth > 0 and settings.rerank_weight > 0


async def results(
    request: Request, service: Service, caller: Caller, asked: Asked, beat: Beat, *, typing: bool = False
) -> ResultsView:
    """Return a page of results.

    Args:
        request: Being answered.
        service: Where to search.
        caller: Who asks.
        asked: What is asked.
        beat: `first` for the list before a cross-encoder has read anything, which is there at once.
        typing: The last word may not be whole yet, so that its spelling is no matter.
    """
    frame = frame_of(request, caller)
    holdings = await holdings_of(request, service, caller)
    usual = service.engines.of(caller.tenant).settings
    settings = replace(usual, facets=holdings.facets)
    if beat == "first":
        settings = replace(settings, rerank_weight=0.0)
    most = service.settings.max_k // PER_PAGE * PER_PAGE or service.settings.max_k
    query = asked.query(caller.user_id, holdings.date_field)
    answer = await asking.search(
        service, caller, query, k=min(asked.page * PER_PAGE, most), settings=settings
    )
    ranking, words = answer.ranking, frame.words
    from_rank = (asked.page - 1) * PER_PAGE + 1
    shown = [hit for hit in ranking.hits if hit.rank >= from_rank]
    wider = _Wider(asked, holdings, replace(settings, rerank_depth=0))
    beside = await _beside(service, caller, query, shown, wider, marks=beat == "final")
    maker = HitViews(words, asked, holdings.date_field, beside.opinions, beside.openings)
    hits = maker.of(ranking, beside.marks, from_rank)
    expired = (Told(words("notice.expired")),) if reader_problem_of(request.scope) else ()
    return ResultsView(
        asked=asked,
        beat=beat,
        hits=hits,
        found=ranking.found,
        first=from_rank,
        last=from_rank + len(hits) - 1,
        seconds=sum(ranking.timings.values()) / 1000,
        reranked=ranking.reranked_depth if reads_twice(usual) else 0,
        degraded=tuple(told(said, words.language) for said in answer.degraded),
        notices=expired
        + tuple(told(shortened(said, 400), words.language) for said in _worth_saying(ranking)),
        meant=around.meant(ranking.suggestions, asked) if not typing or not hits else (),
        facets=around.facets(ranking.facets, asked, words, beside.others),
        chips=around.chips(asked, words),
        orders=around.orders(asked, words) if holdings.date_field else (),
        pager=around.pager(asked, ranking.found, most),
        dates=bool(holdings.date_field),
        reader=around.reader_of(caller, asked, service.settings),
        why_not=Place(asked=asked).url("/why-not"),
        legend=tuple(_legend(hits)),
    )


async def home(request: Request, service: Service, caller: Caller, asked: Asked) -> HomeView:
    """Return the page without a query: what there is, and what this reader may want of it."""
    frame = frame_of(request, caller)
    holdings = await holdings_of(request, service, caller)
    items, begin = await asking.ask(service, caller, lambda engine: _recommended(service, caller, engine))
    kind = items[0].origin if items else ""
    suggested = tuple(_suggested(item, begin, frame) for item in items if item.origin == kind)
    languages = tuple(frame.words.or_else(f"lang.{tag}", tag) for tag in holdings.languages)
    return HomeView(
        asked=asked,
        reader=around.reader_of(caller, asked, service.settings),
        documents=holdings.documents,
        passages=holdings.passages,
        languages=languages,
        examples=tuple(Choice(said, asked.but(text=said).url) for said in holdings.examples),
        suggested=suggested,
        kind=kind,
        condition=holdings.condition,
        shared=_shared(one.reason for one in suggested),
        notices=(frame.words("notice.expired"),) if reader_problem_of(request.scope) else (),
    )


@dataclass(frozen=True, slots=True)
class _Wider:
    """Counts what else a field that is filtered by has, were it not."""

    asked: Asked
    holdings: Holdings
    settings: SearchSettings

    @property
    def fields(self) -> list[str]:
        """The facets that are filtered by, a few."""
        chosen = dict.fromkeys(field for field, _ in self.asked.chosen)
        return [field for field in chosen if field in self.holdings.facets][:_MOST_WIDER]

    def counts(self, engine: SearchEngine, user_id: str | None) -> dict[str, FacetCounts]:
        """Return each such field's values over what is found without its filter."""
        found = {}
        for name in self.fields:
            query = self.asked.without_field(name).query(user_id, self.holdings.date_field)
            ranking = engine.search(query, k=1, settings=replace(self.settings, facets=(name,)))
            found[name] = ranking.facets.get(name, ())
        return found


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is looked up beside the hits.

    Args:
        marks: For each passage of each hit, the sentence that answers by its meaning.
        opinions: The document to what the reader said of it.
        others: For each field that is filtered by, its values without that filter.
        openings: How texts begin whose documents have no title, by the document's id.
    """

    marks: Marks = ()
    opinions: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, FacetCounts] = field(default_factory=dict)
    openings: Mapping[str, str] = field(default_factory=dict)


async def _beside(
    service: Service, caller: Caller, query: Query, hits: Sequence[Hit], wider: _Wider, *, marks: bool
) -> _Beside:
    user_id = caller.user_id

    def look(engine: SearchEngine) -> _Beside:
        known = user_id is not None and engine.readers.exists
        return _Beside(
            engine.mark(query, hits) if marks and hits else (),
            opinions_in(engine.readers.history(user_id)) if user_id is not None and known else {},
            wider.counts(engine, user_id),
            openings(service.engines.index.reader, untitled),
        )

    untitled = [(hit.doc_id, hit.title) for hit in hits if not is_seen(hit.title)]
    if not wider.fields and not untitled and (not hits or (user_id is None and not marks)):
        return _Beside()
    try:
        return await asking.ask(service, caller, look)
    except Problem as problem:
        if problem.status != 503:
            raise
        return _Beside()  # the hits are there; under load they do without


def _worth_saying(ranking: Ranking) -> list[str]:
    """Return the engine's notices but for one that a page without results says better itself."""
    return [said for said in ranking.notices if ranking.hits or not said.startswith(_NOTHING_MEETS)]


def _legend(hits: Sequence[HitView]) -> list[str]:
    """Return which marks there are in the texts of a list."""
    runs = [run for hit in hits for passage in hit.passages for run in passage.runs]
    word = any(piece.word for run in runs for piece in run.pieces)
    return ["word"] * word + ["meaning"] * any(run.meaning for run in runs)


def _shared(reasons: Iterable[str]) -> str:
    """Return the reason that all of several have, so that it is said once; empty where they differ."""
    said = list(reasons)
    return said[0] if len(said) > 1 and len(set(said)) == 1 else ""


def _recommended(
    service: Service, caller: Caller, engine: SearchEngine
) -> tuple[tuple[Recommendation, ...], Mapping[str, str]]:
    """Return what may be read next, and how the texts of those begin that have no title."""
    items = engine.recommend(caller.user_id or _NOBODY, SUGGESTED).items
    return items, openings(service.engines.index.reader, ((item.doc_id, item.title) for item in items))


def _suggested(item: Recommendation, begin: Mapping[str, str], frame: Frame) -> Suggested:
    title, named = name_of(item.title, item.doc_id, begin.get(item.doc_id, ""))
    words = frame.words
    if item.origin == "popular":
        reason = words("reason.popular", n=item.readers)
    elif item.origin == "recent":
        reason = words("reason.recent", day=around.day(item.dated, words)) if item.dated else ""
    elif item.because:
        one = item.because[0]
        reason = words(f"reason.{one.source}", title=shortened(one.title or one.doc_id, LONGEST_LABEL))
    else:
        reason = ""
    return Suggested(
        title, named, frame.link("/document", id=item.doc_id), reason, language_of(title, item.metadata)
    )
