"""How much interests have to do with a query: a reader's past counts where the query leaves something to be said.

    gate    = brevity · √(near · agree), at most 1.4
    near    = the highest score that a point of the past has in this list, over that of the first document, 0 to 1
    agree   = 5 · the mean interest in the first ten documents of the list, 0 at least
    brevity = 1 / max(terms - 1, 1)³

A past that has nothing to do with what is asked for leaves the list nearly as it was, and so does somebody else's. A
question of many words says by itself what it is about: of three terms an eighth is left, of four a twenty-seventh.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.fusion import Floats, normal_dense
from engine.interest_term import Scored
from engine.personal.interests import Points

FIRST = 10
"""So many documents at the head of a list say what it is about."""
MOST = 1.4
"""However well they go together: what a past of hundreds of documents adds to a score has to have an end."""
_AGREEMENT = 5.0
_FLOOR = 0.3


def gate(interest: Floats, points: Points, place: Mapping[str, int], scored: Scored) -> float:
    """Return how much interests count in this list: 0 for not at all, about 1 where they go well with the query.

    Args:
        interest: In each document that was scored, whatever the query, shape (n,).
        points: What it rests on.
        place: Documents among the points, by id.
        scored: The list without interests.
    """
    head = interest[: min(FIRST, scored.listed)]
    agree = _AGREEMENT * max(float(head.mean()), 0.0) if len(head) else 0.0
    brevity = 1.0 / max(scored.terms - 1, 1) ** 3
    return min(brevity * float(np.sqrt(_near(points, place, scored) * agree)), MOST)


def _near(points: Points, place: Mapping[str, int], scored: Scored) -> float:
    """Return the highest score of a point that counts, over that of the first document.

    A document of the past that is not in the list has the score that its own vector would give it, without words; an
    interest that was declared has what its likeness to the query is, on the scale of fusion.
    """
    first = float(scored.scores[0])
    if first <= 0:
        return 0.0
    near = np.zeros(len(points.names))
    if scored.vector is not None:
        cosines = (points.vectors @ scored.vector).astype(np.float64).round(6)
        documents = np.arange(len(near)) < len(place)  # what was declared comes after them
        near = normal_dense(cosines, scored.bounds) * np.where(documents, scored.alpha / first, 1.0)
    for doc_id, score in zip(scored.doc_ids[: scored.listed], scored.scores.tolist(), strict=False):
        if doc_id in place:
            near[place[doc_id]] = score / first
    return min(max(float(near[points.weights > 0].max(initial=0.0)), 0.0), 1.0)


def nearness(scored: Scored) -> Floats:
    """Return by how much each document's interest counts for what the document itself has to do with the query."""
    first = float(scored.scores[0]) + _FLOOR
    if first <= 0:
        return np.zeros_like(scored.scores)
    return np.sqrt(np.maximum((scored.scores + _FLOOR) / first, 0.0))
