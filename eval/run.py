"""A run: what one system answered to each query, in an order that every tool agrees on.

trec_eval does not believe the order of a file. It sorts by score, as a C float, and equal scores by doc_id
descending; a system that breaks its ties otherwise is measured on a ranking that it never gave. So a `Run`
holds scores that strictly decrease as float32: whatever counts them sees the order that was meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from eval.errors import InvalidEvaluation

Singles: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a document's text; the end is exclusive."""

    doc_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Run:
    """What one system answered.

    Args:
        name: The system's name: a label of tables, and the last column of a run file.
        rankings: Query to documents and their scores, best first; each score is less than the one before it,
            also as float32. `in_given_order` and `in_trec_order` make such a ranking.
        seconds: Query to the seconds that its answer took; empty where nobody measured.
        spans: Query to the passages shown, best first; empty for systems that return whole documents.
    """

    name: str
    rankings: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float] = field(default_factory=dict)
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)

    @classmethod
    def from_scores(cls, name: str, scores: Mapping[str, Mapping[str, float]]) -> Run:
        """Return the run of documents with scores whose order is not known: trec_eval's rule orders them.

        Raises:
            InvalidEvaluation: a score is not a finite number.
        """
        return cls(name, {query: in_trec_order(found) for query, found in scores.items()})

    def __len__(self) -> int:
        """The number of queries."""
        return len(self.rankings)


def in_trec_order(scores: Mapping[str, float]) -> dict[str, float]:
    """Return documents in trec_eval's order: score descending as float32, then doc_id descending, byte by byte.

    Raises:
        InvalidEvaluation: a score is not a finite number.
    """
    singles = _singles(scores.values())
    names = list(scores)
    order = np.argsort(-singles, kind="stable")
    ordered = singles[order]
    if len(ordered) > 1 and bool(np.any(ordered[1:] == ordered[:-1])):
        encoded = [name.encode("utf-8", "surrogatepass") for name in names]
        values = singles.tolist()
        places = sorted(range(len(names)), key=lambda at: (values[at], encoded[at]), reverse=True)
        return in_given_order((names[at], values[at]) for at in places)
    return dict(zip((names[at] for at in order.tolist()), ordered.tolist(), strict=True))


def in_given_order(ranked: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return documents in the order given, each score lowered to below the one before it where it is not.

    A score is changed by as little as float32 can hold, and only in ties or where the order disagrees.

    Raises:
        InvalidEvaluation: a score is not a finite number, or a document comes twice.
    """
    pairs = list(ranked)
    singles = _singles(score for _, score in pairs)
    if len(singles) > 1 and not bool(np.all(singles[1:] < singles[:-1])):
        singles = _decreasing(singles)
    ranking = dict(zip((doc_id for doc_id, _ in pairs), singles.tolist(), strict=True))
    if len(ranking) != len(pairs):
        seen: set[str] = set()
        twice = next(doc_id for doc_id, _ in pairs if doc_id in seen or seen.add(doc_id))  # type: ignore[func-returns-value]
        raise InvalidEvaluation(
            f"document {twice!r} comes twice in one ranking; a run has each document once"
        )
    return ranking


def _decreasing(singles: Singles) -> Singles:
    """Return scores lowered by as few float32s as make them decrease; raised only at the lower end of all float32s.

    Finite float32s, in order, are the whole numbers from -0x7F7FFFFF to 0x7F7FFFFF, both zeros being 0. As such a
    score is at most its predecessor's minus 1: with the place added to each, a running minimum.
    """
    bits = singles.view(np.int32).astype(np.int64)
    steps = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    places = np.arange(len(steps))
    steps = np.minimum.accumulate(steps + places) - places
    steps = np.maximum(steps, places[::-1] - 0x7F7FFFFF)
    negative = steps < 0
    return np.where(negative, -steps | 0x80000000, steps).astype(np.uint32).view(np.float32)


def _singles(scores: Iterable[float]) -> Singles:
    with np.errstate(over="ignore", under="ignore"):
        singles = np.fromiter(scores, dtype=np.float64).astype(np.float32)
    if not bool(np.isfinite(singles).all()):
        raise InvalidEvaluation(
            "a score is not a finite number as float32 (NaN, infinite, or beyond 3.4e38); scale the scores down"
        )
    return singles
