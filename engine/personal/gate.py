"""How much interests have to do with a query: a reader's past counts where it has something to say on the subject.

    gate = √(near · agree)
    near = the highest score that a point of the past has in this list, over that of the first document, 0 to 1
    agree = 5 · the mean interest in the first ten documents of the list, 0 at least

A past that has nothing to do with what is asked for leaves the list nearly as it was; so does somebody else's.
"""

from __future__ import annotations

import numpy as np

from engine.fusion import Floats, normal_dense
from engine.interest_term import Scored
from engine.personal.interests import Points

FIRST = 10
"""So many documents at the head of a list say what it is about."""
_AGREEMENT = 5.0
_FLOOR = 0.3


def gate(interest: Floats, points: Points, scored: Scored) -> float:
    """Return how much interests count in this list: 0 for not at all, about 1 where they go well with the query.

    Args:
        interest: In each document that was scored, whatever the query, shape (n,).
        points: What it rests on.
        scored: The list without interests.
    """
    head = interest[: min(FIRST, scored.listed)]
    agree = _AGREEMENT * max(float(head.mean()), 0.0) if len(head) else 0.0
    return float(np.sqrt(_near(points, scored) * agree))


def _near(points: Points, scored: Scored) -> float:
    """Return the highest score of a point that counts, over that of the first document.

    A document of the past that is not in the list has the score that its own vector would give it, without words; so
    has an interest that was declared, as though it were the best match by meaning.
    """
    first = float(scored.scores[0])
    if first <= 0:
        return 0.0
    score_of = dict(
        zip(scored.doc_ids[: scored.listed], scored.scores[: scored.listed].tolist(), strict=True)
    )
    likeness = np.zeros(len(points.names))
    if scored.vector is not None:
        cosines = (points.vectors @ scored.vector).astype(np.float64).round(6)
        likeness = normal_dense(cosines, scored.bounds)
    nearest = 0.0
    for row, name in enumerate(points.names):
        if points.weights[row] > 0:
            declared = not points.kinds[row]
            outside = float(likeness[row]) if declared else scored.alpha * float(likeness[row]) / first
            nearest = max(nearest, outside if declared else score_of.get(name, outside * first) / first)
    return min(nearest, 1.0)


def nearness(scored: Scored) -> Floats:
    """Return by how much each document's interest counts for what the document itself has to do with the query."""
    first = float(scored.scores[0]) + _FLOOR
    if first <= 0:
        return np.zeros_like(scored.scores)
    return np.sqrt(np.maximum((scored.scores + _FLOOR) / first, 0.0))
