"""What documents are worth to a reader when no query says what is wanted: all of the past counts.

    worth(d) = Σ share(h) · (max(0, near(h, d))² + 5 · together(h, d))   over what the reader met and declared, h
               - dislikes · max(0, near(x, d))²                          for the nearest x of what they dislike

near(h, d) is the product of both vectors less the centre of the index, as in personal search; together(h, d) is how
often readers of h read d (`engine.personal.coreading`). A muted interest has no share.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from engine.fusion import Floats
from engine.ledger import DECIMALS, Because
from engine.personal.interests import Interests, Points
from engine.personal.together import Neighbours
from indexer.encoding import Vectors
from indexer.protocol import IndexReader, Numbers, Selection

TOGETHER = 5.0
"""What it counts that readers of one document read the other, beside the square of how near they are."""
REASONS = 3
_INTERESTS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """Documents that go with a reader's interests, and why; n of them, in no particular order.

    Args:
        interests: The reader's.
        documents: Their numbers, shape (n,).
        doc_ids: Their ids.
        vectors: Their vectors, shape (n, dim).
        values: What they are worth, shape (n,).
        near: What nearness to each of the p points of the past adds, shape (p, n).
        together: What it adds that readers of each point read them, shape (p, n).
    """

    interests: Interests
    documents: Numbers
    doc_ids: Sequence[str]
    vectors: Vectors
    values: Floats
    near: Floats
    together: Floats

    def interest(self, column: int) -> str:
        """Return the name of the interest that adds most to a document."""
        parts = self.near[:, column] + self.together[:, column]
        totals = np.bincount(self.interests.points.interest, parts, minlength=len(self.interests.likes))
        return self.interests.likes[int(np.argmax(totals.round(9)))].name

    def because(self, column: int) -> tuple[Because, ...]:
        """Return what in the past adds most to a document, the weightiest first."""
        points = self.interests.points
        near, together = self.near[:, column], self.together[:, column]
        order = np.argsort(-(near + together).round(9), kind="stable")[:REASONS].tolist()
        return tuple(
            self._reason(points, row, column, bool(together[row] > near[row]))
            for row in order
            if near[row] + together[row] > 0
        )

    def _reason(self, points: Points, row: int, column: int, together: bool) -> Because:
        if together:
            value = float(self.together[row, column]) / TOGETHER / float(points.weights[row])
            return points.because(row, "together", value)
        return points.because(row, "near", float(points.vectors[row] @ self.vectors[column]))


def worth(
    reader: IndexReader,
    interests: Interests,
    others: Neighbours | None,
    dislikes: float,
    depth: int,
    left_out: Collection[str],
    selection: Selection | None,
) -> Worth:
    """Return the documents that a reader's interests propose, and what each is worth.

    Args:
        reader: The index.
        interests: What the reader likes and dislikes.
        others: What other readers read together with the documents among their points, in the order of these; None
            where nothing was learnt.
        dislikes: How much dislikes take.
        depth: How many passages each interest proposes, and how many documents other readers' reading.
        left_out: Ids of documents that are not to be among them.
        selection: Which documents may be; None for all.
    """
    documents = _proposed(reader, interests, others, depth, selection)
    names = reader.doc_ids(documents)
    new = [at for at, name in enumerate(names) if name not in left_out]
    documents, names = documents[new], [names[at] for at in new]
    vectors = reader.document_vectors(documents)
    centre = reader.document_centre()
    shares = interests.points.weights[:, None]
    near = shares * _nearness(interests.points, names, vectors, centre)
    together = np.zeros_like(near)
    if others is not None:
        likeness = others.likeness(names)
        together[: len(likeness)] = TOGETHER * shares[: len(likeness)] * likeness
    against = _nearness(interests.disliked, names, vectors, centre).max(axis=0, initial=0.0)
    values = near.sum(axis=0) + together.sum(axis=0) - dislikes * against
    return Worth(interests, documents, names, vectors, values.round(DECIMALS), near, together)


def _nearness(points: Points, names: Sequence[str], vectors: Vectors, centre: Vectors) -> Floats:
    """Return the squares of how near points are to documents, shape (p, n); a document is not near itself."""
    near = ((points.vectors - centre) @ (vectors - centre).T).astype(np.float64).round(6)
    near[:, ~vectors.any(axis=1)] = 0.0
    place = {name: row for row, name in enumerate(points.names) if points.kinds[row]}
    for column, name in enumerate(names):
        if name in place:
            near[place[name], column] = 0.0
    return np.square(np.maximum(near, 0.0))


def _proposed(
    reader: IndexReader,
    interests: Interests,
    others: Neighbours | None,
    depth: int,
    selection: Selection | None,
) -> Numbers:
    """Return the documents nearest to each interest, and those that readers of the past read besides."""
    heard = [interest for interest in interests.likes if interest.weight > 0][:_INTERESTS]
    found = []
    if heard:
        vectors = np.stack([interest.vector for interest in heard])
        found = [near.documents for near in reader.dense_each(vectors, depth, selection)]
    if others is not None:
        numbers = reader.find_all(others.best(interests.points.weights[: len(others.asked)], depth))
        found.append(numbers[numbers >= 0 if selection is None else selection.holds(numbers)])
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *found]))
