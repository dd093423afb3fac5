"""What a reader's interests add to the documents of one list, and which documents may join it for their sake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.fusion import Floats
from engine.interest_term import InterestTerm, Scored
from engine.ledger import Because
from engine.personal.gate import gate, nearness
from engine.personal.interests import Interests, Points
from engine.personal.near import NEAREST, Near, against, near_to, nearest
from engine.personal.settings import PersonalSettings
from engine.personal.shared import Shared, shared_by
from engine.personal.together import Neighbours
from indexer.encoding import Vectors
from indexer.protocol import IndexReader, Numbers, Selection

REASONS = 3
_PROPOSING = 8


@dataclass(frozen=True, slots=True, eq=False)
class Tilt:
    """One reader's interests, ready for a query: an `engine.interest_term.Inclination`. Made by `tilt_of`.

    Args:
        interests: What they like and dislike.
        settings: How much that counts.
        liked: What they like, ready to be compared.
        disliked: What they dislike.
        shared: What other readers read together with it; None where nothing was learnt.
        strength: What the query multiplies it by.
        proposed: What `proposals` gives without a selection; None for not known yet.
    """

    interests: Interests
    settings: PersonalSettings
    liked: Near
    disliked: Near
    shared: Shared | None
    strength: float = 1.0
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
        most, met = self.settings.proposals, self.interests.met
        heard = [interest for interest in self.interests.likes if interest.weight > 0][:_PROPOSING]
        if not most or not heard:
            return np.zeros(0, dtype=np.int64)
        vectors = np.stack([interest.vector for interest in heard])
        near = [found.documents for found in reader.dense_each(vectors, 2 * most, selection)]
        found = np.unique(np.concatenate([*near, self._read_together(reader, selection)]))
        names = reader.doc_ids(found)
        new = [at for at, name in enumerate(names) if name not in met]
        found, names = found[new], [names[at] for at in new]
        values, _ = self.interest(names, reader.document_vectors(found))
        return found[np.lexsort((found, -values))][:most]

    def _read_together(self, reader: IndexReader, selection: Selection | None) -> Numbers:
        """Return the documents that others read most together with the past, among those that may answer."""
        if self.shared is None or self.settings.together <= 0:
            return np.zeros(0, dtype=np.int64)
        names = self.shared.near.best(self.shared.shares, 4 * self.settings.proposals)
        numbers = reader.find_all(names)
        return numbers[numbers >= 0 if selection is None else selection.holds(numbers)]

    def term(self, reader: IndexReader, scored: Scored) -> InterestTerm | None:
        """Return what the interests add to these documents' scores; None when they have no say in this query."""
        if self.interests.evidence <= 0 and not self.interests.disliked.names:
            return None
        vectors = reader.document_vectors(scored.documents)
        raw, near = self.interest(scored.doc_ids, vectors)
        counts = 1.0
        if self.settings.interests == "several":
            counts = gate(raw, self.interests.points, self.liked.place, scored)
            raw = counts * raw * (nearness(scored) if self._sharing else 1.0)
        off = self.disliked.to(scored.doc_ids, vectors)
        raw = raw - self.settings.dislikes * against(off)
        values = self.strength * self.settings.weight * raw
        if self.settings.read == "lower":
            met = [doc_id in self.interests.met for doc_id in scored.doc_ids]
            values, raw = np.where(met, values.min(), values), np.where(met, np.nan, raw)

        def because(place: int) -> tuple[Because, ...]:
            reasons = self._for(scored.doc_ids[place], near[place], vectors[place]) if counts > 0 else []
            return (*reasons, *self._against(off[place : place + 1], vectors[place]))

        return InterestTerm(values, raw, because)

    def interest(self, doc_ids: Sequence[str], vectors: Vectors) -> tuple[Floats, Vectors]:
        """Return the interest in each document, whatever the query, shape (n,), and how near each point is, (n, p).

        Args:
            doc_ids: The documents.
            vectors: Their unit vectors, shape (n, dim).
        """
        near = self.liked.to(doc_ids, vectors)
        if self.settings.interests == "mean":
            weights = np.array([one.weight for one in self.interests.likes])
            middles = np.stack([one.vector for one in self.interests.likes])
            return np.round(weights @ (middles @ vectors.T).astype(np.float64), 6), near
        value = nearest(near)
        if self.shared is not None and self._sharing:
            value = value + self.settings.together * self.shared.with_(doc_ids)
        return value, near

    @property
    def _sharing(self) -> bool:
        several = self.settings.interests == "several"
        return several and self.shared is not None and bool(self.shared.total) and self.settings.together > 0

    def _for(self, doc_id: str, near: Vectors, vector: Vectors) -> list[Because]:
        """Return the points that say most for a document."""
        points = self.interests.points
        content = np.maximum(near.astype(np.float64), 0.0) / NEAREST
        both = np.zeros_like(content)
        if self.shared is not None and self._sharing and doc_id in self.shared.total:
            parts = self.shared.parts(doc_id)
            both[: len(parts)] = self.settings.together * parts
        order = np.argsort(-np.round(content + both, 6), kind="stable")[:REASONS]
        reasons = []
        for at in order.tolist():
            if content[at] + both[at] > 0:
                if both[at] > content[at]:
                    reasons.append(points.because(at, "together", float(both[at])))
                else:
                    own = self.liked.place.get(doc_id) == at
                    value = float(points.vectors[at] @ vector)
                    reasons.append(points.because(at, "own" if own else "near", value))
        return reasons

    def _against(self, near: Vectors, vector: Vectors) -> list[Because]:
        """Return what says most against a document, where something does."""
        if self.settings.dislikes <= 0 or against(near)[0] <= 0:
            return []
        points, worst = self.interests.disliked, int(np.argmax(np.round(near[0], 6)))
        return [points.because(worst, "near", -abs(float(points.vectors[worst] @ vector)))]


def tilt_of(
    interests: Interests, settings: PersonalSettings, reader: IndexReader, near: Neighbours | None
) -> Tilt:
    """Return interests ready for queries of an index, with what they propose to any query.

    Args:
        interests: What a reader likes and dislikes.
        settings: How much that counts.
        reader: The index.
        near: What others read together with the documents among `interests.points`, in their order; None where nothing
            was learnt.
    """
    centre = reader.document_centre()
    shares = shares_of(interests.points)
    tilt = Tilt(
        interests,
        settings,
        near_to(interests.points, shares, centre),
        near_to(interests.disliked, np.ones(len(interests.disliked.names)), centre),
        None if near is None else shared_by(near, shares[: len(near.asked)]),
    )
    return replace(tilt, proposed=tilt.proposals(reader, None))


def shares_of(points: Points) -> Floats:
    """Return what each point counts beside the heaviest, 0 to 1, shape (p,)."""
    heaviest = float(points.weights.max(initial=0.0))
    return points.weights / heaviest if heaviest > 0 else points.weights
