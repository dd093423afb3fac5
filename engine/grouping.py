"""Passages' scores to documents' scores: the best (`max`), or the `mean` or `sum` of the best few."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.fusion import Floats, Fused, Ranks
from engine.settings import Grouping
from indexer.protocol import Numbers


@dataclass(frozen=True, slots=True)
class Groups:
    """Documents, and where their passages stand.

    Args:
        documents: Document numbers, shape (m,), no repeats, best first, ties by number.
        fused: What passages bring to the documents' scores, in two parts, each of shape (m,).
        whole: What the document as a whole brings to its score, shape (m,).
        rows: Rows of the pool, shape (n,), ordered by document as above, then by score descending, then by
            `ties`, then by passage number.
        starts: Document i has `rows[starts[i]:starts[i + 1]]`; shape (m + 1,).
    """

    documents: Numbers
    fused: Fused
    whole: Floats
    rows: Ranks
    starts: Ranks

    @property
    def scores(self) -> Floats:
        """The documents' scores, shape (m,)."""
        return self.fused.scores + self.whole


def group(
    passages: Numbers,
    documents: Numbers,
    fused: Fused,
    how: Grouping = "max",
    top: int = 3,
    whole: Floats | None = None,
    ties: Floats | None = None,
) -> Groups:
    """Return the documents of a pool of passages with their scores.

    Args:
        passages: Passage numbers, shape (n,), no repeats.
        documents: The document of each, shape (n,).
        fused: The scores of each.
        how: `max`, `mean` or `sum`.
        top: How many of a document's passages `mean` and `sum` look at; a document of fewer is averaged over
            those that it has.
        whole: What is added to the documents' scores, in the order of their numbers, shape (m,); None for nothing.
        ties: Of passages of equal scores the one of the higher value here comes first, shape (n,).
    """
    scores = fused.scores
    second = np.zeros_like(scores) if ties is None else ties
    order = np.lexsort((passages, -second, -scores, documents))
    names, first, counts = np.unique(documents[order], return_index=True, return_counts=True)
    if how == "max":
        words, meaning = fused.words[order][first], fused.meaning[order][first]
    else:
        place = np.arange(len(order)) - np.repeat(first, counts)
        kept = np.where(place < top, 1.0, 0.0)
        if how == "mean":
            kept /= np.repeat(np.minimum(counts, top), counts)
        words, meaning = (
            np.add.reduceat(part[order] * kept, first) if len(first) else part[order]
            for part in (fused.words, fused.meaning)
        )
    added = np.zeros(len(names)) if whole is None else whole
    best = np.lexsort((names, -(words + meaning + added)))
    rows = [order[first[i] : first[i] + counts[i]] for i in best]
    return Groups(
        documents=names[best],
        fused=Fused(words[best], meaning[best]),
        whole=added[best],
        rows=np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64),
        starts=np.concatenate([[0], np.cumsum(counts[best])]).astype(np.int64),
    )
