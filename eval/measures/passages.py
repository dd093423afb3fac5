"""Measures of passages against evidence: were the right characters shown, not only the right documents?

All of them see characters, not documents: a span is the set of pairs of a document and an offset that it covers, and
several spans are the union of theirs. So nothing depends on how a system cuts its passages, evidence may lie in
several documents, and text shown twice counts once. They cover the queries that have evidence, which they need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from eval.errors import InvalidEvaluation
from eval.measures.measure import Averaged, Known, OwnMeasure, written
from eval.run import Span

Covered: TypeAlias = dict[str, list[tuple[int, int]]]
"""Document to intervals in order that neither overlap nor touch."""


@dataclass(frozen=True, slots=True)
class SpanRecall(Averaged):
    """|shown ∩ evidence| / |evidence|: the share of the evidence's characters that the first k spans show."""

    cutoff: int | None = None

    def __str__(self) -> str:
        return written("SpanRecall", self.cutoff)

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the share of each query that has evidence."""
        return {
            query: common(union(shown), right) / size(right)
            for query, shown, right in _with_evidence(self, known, self.cutoff)
        }


@dataclass(frozen=True, slots=True)
class SpanIoU(Averaged):
    """|shown ∩ evidence| / |shown ∪ evidence|, in characters, of the first k spans: text shown in vain costs too."""

    cutoff: int | None = None

    def __str__(self) -> str:
        return written("SpanIoU", self.cutoff)

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the share of each query that has evidence."""
        values = {}
        for query, shown, right in _with_evidence(self, known, self.cutoff):
            seen = union(shown)
            both = common(seen, right)
            values[query] = both / (size(seen) + size(right) - both)
        return values


@dataclass(frozen=True, slots=True)
class SpanRR(Averaged):
    """1 / the rank of the first span that shares a character with evidence; 0 where none does (of the first k)."""

    cutoff: int | None = None

    def __str__(self) -> str:
        return written("SpanRR", self.cutoff)

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the reciprocal rank of each query that has evidence."""
        return {
            query: next(
                (1 / rank for rank, span in enumerate(shown, 1) if common(union([span]), right)),
                0.0,
            )
            for query, shown, right in _with_evidence(self, known, self.cutoff)
        }


def union(spans: Iterable[Span]) -> Covered:
    """Return which characters the spans cover."""
    by_document: dict[str, list[tuple[int, int]]] = {}
    for span in spans:
        if span.end > span.start:
            by_document.setdefault(span.doc_id, []).append((span.start, span.end))
    covered: Covered = {}
    for doc_id, intervals in by_document.items():
        merged: list[tuple[int, int]] = []
        for start, end in sorted(intervals):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        covered[doc_id] = merged
    return covered


def size(covered: Covered) -> int:
    """Return how many characters are covered."""
    return sum(end - start for intervals in covered.values() for start, end in intervals)


def common(left: Covered, right: Covered) -> int:
    """Return how many characters both cover."""
    total = 0
    for doc_id in left.keys() & right.keys():
        ours, theirs = left[doc_id], right[doc_id]
        i = j = 0
        while i < len(ours) and j < len(theirs):
            total += max(0, min(ours[i][1], theirs[j][1]) - max(ours[i][0], theirs[j][0]))
            if ours[i][1] <= theirs[j][1]:
                i += 1
            else:
                j += 1
    return total


def _with_evidence(
    measure: OwnMeasure, known: Known, cutoff: int | None
) -> Iterator[tuple[str, Sequence[Span], Covered]]:
    """Yield each judged query that has evidence, with the spans shown and the characters that are right."""
    evidence = {
        query: union(spans)
        for query, spans in known.judgements.evidence.items()
        if query in known.judgements.qrels
    }
    evidence = {query: covered for query, covered in evidence.items() if covered}
    if not evidence:
        raise InvalidEvaluation(
            f"{measure} needs spans of evidence, and the judgements hold none; a collection gives them in spans.jsonl"
        )
    if known.run.rankings and not known.run.spans:
        raise InvalidEvaluation(
            f"{measure} needs the passages that were shown, and the run {known.run.name!r} holds none; runs in .jsonl "
            "keep them"
        )
    for query, right in evidence.items():
        yield query, known.run.spans.get(query, ())[:cutoff], right
