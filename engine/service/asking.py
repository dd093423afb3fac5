"""What every way of asking shares: the API's routes and the pages of the search box come to the engine through here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from engine.errors import InvalidCursor
from engine.query import Query
from engine.ranking import Ranking
from engine.service.access.caller import Caller
from engine.service.access.seals import Seals
from engine.service.limits import check_query, check_settings
from engine.service.pool import Pressure
from engine.settings import SearchSettings

if TYPE_CHECKING:
    from engine.search_engine import SearchEngine
    from engine.service.service import Service

T = TypeVar("T")

FEWER = "Many are searching just now, so fewer documents than usual were looked at twice."
NONE = "Very many are searching just now, so no document was looked at twice."


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of results, and what load has taken from it.

    Args:
        ranking: The results.
        cursor: What asks for the next page; None on the last, and where it was not wanted.
        degraded: What was done less well than was asked, in sentences; empty where nothing was.
    """

    ranking: Ranking
    cursor: str | None = None
    degraded: tuple[str, ...] = ()

    @property
    def notices(self) -> tuple[str, ...]:
        """What the reader should know of the answer, in sentences."""
        return self.ranking.notices + self.degraded

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        content = replace(self.ranking, next_page=lambda: None).to_json()
        return content | {
            "cursor": self.cursor,
            "notices": list(self.notices),
            "degraded": list(self.degraded),
        }


async def search(
    service: Service,
    caller: Caller,
    query: Query,
    *,
    k: int,
    cursor: str | None = None,
    explain: bool = False,
    settings: SearchSettings | None = None,
    paged: bool = False,
) -> Answer:
    """Return a page of results.

    Args:
        service: Where to search.
        caller: Who asks; whatever reader the query names, it is asked for this one.
        query: What is asked.
        k: How many results.
        cursor: `Answer.cursor` of the page before, with everything else as on that page.
        explain: Look up what each word adds.
        settings: How to search; None for as the service is configured.
        paged: Whether `Answer.cursor` is wanted, which takes some milliseconds: it holds the rest of the list.

    Raises:
        SearchError: the question cannot be answered.
        Problem: there is too much to do (503), or a limit of the service was passed (422).
    """
    work = searching(
        service, caller, query, k=k, cursor=cursor, explain=explain, settings=settings, paged=paged
    )
    return await service.pool.run(work)


def searching(
    service: Service,
    caller: Caller,
    query: Query,
    *,
    k: int,
    cursor: str | None = None,
    explain: bool = False,
    settings: SearchSettings | None = None,
    paged: bool = False,
) -> Callable[[Pressure], Answer]:
    """Return the work that `search` gives to the pool, for those who do more with its answer in the same thread.

    Raises:
        Problem: a limit of the service was passed (422).
    """
    engine = service.engines.of(caller.tenant)
    asked = replace(query, user_id=caller.user_id)
    wanted = settings or engine.settings
    check_query(asked, k, cursor, service.settings)
    check_settings(wanted, engine.settings, service.settings)

    def work(pressure: Pressure) -> Answer:
        # Later pages are of the list that the first one made, however much is going on now.
        depth, rest = (
            (pressure.settings(wanted).rerank_depth, None)
            if cursor is None
            else _unpacked(service.seals, cursor)
        )
        ranking = engine.search(
            asked,
            k=k,
            cursor=rest,
            explain=explain,
            settings=replace(wanted, rerank_depth=depth),
            cancelled=pressure.cancelled,
        )
        degraded = _degraded(depth, wanted.rerank_depth)
        service.metrics.answered(ranking, degraded, 1 if depth else 2)
        following = ranking.cursor if paged else None
        sealed = None if following is None else service.seals.sealed(f"{depth}.{following}")
        return Answer(ranking, sealed, degraded)

    return work


async def ask(service: Service, caller: Caller, question: Callable[[SearchEngine], T]) -> T:
    """Return what a tenant's engine answers to any other question, asked in a thread.

    Raises:
        SearchError: the question cannot be answered.
        Problem: there is too much to do (503).
    """
    engine = service.engines.of(caller.tenant)
    return await service.pool.run(lambda pressure: question(engine))


def _degraded(depth: int, wanted: int) -> tuple[str, ...]:
    """Return what is said where fewer documents were reranked than was wanted."""
    if depth >= wanted:
        return ()
    return (FEWER if depth else NONE,)


def _unpacked(seals: Seals, cursor: str) -> tuple[int, str]:
    """Return the rerank depth that a cursor's first page had, and the engine's own cursor.

    Of one that was not made here nothing is read: 20 kB of it may hold 16 MB that take seconds to read.

    Raises:
        InvalidCursor: it is none of ours.
    """
    opened = seals.opened(cursor)
    if opened is None:
        raise InvalidCursor("the cursor is damaged or none of ours; ask for the first page again")
    depth, _, rest = opened.partition(".")
    return int(depth), rest
