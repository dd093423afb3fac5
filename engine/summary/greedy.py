"""Which sentences stand for a document: greedily, those whose combined vector is nearest to a target.

The objective of a set S of sentences with unit vectors v and shares of words w is

    F(S) = cos(sum of v over S, t) + mean of w over S

for a target t. The first term wants the sentences *together* to point to the target, so that a second sentence
which says the same adds less than one which says the rest of it (a centroid method: Radev et al. 2004; over vectors
of words, Rossiello et al. 2017). The second is how well they answer by words alone; without a query it is zero.
Greedy takes at each step the sentence with which F is highest; it never takes one nearly equal to one it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Vectors

ALIKE = 0.8
"""A sentence is not taken if its cosine with a taken one is higher: it would say the same again."""


class Step(NamedTuple):
    """One sentence taken.

    Args:
        place: Which of the candidates.
        reached: F of all sentences taken up to here.
    """

    place: int
    reached: float


def objective(vectors: Vectors, target: Vectors, words: NDArray[np.float64], chosen: Sequence[int]) -> float:
    """Return F of the chosen sentences; 0 of none.

    Args:
        vectors: Of all sentences, unit length, shape (n, dim).
        target: Unit length, shape (dim,).
        words: How well each answers by words, 0 to 1, shape (n,).
        chosen: Places of sentences.
    """
    if not chosen:
        return 0.0
    together = vectors[list(chosen)].astype(np.float64).sum(axis=0)
    length = float(np.linalg.norm(together))
    near = float(together @ target.astype(np.float64)) / length if length > 0 else 0.0
    return near + float(words[list(chosen)].mean())


def select(
    vectors: Vectors,
    target: Vectors,
    words: NDArray[np.float64],
    lengths: NDArray[np.int64],
    budget: int,
    most: int,
    alike: float = ALIKE,
) -> list[Step]:
    """Return the sentences taken, in the order of being taken; of equals, the first in the document.

    With a budget that holds everything, the result for `most` = k is the beginning of that for k + 1.

    Args:
        vectors: Of all sentences, unit length, shape (n, dim).
        target: Unit length, shape (dim,).
        words: How well each answers by words, 0 to 1, shape (n,).
        lengths: Characters of each, shape (n,).
        budget: Characters that all taken may have together, one between any two included.
        most: How many to take at most.
        alike: Cosine with a taken sentence from which on a sentence is left out.
    """
    own = vectors.astype(np.float64)
    near = own @ target.astype(np.float64)
    free = np.ones(len(own), dtype=np.bool_)
    together = np.zeros(own.shape[1], dtype=np.float64)
    towards = said = 0.0
    steps: list[Step] = []
    left = budget
    while len(steps) < most:
        open_ = np.flatnonzero(free & (lengths <= left))
        if len(open_) == 0:
            break
        size = float(together @ together)
        squared = size + 2.0 * (own[open_] @ together) + 1.0
        values = (towards + near[open_]) / np.sqrt(np.maximum(squared, 1e-12))
        values += (said + words[open_]) / (len(steps) + 1)
        # Rounded, so that twins are equal whatever the order of additions, and the first of them is taken.
        best = int(np.argmax(np.round(values, 9)))
        place = int(open_[best])
        steps.append(Step(place, float(values[best])))
        together += own[place]
        towards += float(near[place])
        said += float(words[place])
        left -= int(lengths[place]) + 1
        free[place] = False
        free &= own @ own[place] < alike
    return steps


def in_order(words: NDArray[np.float64], lengths: NDArray[np.int64], budget: int, most: int) -> list[Step]:
    """Return the sentences with the most of the words, of equals the first: what remains without vectors.

    Where none has any of the words, that is the beginning of the text.
    """
    steps: list[Step] = []
    said, left = 0.0, budget
    for place in np.argsort(-words, kind="stable").tolist():
        if len(steps) == most:
            break
        if lengths[place] <= left:
            said += float(words[place])
            steps.append(Step(place, said / (len(steps) + 1)))
            left -= int(lengths[place]) + 1
    return steps
