"""What is wrong with sources, found and told before anything is mined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from quire.training.events import Noted, Tell
from quire.training.sources import Opened
from reranker.data.checks import check_judged
from reranker.data.findings import SHOWN, Findings
from reranker.data.judged import JudgedQuery
from reranker.data.wording import text_hash
from reranker.errors import TrainingDataError

_CURED = "only-positives"  # what mining makes good: a query without a wrong answer


def checked(data: Sequence[Opened], tell: Tell, dev: Sequence[Opened] = ()) -> list[int]:
    """Return how many queries each source has, those of `dev` last; warnings are told.

    Args:
        data: To learn from.
        tell: Told the warnings.
        dev: To measure on.

    Raises:
        TrainingDataError: there are errors; the message tells all of them, each with its source.
    """
    counts: list[int] = []
    errors: list[str] = []
    learnt: set[bytes] = set()
    for source in data:
        reading = _Reading(source.judged())
        errors += _found(source, reading, tell)
        counts.append(reading.count)
        learnt |= reading.queries
    for source in dev:
        reading = _Reading(source.judged(), learnt)
        errors += _found(source, reading, tell)
        counts.append(reading.count)
        if reading.met:
            errors.append(
                f"- {source.name}: {reading.met_count:,} x a query to measure on that is one to learn from, too "
                f"({'; '.join(reading.met)}). Take it out of one of them, or what is measured was learnt by heart."
            )
    refuse(errors)
    return counts


def noted(findings: Findings, before: str, tell: Tell) -> list[str]:
    """Tell the warnings among findings, and return the errors as lines."""
    for finding in findings.warnings:
        tell(Noted(f"{before}{finding}", warning=True))
    return [f"- {before}{finding}" for finding in findings.errors]


def refuse(errors: Sequence[str]) -> None:
    """Raise what the errors say.

    Raises:
        TrainingDataError: there are some.
    """
    if errors:
        raise TrainingDataError("\n".join(["the training data cannot be used:", *errors]))


def _found(source: Opened, reading: _Reading, tell: Tell) -> list[str]:
    findings = check_judged(reading, known=source.known)
    kept = Findings(tuple(one for one in findings if one.kind != _CURED or not source.mines))
    return noted(kept, f"{source.name}: ", tell)


class _Reading:
    """Passes queries on, and remembers of them what is to be compared.

    Args:
        queries: Those.
        others: Hashes of queries that are not to be among them.
    """

    def __init__(self, queries: Iterable[JudgedQuery], others: set[bytes] | None = None) -> None:
        self._queries = queries
        self._others = others or set()
        self.count = self.met_count = 0
        self.queries: set[bytes] = set()
        self.met: list[str] = []

    def __iter__(self) -> Iterator[JudgedQuery]:
        for query in self._queries:
            self.count += 1
            name = text_hash(query.query)
            self.queries.add(name)
            if name in self._others:
                self.met_count += 1
                if len(self.met) < SHOWN:
                    self.met.append(f"{query.query_id} {query.query!r:.60}")
            yield query
