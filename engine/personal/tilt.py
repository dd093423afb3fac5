"""What a reader's interests add to the documents of one list, and which documents may join it for their sake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from engine.fusion import Floats
from engine.interest_term import InterestTerm, Scored
from engine.ledger import Because
from engine.personal.gate import gate, nearness
from engine.personal.interests import Interests, Points
from engine.personal.pairs import Pairs, Together, against, pairs_of
from engine.personal.settings import PersonalSettings
from indexer.encoding import Vectors
from indexer.protocol import IndexReader, Numbers, Selection

NEAREST = 3
"""The interest in a document is made of so many points of the past, and so many are named as its reasons."""
_INTERESTS = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Tilt:
    """One reader's interests, ready for a query: an `engine.interest_term.Inclination`.

    Args:
        interests: What they like and dislike.
        settings: How much that counts.
        strength: What the query multiplies it by.
        together: What other readers read together with it; None where nothing was learnt.
        proposed: What `propose` gives without a selection; None for not known yet.
    """

    interests: Interests
    settings: PersonalSettings
    strength: float = 1.0
    together: Together | None = None
    proposed: Numbers | None = None

    @property
    def silent(self) -> bool:
        """Whether there is nothing that could change a list."""
        interests = self.interests
        return interests.evidence <= 0 and not interests.disliked.names and not self.left_out

    @property
    def depth(self) -> int:
        """How many documents of the list get a term of their own."""
        return self.settings.depth

    @property
    def left_out(self) -> frozenset[str]:
        """Ids of documents that are not to be in this reader's list."""
        return self.interests.hidden | (self.interests.met if self.settings.read == "hide" else frozenset())

    def proposals(self, reader: IndexReader, selection: Selection | None) -> Numbers:
        """Return the documents that the interests are nearest to, among those that may answer, none of them met."""
        if selection is None and self.proposed is not None:
            return self.proposed
        most, interests = self.settings.proposals, self.interests
        heard = [interest for interest in interests.likes if interest.weight > 0][:_INTERESTS]
        if not most or not heard:
            return np.zeros(0, dtype=np.int64)
        near = [reader.dense(interest.vector, 2 * most, selection).documents for interest in heard]
        found = np.unique(np.concatenate([*near, self._met_together(reader, selection)]))
        names = reader.doc_ids(found)
        new = np.array([name not in interests.met for name in names], dtype=np.bool_)
        found, names = found[new], [name for name in names if name not in interests.met]
        values = self.interest(reader, names, reader.document_vectors(found))[0]
        return found[np.lexsort((found, -np.round(values, 6)))][:most]

    def _met_together(self, reader: IndexReader, selection: Selection | None) -> Numbers:
        """Return the documents that other readers met together with those of the past, among those that may answer."""
        if self.together is None or self.settings.together <= 0:
            return np.zeros(0, dtype=np.int64)
        names = self.together.best(self.interests.points.weights, 4 * self.settings.proposals)
        numbers = reader.find_all(names)
        there = [number >= 0 and (selection is None or number in selection) for number in numbers.tolist()]
        return numbers[np.array(there, dtype=np.bool_)]

    def term(self, reader: IndexReader, scored: Scored) -> InterestTerm | None:
        """Return what the interests add to these documents' scores; None when they have no say in this query."""
        if self.interests.evidence <= 0 and not self.interests.disliked.names:
            return None
        vectors = reader.document_vectors(scored.documents)
        interest, liked, disliked = self.interest(reader, scored.doc_ids, vectors)
        counts = (
            gate(interest, self.interests.points, scored) if self.settings.interests == "several" else 1.0
        )
        raw = counts * interest
        if self.together is not None and self.settings.interests == "several":
            raw = raw * nearness(scored)
        raw = raw - self.settings.dislikes * against(disliked)
        values = self.strength * self.settings.weight * raw
        if self.settings.read == "lower":
            met = [doc_id in self.interests.met for doc_id in scored.doc_ids]
            values = np.where(met, values.min(), values)

        def because(place: int) -> tuple[Because, ...]:
            return self._because(liked if counts > 0 else None, disliked, place)

        return InterestTerm(values, raw, because)

    def interest(
        self, reader: IndexReader, doc_ids: Sequence[str], vectors: Vectors
    ) -> tuple[Floats, Pairs, Pairs]:
        """Return the interest in each document, whatever the query, shape (n,); the pairs with likes and dislikes."""
        centre = reader.document_centre()
        points = self.interests.points
        liked = pairs_of(points, doc_ids, vectors, centre, self.together)
        disliked = pairs_of(self.interests.disliked, doc_ids, vectors, centre, None)
        if self.settings.interests == "mean":
            weights = np.array([one.weight for one in self.interests.likes])
            middles = np.stack([one.vector for one in self.interests.likes])
            return weights @ (middles @ vectors.T).astype(np.float64).round(6), liked, disliked
        share = self._shares(points)[:, None]
        value = highest(share * liked.near).sum(axis=0) / NEAREST
        return value + self.settings.together * np.sqrt((share * liked.together).sum(axis=0)), liked, disliked

    def _shares(self, points: Points) -> Floats:
        """Return what each point counts beside the heaviest, 0 to 1, shape (p,)."""
        heaviest = float(points.weights.max(initial=0.0))
        return points.weights / heaviest if heaviest > 0 else points.weights

    def _because(self, liked: Pairs | None, disliked: Pairs, place: int) -> tuple[Because, ...]:
        """Return the points that say most for the document at a place, and one that says most against it."""
        reasons = [] if liked is None else self._for(liked, place)
        if self.settings.dislikes > 0 and against(disliked)[place] > 0:
            worst = int(np.argmax(np.round(disliked.near[:, place], 6)))
            reason = self._reason(self.interests.disliked, worst, False, disliked, place)
            reasons.append(replace(reason, value=-abs(reason.value)))
        return tuple(reasons)

    def _for(self, liked: Pairs, place: int) -> list[Because]:
        share = self._shares(self.interests.points)
        near = share * np.maximum(liked.near[:, place], 0.0) / NEAREST
        met = share * liked.together[:, place]
        total = float(met.sum())
        both = self.settings.together * np.sqrt(total) * met / total if total > 0 else met
        order = np.argsort(-np.round(near + both, 6), kind="stable")[:NEAREST]
        return [
            self._reason(self.interests.points, int(at), bool(both[at] > near[at]), liked, place)
            for at in order
            if near[at] + both[at] > 0
        ]

    def _reason(self, points: Points, at: int, together: bool, pairs: Pairs, place: int) -> Because:
        kind, seconds = points.kinds[at], float(points.at[at])
        source: Literal["near", "together", "declared"] = "together" if together else "near"
        return Because(
            doc_id=points.names[at] if kind else "",
            title="" if kind else points.names[at],
            source=source if kind else "declared",
            value=round(float((pairs.together if together else pairs.cosines)[at, place]), 5),
            weight=round(float(points.weights[at]), 5),
            kind=kind,
            at=None if seconds != seconds else _EPOCH + timedelta(seconds=seconds),
        )


def highest(values: Floats, most: int = NEAREST) -> Floats:
    """Return the `most` highest values of each column, in any order; all where there are fewer."""
    return values if len(values) <= most else np.partition(values, len(values) - most, axis=0)[-most:]
