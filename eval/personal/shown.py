"""What is shown: how popular it is, how much of the catalogue ever appears, and how new it is to readers.

Popularity is the number of distinct readers that a document has among all events given, whenever they met it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.event import Event
from eval.errors import InvalidEvaluation
from eval.personal.histories import Histories
from eval.personal.readers import mean, reader_means
from eval.run import Run


@dataclass(frozen=True, slots=True)
class Popularity:
    """How many readers each document has.

    Args:
        readers: Document to its distinct readers; absent for one that nobody met.
        users: How many readers there are in all.
    """

    readers: Mapping[str, int]
    users: int

    @classmethod
    def of(cls, events: Iterable[Event]) -> Popularity:
        """Count the readers of each document; a document met twice by the same reader counts once."""
        pairs = {(event.user_id, event.doc_id) for event in events}
        return cls(Counter(doc_id for _, doc_id in pairs), len({user for user, _ in pairs}))

    def surprise(self, doc_id: str) -> float:
        """Return the document's self-information in bits, -log2 of the chance that a reader has met it.

        With one reader more on both sides, so that a document nobody met is finite: -log2((r + 1) / (users + 1)).
        """
        return -math.log2((self.readers.get(doc_id, 0) + 1) / (self.users + 1))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a run shows in its first ranks. Means are over readers, of the means of their queries.

    Args:
        run: The run's name.
        cutoff: How many ranks.
        popularity: Readers of a shown document (average recommendation popularity; Yin, Cui, Li, Yao and Chen 2012).
        lift: How much more popular what is shown is than what its reader had read, as a share of the latter
            (popularity lift; Abdollahpouri, Mansoury, Burke and Mobasher 2020); NaN where nobody has a history.
        novelty: Self-information of a shown document in bits (Zhou et al. 2010; Vargas and Castells 2011).
        unread: Share of shown documents that no reader has met.
        coverage: Share of the catalogue that is shown to anyone (catalogue coverage; Ge, Delgado-Battenfeld and
            Jannach 2010).
        gini: How unequally the catalogue is shown: 0 each document as often, near 1 a few alone.
        kept: Share of the anonymous list's first ranks that is still in this run's.
        unchanged: Share of queries whose first ranks are the anonymous ones, in order.
    """

    run: str
    cutoff: int
    popularity: float
    lift: float
    novelty: float
    unread: float
    coverage: float
    gini: float
    kept: float
    unchanged: float


def shown_by(
    run: Run,
    anonymous: Run,
    users: Mapping[str, str],
    histories: Histories,
    popularity: Popularity,
    catalogue: int,
    cutoff: int = 10,
) -> Shown:
    """Return what a run shows to the readers of the queries in `users`.

    Args:
        run: The run.
        anonymous: The run to compare its lists with.
        users: Query to reader.
        histories: Query to history, for the lift.
        popularity: Of all documents.
        catalogue: How many documents there are to show.
        cutoff: How many ranks.

    Raises:
        InvalidEvaluation: the run shows more documents than there are said to be.
    """
    lists = {query_id: list(run.rankings.get(query_id, ()))[:cutoff] for query_id in users}
    before = {query_id: list(anonymous.rankings.get(query_id, ()))[:cutoff] for query_id in users}
    filled = {query_id: ranked for query_id, ranked in lists.items() if ranked}
    counts = Counter(doc_id for ranked in lists.values() for doc_id in ranked)
    if len(counts) > catalogue:
        raise InvalidEvaluation(
            f"run {run.name!r} shows {len(counts):,} documents, and the catalogue is said to have {catalogue:,}; "
            "give the number of all documents there are"
        )
    read = {
        query_id: _popularity({event.doc_id for event in history}, popularity)
        for query_id, history in histories.items()
        if history and filled.get(query_id)
    }
    lifts = {
        query_id: _popularity(filled[query_id], popularity) / reading - 1.0
        for query_id, reading in read.items()
    }
    return Shown(
        run=run.name,
        cutoff=cutoff,
        popularity=_over_readers({q: _popularity(ranked, popularity) for q, ranked in filled.items()}, users),
        lift=_over_readers(lifts, users),
        novelty=_over_readers(
            {q: math.fsum(map(popularity.surprise, ranked)) / len(ranked) for q, ranked in filled.items()},
            users,
        ),
        unread=_over_readers(
            {
                q: sum(d not in popularity.readers for d in ranked) / len(ranked)
                for q, ranked in filled.items()
            },
            users,
        ),
        coverage=len(counts) / catalogue,
        gini=gini([*counts.values(), *[0] * (catalogue - len(counts))]),
        kept=_over_readers(
            {q: len(set(ranked) & set(lists[q])) / len(ranked) for q, ranked in before.items() if ranked},
            users,
        ),
        unchanged=sum(lists[query_id] == before[query_id] for query_id in users) / len(users),
    )


def gini(counts: Sequence[int]) -> float:
    """Return the Gini coefficient of counts with their zeros, Σ (2i - n - 1) x₍ᵢ₎ / (n Σ x), x ascending; 0 of none."""
    total, n = sum(counts), len(counts)
    if not total:
        return 0.0
    return sum((2 * place - n - 1) * count for place, count in enumerate(sorted(counts), 1)) / (n * total)


def _popularity(documents: Iterable[str], popularity: Popularity) -> float:
    counts = [popularity.readers.get(doc_id, 0) for doc_id in documents]
    return sum(counts) / len(counts)


def _over_readers(values: Mapping[str, float], users: Mapping[str, str]) -> float:
    return mean(reader_means(values, users)) if values else math.nan
