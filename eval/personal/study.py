"""`personal_study`: is a personalised run better than the anonymous one, for whom, and because of the person?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias

from engine.event import Event
from eval.collection import Judgements, Topic
from eval.errors import InvalidEvaluation
from eval.measures import evaluate, parse_measure
from eval.personal.calibration import miscalibration, popularity_groups
from eval.personal.control import Promotions, promotions, without
from eval.personal.groups import ColdStart, cold_start
from eval.personal.histories import Histories, histories_of, stand_in_histories
from eval.personal.leakage import Leakage, leakage_of_study, seen_documents
from eval.personal.measured import MeasureStudy, Options, corrected, study_of
from eval.personal.readers import Test, finite
from eval.personal.shown import Popularity, Shown, shown_by
from eval.run import Run

RunMaker: TypeAlias = Callable[[Histories], Run]
"""A system: given each query's history, the run that it makes."""

Read: TypeAlias = Literal["keep", "hide"]


@dataclass(frozen=True, slots=True)
class PersonalStudy:
    """What came of it.

    Args:
        measures: One study a measure, in the order asked.
        cold: Whether readers without history see the anonymous list.
        leakage: Judged documents in histories.
        promotions: How often what is promoted is relevant.
        shown: What each run shows: anonymous, personalised, and shuffled where there is one.
        miscalibration: Run to the divergence from what readers read, by groups of popularity or by `categories`.
        queries: How many judged queries count.
        readers: How many readers ask them.
        unnamed: Judged queries that count nowhere, because no topic names their reader.
        answered_before: Queries that do not count because read documents are hidden, and those were all that is
            relevant.
    """

    measures: tuple[MeasureStudy, ...]
    cold: ColdStart
    leakage: Leakage
    promotions: Promotions
    shown: tuple[Shown, ...]
    miscalibration: Mapping[str, float]
    queries: int
    readers: int
    unnamed: int
    answered_before: int

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON; what is not a finite number is null."""
        return {name: finite(value) for name, value in asdict(self).items()}


def personal_study(
    anonymous: Run,
    personal: Run | RunMaker,
    judgements: Judgements,
    topics: Mapping[str, Topic],
    events: Sequence[Event],
    *,
    shuffled: Run | None = None,
    measures: Sequence[str] = ("nDCG@10",),
    read: Read = "keep",
    tolerance: float = 0.01,
    cutoff: int = 10,
    catalogue: int = 0,
    categories: Mapping[str, Sequence[str]] | None = None,
    test: Test = "randomisation",
    rounds: int = 10_000,
    seed: int = 0,
) -> PersonalStudy:
    """Judge a personalised run, of any engine, against the anonymous run of the same queries.

    Args:
        anonymous: What everyone gets.
        personal: What each reader gets; or a function from each query's history to that run, which is then also
            asked for the control, with the histories of stand-ins (`stand_in_histories`).
        judgements: What is right for the reader who asks.
        topics: By query id; their `user_id` says who asks, `at` when.
        events: What readers did. Of a topic with a time only what came before it counts.
        shuffled: The personalised run made with another reader's history for each query: the control.
        measures: Their names.
        read: `keep` the lists as they are, or `hide` what the reader had read from all of them, and from the
            judgements: for systems that leave it out, so that this alone is no gain.
        tolerance: A value that falls by no more is no harm.
        cutoff: How many ranks are looked at where it is about what is shown.
        catalogue: How many documents there are; 0 for those that runs, judgements or events name.
        categories: Document to its categories, for the calibration; without it groups of popularity.
        test: Of the significance, over readers.
        rounds: Of bootstrap and randomisation.
        seed: Of both, and of the choice of stand-ins.

    Raises:
        InvalidEvaluation: no judged query names its reader; a time is missing where it decides; a shuffled run is
            given beside a function; a measure is one of cost.
        UnknownMeasure: a measure's name is not known.
    """
    parsed = [parse_measure(name) for name in measures]
    if not parsed or any(measure.lower_is_better for measure in parsed):
        raise InvalidEvaluation(
            "a personal study is by measures of quality, at least one, of which more is better; "
            f"found {', '.join(measures) or 'none'}"
        )
    histories = {
        query_id: history
        for query_id, history in histories_of(topics.values(), events).items()
        if query_id in judgements.qrels
    }
    users = {query_id: str(topics[query_id].user_id) for query_id in histories}
    if not users:
        raise InvalidEvaluation(
            f"none of the {len(judgements.qrels):,} judged queries names its reader in the topics; "
            "a topic says who asks as `user` or `user_id`"
        )
    if callable(personal):
        if shuffled is not None:
            raise InvalidEvaluation(
                "a function makes the shuffled run itself; leave `shuffled` out, or give two runs"
            )
        own = [topics[query_id] for query_id in users]
        maker, personal = personal, personal(histories)
        shuffled = replace(
            maker(stand_in_histories(own, events, seed=seed)), name=f"{personal.name}, shuffled"
        )
    seen = seen_documents(histories)
    runs = _named_apart([anonymous, personal, *([shuffled] if shuffled is not None else [])])
    judged = replace(judgements, qrels={query_id: judgements.qrels[query_id] for query_id in users})
    leakage = leakage_of_study(judged.qrels, histories)
    cold = cold_start(runs[0], runs[1], histories)
    hidden = [without(run, seen) for run in (runs if read == "hide" else runs[:1])]
    bare = None
    if read == "hide":
        runs, judged = hidden, _unread(judged, seen)
        users = {query_id: user for query_id, user in users.items() if query_id in judged.qrels}
        if not users:
            raise InvalidEvaluation(
                "every relevant document had been read; nothing is left to find when these are hidden"
            )
    else:
        bare = evaluate(hidden[0], judged, parsed)
    evaluations = [evaluate(run, judged, parsed) for run in runs]
    options = Options(test, rounds, seed, tolerance)
    popularity = Popularity.of(events)
    groups = categories if categories is not None else popularity_groups(popularity)
    size = catalogue or _named_documents(runs, judged, events)
    return PersonalStudy(
        measures=corrected(
            [study_of(measure, evaluations, bare, users, histories, options) for measure in parsed]
        ),
        cold=cold,
        leakage=leakage,
        promotions=promotions(runs[0], runs[1], judged.qrels, cutoff),
        shown=tuple(shown_by(run, runs[0], users, histories, popularity, size, cutoff) for run in runs),
        miscalibration={run.name: miscalibration(run, users, histories, groups, cutoff) for run in runs},
        queries=len(users),
        readers=len(set(users.values())),
        unnamed=len(judgements.qrels) - len(histories),
        answered_before=len(histories) - len(users),
    )


def _named_apart(runs: list[Run]) -> list[Run]:
    """Return the runs with names that differ, so that tables can tell them apart."""
    names: set[str] = set()
    apart = []
    for run, role in zip(runs, ("anonymous", "personal", "shuffled"), strict=False):
        name = run.name or role
        name = name if name not in names else f"{name} ({role})"
        names.add(name)
        apart.append(replace(run, name=name))
    return apart


def _unread(judgements: Judgements, seen: Mapping[str, frozenset[str]]) -> Judgements:
    """Return the judgements without what had been read, and without queries to which nothing else is relevant."""
    qrels = {}
    for query_id, grades in judgements.qrels.items():
        left = {doc_id: grade for doc_id, grade in grades.items() if doc_id not in seen[query_id]}
        if any(grade > 0 for grade in left.values()) or not any(grade > 0 for grade in grades.values()):
            qrels[query_id] = left
    return replace(judgements, qrels=qrels)


def _named_documents(runs: Sequence[Run], judgements: Judgements, events: Sequence[Event]) -> int:
    documents = {event.doc_id for event in events}
    for run in runs:
        for ranking in run.rankings.values():
            documents.update(ranking)
    for grades in judgements.qrels.values():
        documents.update(grades)
    return len(documents)
