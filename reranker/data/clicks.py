"""Clicks as judgements, with the bias of positions taken out.

A document is clicked where it is looked at and worth it, and what stands high is looked at more:
P(click) = examination[rank] · relevance. A click at a rank that is seldom looked at therefore counts more, by the
inverse of its examination ("inverse propensity": Joachims, Swaminathan and Schnabel, WSDM 2017). How much each rank
is looked at is a `PositionCurve`: given, a power law of the rank, or fitted to documents that moved.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

from reranker.data.judged import JudgedDocument, JudgedQuery
from reranker.data.rows import number_of, read_rows, text_of
from reranker.errors import TrainingDataError

MOST_RANKS = 50
"""A power law is fitted to the first so many ranks: below, clicks are too few to tell anything."""


@dataclass(frozen=True, slots=True)
class Click:
    """One document as one reader saw it.

    Args:
        query: What was asked.
        doc_id: What was shown.
        rank: Where, from 1.
        clicked: Whether it was clicked.
        session: Which list it was part of; empty where the log does not say.
    """

    query: str
    doc_id: str
    rank: int
    clicked: bool
    session: str = ""


@dataclass(frozen=True, slots=True)
class PositionCurve:
    """How much each rank is looked at, the first being 1.

    Args:
        values: One a rank, from the first; ranks beyond count as the last. Empty for the power law.
        eta: The power law's exponent: examination is rank to the power of -eta; 0 is no bias.
        clip: A click counts at most so many times what one at the first rank does: what bounds the variance.

    Raises:
        TrainingDataError: a value is outside its range.
    """

    values: tuple[float, ...] = ()
    eta: float = 1.0
    clip: float = 20.0

    def __post_init__(self) -> None:
        if not all(0 < value <= 1 for value in self.values):
            raise TrainingDataError(
                f"examinations are above 0 and at most 1, the first rank's being 1; found {self.values}"
            )
        if not (math.isfinite(self.eta) and self.eta >= 0):
            raise TrainingDataError(f"eta is a number of at least 0, found {self.eta}")
        if not self.clip >= 1:
            raise TrainingDataError(f"clip is at least 1, found {self.clip}")

    def examination(self, rank: int) -> float:
        """Return how much a rank, from 1, is looked at; at least 1 / clip."""
        if self.values:
            looked = self.values[min(rank, len(self.values)) - 1]
        else:
            looked = float(rank) ** -self.eta
        return max(looked, 1.0 / self.clip)


def read_clicks(path: str | Path) -> Iterator[Click]:
    """Yield the rows of a click log: JSON lines, CSV or TSV with query, doc_id, rank, clicked and perhaps session.

    Raises:
        TrainingDataError: the file cannot be read, or a row is not one; names path and line.
    """
    for line, row in read_rows(path):
        rank = number_of(path, line, row, "rank")
        clicked = number_of(path, line, row, "clicked")
        if not (rank >= 1 and rank == int(rank)):
            raise TrainingDataError(
                f"{path}:{line}: rank is a whole number from 1, found {row['rank']!r:.60}"
            )
        if clicked not in (0, 1):
            raise TrainingDataError(f"{path}:{line}: clicked is 0 or 1, found {row['clicked']!r:.60}")
        session = text_of(path, line, row, "session") if row.get("session") not in (None, "") else ""
        query, doc_id = text_of(path, line, row, "query"), text_of(path, line, row, "doc_id")
        yield Click(query, doc_id, int(rank), clicked == 1, session)


def fit_power_law(clicks: Iterable[Click], clip: float = 20.0) -> PositionCurve:
    """Return the power law that fits how clicks on the same document for the same query change with its rank.

    Two ranks are compared by the documents that were seen at both: the logarithm of the Mantel-Haenszel ratio of their
    click rates is -eta times the difference of the ranks' logarithms. eta is the mean over all pairs of ranks, weighted
    by the inverse of each ratio's variance (Greenland and Robins, Biometrics 1985). It holds where documents move for
    reasons other than their worth: swaps at random, several systems, new competitors.

    Raises:
        TrainingDataError: no clicked document was seen at two ranks, so nothing can be told.
    """
    seen: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(dict)
    for click in clicks:
        if click.rank <= MOST_RANKS:
            counts = seen[click.query, click.doc_id].setdefault(click.rank, [0, 0])
            counts[0] += 1
            counts[1] += click.clicked
    sums: dict[tuple[int, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for ranks in seen.values():
        ordered = sorted(ranks.items())
        for at, (high, (n1, x1)) in enumerate(ordered):
            for low, (n0, x0) in ordered[at + 1 :]:
                size = n1 + n0
                pair = sums[high, low]
                pair[0] += x1 * n0 / size
                pair[1] += x0 * n1 / size
                pair[2] += (n1 * n0 * (x1 + x0) - x1 * x0 * size) / size**2
    above = below = 0.0
    for (high, low), (more, less, spread) in sums.items():
        if more > 0 and less > 0:
            weight = more * less / max(spread, 1e-9)
            distance = math.log(low / high)
            above += weight * distance * math.log(more / less)
            below += weight * distance**2
    if below <= 0:
        raise TrainingDataError(
            "no document of this log was clicked at each of two ranks for the same query, so how much a rank is "
            "looked at cannot be told; give a curve, or eta"
        )
    return PositionCurve(eta=min(max(above / below, 0.0), 5.0), clip=clip)


def from_clicks(
    clicks: Iterable[Click], curve: PositionCurve, *, step: float = 0.1, shrink: float = 2.0
) -> Iterator[JudgedQuery]:
    """Yield a judged query for each query that has a click: the grades are debiased click rates.

    A document's rate is its clicks over its exposure, the sum of the examinations where it was shown, drawn to the
    mean rate of the log as if it had been seen `shrink` times more; at most 1, rounded to whole steps. What was never
    clicked has grade 0. Holds counts in memory, a few numbers a pair of query and document.

    Args:
        clicks: The log, in any order.
        curve: How much each rank is looked at.
        step: Rates that are nearer are no evidence: they tie. Above 0, at most 1.
        shrink: Impressions of doubt.
    """
    if not (0 < step <= 1 and shrink >= 0):
        raise TrainingDataError(f"step is above 0 and at most 1, shrink at least 0; found {step}, {shrink}")
    seen: dict[str, dict[str, list[float]]] = {}
    total = exposed = 0.0
    for click in clicks:
        looked = curve.examination(click.rank)
        counts = seen.setdefault(click.query, {}).setdefault(click.doc_id, [0.0, 0.0])
        counts[0] += click.clicked
        counts[1] += looked
        total, exposed = total + click.clicked, exposed + looked
    mean = total / exposed if exposed else 0.0
    for query, documents in seen.items():
        if not any(clicked for clicked, _ in documents.values()):
            continue
        judged = []
        for doc_id, (clicked, exposure) in documents.items():
            rate = min((clicked + shrink * mean) / (exposure + shrink), 1.0)
            grade = max(round(rate / step), 1) * step if clicked else 0.0
            judged.append(JudgedDocument(doc_id, round(min(grade, 1.0), 6)))
        yield JudgedQuery(_name(query), query, tuple(judged), "clicks")


def from_sessions(clicks: Iterable[Click], curve: PositionCurve) -> Iterator[JudgedQuery]:
    """Yield a judged query for each list that has a click: clicked is 1, and counts the inverse of its examination.

    Training on the pairs of clicked and skipped documents, each weighted by the clicked one's weight, is then unbiased
    (Joachims et al., 2017). Streams: the rows of a list (same session, same query) must follow each other.

    Raises:
        TrainingDataError: a row has no session.
    """
    for number, ((session, query), rows) in enumerate(groupby(clicks, lambda row: (row.session, row.query))):
        if not session:
            raise TrainingDataError(
                f"a click on {next(rows).doc_id!r} for {query!r:.80} has no session; without sessions, use rates"
            )
        shown: dict[str, JudgedDocument] = {}
        for row in rows:
            known = shown.get(row.doc_id)
            if row.clicked and (known is None or not known.grade):
                shown[row.doc_id] = JudgedDocument(row.doc_id, 1.0, 1.0 / curve.examination(row.rank))
            elif known is None:
                shown[row.doc_id] = JudgedDocument(row.doc_id, 0.0)
        if any(document.grade for document in shown.values()):
            yield JudgedQuery(f"{_name(query)}-{number}", query, tuple(shown.values()), "clicks")


def _name(query: str) -> str:
    """Return a name for a query that has none: the same text has the same name."""
    return "q" + blake2b(query.encode("utf-8", "replace"), digest_size=6).hexdigest()
