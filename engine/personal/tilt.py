"""What a reader's interests add to the documents of one list, and which documents may join it for their sake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from engine.fusion import Floats
from engine.interest_term import InterestTerm, Scored
from engine.ledger import Because
from engine.personal.interests import Interests, Points
from engine.personal.settings import PersonalSettings
from indexer.encoding import Vectors
from indexer.protocol import IndexReader, Numbers, Selection

REASONS = 3
"""So many documents of the past are named for each result."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Tilt:
    """One reader's interests, ready for a query: an `engine.interest_term.Inclination`.

    Args:
        interests: What they like and dislike.
        settings: How much that counts.
        strength: What the query multiplies it by.
    """

    interests: Interests
    settings: PersonalSettings
    strength: float

    @property
    def depth(self) -> int:
        """How many documents of the list get a term of their own."""
        return self.settings.depth

    @property
    def left_out(self) -> frozenset[str]:
        """Ids of documents that are not to be in this reader's list."""
        return self.interests.hidden | (self.interests.met if self.settings.read == "hide" else frozenset())

    def proposals(self, reader: IndexReader, selection: Selection | None) -> Numbers:
        """Return the documents that the interests are nearest to, among those that may answer."""
        most = self.settings.proposals
        numbers = [np.zeros(0, dtype=np.int64)]
        for interest in self.interests.likes[:8]:
            if interest.weight > 0 and most:
                numbers.append(reader.dense(interest.vector, 2 * most, selection).documents)
        found = np.unique(np.concatenate(numbers))
        if not len(found):
            return found
        values = self._content(reader.document_vectors(found), ["" for _ in found])[0]
        met = self.interests.met
        best = found[np.lexsort((found, -np.round(values, 6)))][: most + len(met)]
        names = reader.doc_ids(best)
        return best[[name not in met for name in names]][:most]

    def term(self, reader: IndexReader, scored: Scored) -> InterestTerm | None:
        """Return what the interests add to these documents' scores; None when they have no say in this query."""
        if self.interests.evidence <= 0 and not self.interests.disliked.names:
            return None
        vectors = reader.document_vectors(scored.documents)
        raw, cosines, against = self._content(vectors, scored.doc_ids)
        shrunk = self.interests.evidence / (self.interests.evidence + self.settings.evidence)
        values = self.strength * self.settings.weight * shrunk * raw
        if self.settings.read == "lower":
            met = [doc_id in self.interests.met for doc_id in scored.doc_ids]
            values = np.where(met, values.min(), values)

        def because(place: int) -> tuple[Because, ...]:
            return self._because(cosines[place], against[place])

        return InterestTerm(values, raw, because)

    def _content(self, vectors: Vectors, doc_ids: Sequence[str]) -> tuple[Floats, Floats, Floats]:
        """Return each document's interest, and its cosines with every point, liked and disliked."""
        points, disliked = self.interests.points, self.interests.disliked
        cosines = np.einsum("id,jd->ij", vectors, points.vectors).astype(np.float64)
        against = np.einsum("id,jd->ij", vectors, disliked.vectors).astype(np.float64)
        raw = (cosines * points.weights).max(axis=1, initial=0.0) / max(points.weights.max(initial=0.0), 1e-9)
        raw -= self.settings.dislikes * np.maximum(against, 0.0).max(axis=1, initial=0.0)
        return raw, cosines, against

    def _because(self, cosines: Floats, against: Floats) -> tuple[Because, ...]:
        points = self.interests.points
        order = np.lexsort((np.arange(len(cosines)), -np.round(cosines * (points.weights > 0), 6)))[:REASONS]
        reasons = [_reason(points, int(at), float(cosines[at])) for at in order if points.weights[at] > 0]
        return tuple(reasons)


def _reason(points: Points, at: int, value: float) -> Because:
    name, kind = points.names[at], points.kinds[at]
    declared = not kind
    seconds = float(points.at[at])
    source: Literal["near", "declared"] = "declared" if declared else "near"
    return Because(
        doc_id="" if declared else name,
        title=name if declared else "",
        source=source,
        value=round(value, 5),
        weight=round(float(points.weights[at]), 5),
        kind=kind,
        at=None if seconds != seconds else _EPOCH + timedelta(seconds=seconds),
    )
