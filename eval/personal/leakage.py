"""Did the future leak? Counts of what a history must not hold, with examples, for splits and for studies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from eval.collection import Qrels
from eval.personal.histories import Histories
from eval.personal.splits import Split

_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of leak.

    Args:
        what: What was looked for, in words.
        count: How often it was found.
        serious: Whether one alone makes a result doubtful; where not, it is a limit of the way to split.
        examples: At most five of them.
    """

    what: str
    count: int
    serious: bool
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leakage:
    """All that was looked for, found or not."""

    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing serious was found."""
        return not any(finding.count and finding.serious for finding in self.findings)


def leakage_of_split(split: Split) -> Leakage:
    """Look for what a split's history must not hold: the future's documents, and later events."""
    held_out = split.held_out
    repeated = sorted({
        f"{event.user_id} {event.doc_id}" for event in split.history if event.doc_id in held_out.get(event.user_id, ())
    })  # fmt: skip
    begins: dict[str, datetime] = {}
    for event in split.future:
        if event.at is not None:
            begins[event.user_id] = min(begins.get(event.user_id, event.at), event.at)
    late = [
        f"{event.user_id} {event.doc_id} at {event.at:%Y-%m-%d %H:%M}"
        for event in split.history
        if event.at is not None and event.user_id in begins and event.at > begins[event.user_id]
    ]
    first = min(begins.values(), default=None)
    others = [
        f"{event.user_id} {event.doc_id} at {event.at:%Y-%m-%d %H:%M}"
        for event in split.history
        if event.at is not None and first is not None and event.at >= first
    ]
    return Leakage(
        (
            _finding("documents that are in a reader's history and future", repeated, serious=True),
            _finding("events of a history from after the same reader's future began", late, serious=True),
            _finding(
                "events of a history from after the first future event of anyone", others, serious=False
            ),
        )
    )


def leakage_of_study(qrels: Qrels, histories: Histories) -> Leakage:
    """Look for relevant documents that the reader had already met when the question was asked."""
    known: list[str] = []
    for query_id, history in histories.items():
        met = {event.doc_id for event in history}
        known += [
            f"{query_id} {doc_id}"
            for doc_id, grade in qrels.get(query_id, {}).items()
            if grade > 0 and doc_id in met
        ]
    return Leakage(
        (_finding("relevant documents that are in the reader's own history", known, serious=True),)
    )


def seen_documents(histories: Histories) -> dict[str, frozenset[str]]:
    """Return the documents of each history."""
    return {query_id: frozenset(event.doc_id for event in history) for query_id, history in histories.items()}


def _finding(what: str, found: Iterable[str], *, serious: bool) -> Finding:
    listed = list(found)
    return Finding(what, len(listed), serious, tuple(listed[:_EXAMPLES]))
