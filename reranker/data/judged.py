"""What is known before mining: `JudgedQuery`, and how qrels become some.

Every source of training data yields these. A document's text may come with the judgement (triples, sections), or
be looked up by its id when negatives are mined.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reranker.errors import TrainingDataError
from reranker.pairs import PassageText

Shown: TypeAlias = Literal["all", "parents", "text"]
"""What passages show of where they stand: title and all headings; not the innermost heading; or nothing."""


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """What is known of one document for one query.

    Args:
        doc_id: The document.
        grade: How good it is, at least 0; 0 is judged and not relevant.
        weight: What this judgement counts, at least 0.
        passage: What is to be read of it; None where it is to be looked up.
        ordinal: Which of its passages in the index is meant; None for the best one for the query.

    Raises:
        TrainingDataError: grade or weight is negative, or no finite number.
    """

    doc_id: str
    grade: float
    weight: float = 1.0
    passage: PassageText | None = None
    ordinal: int | None = None

    def __post_init__(self) -> None:
        for name in ("grade", "weight"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise TrainingDataError(
                    f"document {self.doc_id!r}: {name} must be a number of at least 0, found {value!r}"
                )


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and the documents that are known to answer it, or not to.

    Args:
        query_id: Its name.
        query: What is asked; empty where it is unknown, which `check_judged` reports.
        judged: In no particular order; a document may come twice with different passages.
        source: Where it comes from, as reports group it.
        shown: What passages may show of where they stand: where a heading is the query, it must not stand above
            the answer, nor may passages be told apart by showing more than the others.
        probe: A text whose neighbours are hard negatives: the positive's own, where the query is only its heading.
    """

    query_id: str
    query: str
    judged: tuple[JudgedDocument, ...]
    source: str = ""
    shown: Shown = "all"
    probe: str = ""

    @property
    def positives(self) -> tuple[JudgedDocument, ...]:
        """Those of a grade above 0."""
        return tuple(document for document in self.judged if document.grade > 0)

    @property
    def weighted(self) -> bool:
        """Whether any judgement counts other than 1."""
        return any(document.weight != 1.0 for document in self.judged)


def from_qrels(
    topics: Mapping[str, str], qrels: Mapping[str, Mapping[str, float]], source: str = "qrels"
) -> Iterator[JudgedQuery]:
    """Yield the queries that have judgements, in the order of `qrels`.

    Args:
        topics: Query id to text. A judged query that is not among them is yielded without text.
        qrels: Query id to document id to grade; grades below 0 count as 0.
        source: The collection's name.
    """
    for query_id, grades in qrels.items():
        judged = tuple(JudgedDocument(doc_id, max(float(grade), 0.0)) for doc_id, grade in grades.items())
        yield JudgedQuery(query_id, topics.get(query_id, ""), judged, source)
