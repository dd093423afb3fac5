"""Recommendations without a query, judged on held-out documents: hit rate, nDCG, reciprocal rank, coverage.

The run has one ranking a reader, under the reader's id. It is judged in full, over the whole catalogue: ranking the
held-out document among a sample of others orders systems wrongly (Krichene and Rendle 2020). Documents of the
history are taken out first, since a system that recommends what was read says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.collection import Judgements
from eval.errors import InvalidEvaluation
from eval.measures import evaluate, parse_measure
from eval.personal.control import without
from eval.personal.histories import by_user
from eval.personal.readers import Change, change_of
from eval.personal.shown import Popularity, Shown, shown_by
from eval.personal.splits import Split
from eval.run import Run, in_given_order

POPULARITY = "popularity"


@dataclass(frozen=True, slots=True)
class Recommended:
    """What a run of recommendations is worth.

    Args:
        run: The run's name.
        readers: Readers with held-out documents; one whom the run misses counts with 0.
        hit_rate: Share of readers with a held-out document in the first `cutoff` (HR@k).
        ndcg: nDCG@k with binary gains; the ideal list begins with all of the held-out documents.
        mrr: Mean of one over the rank of the first held-out document, over the whole ranking.
        against_popularity: nDCG@k against the list of the most read documents.
        shown: Popularity, coverage and novelty of the first `cutoff`.
    """

    run: str
    readers: int
    hit_rate: float
    ndcg: float
    mrr: float
    against_popularity: Change
    shown: Shown


def popularity_run(split: Split, depth: int = 1000) -> Run:
    """Return the baseline: to each reader with a future the documents that most others read and they have not.

    As many readers are ordered by doc_id; documents that the history does not hold cannot come.
    """
    popularity = Popularity.of(split.history)
    ordered = sorted(popularity.readers, key=lambda doc_id: (-popularity.readers[doc_id], doc_id))
    histories = by_user(split.history)
    rankings = {}
    for user in split.held_out:
        met = {event.doc_id for event in histories.get(user, ())}
        fresh = [doc_id for doc_id in ordered if doc_id not in met][:depth]
        rankings[user] = in_given_order((doc_id, float(popularity.readers[doc_id])) for doc_id in fresh)
    return Run(POPULARITY, rankings)


def recommendation_study(
    runs: Sequence[Run],
    split: Split,
    *,
    cutoff: int = 10,
    catalogue: int = 0,
    rounds: int = 10_000,
    seed: int = 0,
) -> list[Recommended]:
    """Return what runs of recommendations are worth, the popularity baseline first.

    Args:
        runs: One ranking a reader each, under the reader's id.
        split: What the runs were made from, and what is judged.
        cutoff: k of HR@k and nDCG@k.
        catalogue: How many documents there are; 0 for those that the split or any run names.
        rounds: Of the bootstrap and the randomisation.
        seed: Of both.

    Raises:
        InvalidEvaluation: a run has no ranking for any reader with a future.
    """
    held_out = split.held_out
    for run in runs:
        if not held_out.keys() & run.rankings.keys():
            raise InvalidEvaluation(
                f"run {run.name!r} ranks for none of the {len(held_out):,} readers with held-out documents; "
                "a run of recommendations has the reader's id in the place of the query's"
            )
    histories = {user: tuple(events) for user, events in by_user(split.history).items()}
    seen = {user: frozenset(event.doc_id for event in events) for user, events in histories.items()}
    baseline = popularity_run(split)
    fresh = [without(run, seen) for run in (baseline, *runs)]
    judgements = Judgements({user: dict.fromkeys(documents, 1) for user, documents in held_out.items()})
    hit, ndcg, rank = (parse_measure(name) for name in (f"Success@{cutoff}", f"nDCG@{cutoff}", "RR"))
    users = {user: user for user in held_out}
    size = catalogue or _named(fresh, split)
    evaluations = [evaluate(run, judgements, [hit, ndcg, rank]) for run in fresh]
    return [
        Recommended(
            run=run.name,
            readers=len(held_out),
            hit_rate=evaluation.mean(hit),
            ndcg=evaluation.mean(ndcg),
            mrr=evaluation.mean(rank),
            against_popularity=change_of(
                evaluations[0].values[ndcg],
                evaluation.values[ndcg],
                (POPULARITY, run.name),
                rounds=rounds,
                seed=seed,
            ),
            shown=shown_by(
                run,
                fresh[0],
                users,
                {user: histories.get(user, ()) for user in held_out},
                Popularity.of(split.history),
                size,
                cutoff,
            ),
        )
        for run, evaluation in zip(fresh, evaluations, strict=True)
    ]


def _named(runs: Sequence[Run], split: Split) -> int:
    documents = {event.doc_id for event in (*split.history, *split.future)}
    rankings: Mapping[str, float]
    for run in runs:
        for rankings in run.rankings.values():
            documents.update(rankings)
    return len(documents)
