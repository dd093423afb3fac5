"""Examples seen again by a model: without what it takes for right, or with its scores to learn from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from reranker.data.example import Example
from reranker.errors import InvalidTrainingSettings
from reranker.scorer import PairScorer


def rescored(
    examples: Iterable[Example], teacher: PairScorer, *, margin: float | None = 0.0, keep: int | None = None
) -> Iterator[Example]:
    """Yield examples without the wrong answers that the teacher prefers to the right ones, and with the hardest others.

    Wrong is what has grade 0, judged or mined: an example does not say which. (`mine` with a teacher does know, and
    leaves judged ones alone.) An example without any right answer, or with nothing left to compare, is left out.

    Args:
        examples: Any number; streamed.
        teacher: Scores passages.
        margin: A wrong answer whose score is above the best right one's less this is dropped; None drops none. In the
            teacher's own units.
        keep: At most so many wrong answers stay, those that the teacher scores highest; None for all.

    Raises:
        InvalidTrainingSettings: `keep` is below 1.
    """
    if keep is not None and keep < 1:
        raise InvalidTrainingSettings(f"keep is at least 1, or None for all; found {keep}")
    for example in examples:
        right = [at for at, grade in enumerate(example.grades) if grade > 0]
        if not right:
            continue
        scores = teacher.score(example.query, example.passages).tolist()
        limit = math.inf if margin is None else max(scores[at] for at in right) - margin
        wrong = [at for at, grade in enumerate(example.grades) if grade <= 0 and scores[at] <= limit]
        hardest = set(sorted(wrong, key=lambda at: (-scores[at], at))[:keep])
        kept = [at for at, grade in enumerate(example.grades) if grade > 0 or at in hardest]
        if len({example.grades[at] for at in kept}) > 1:
            yield _only(example, kept)


def distilled(examples: Iterable[Example], teacher: PairScorer) -> Iterator[Example]:
    """Yield examples whose grades are the teacher's scores: what objectives of distillation learn from."""
    for example in examples:
        scores = teacher.score(example.query, example.passages)
        yield replace(example, grades=tuple(float(score) for score in scores))


def _only(example: Example, kept: list[int]) -> Example:
    weights, prior = example.weights, example.prior
    return replace(
        example,
        passages=tuple(example.passages[at] for at in kept),
        grades=tuple(example.grades[at] for at in kept),
        weights=None if weights is None else tuple(weights[at] for at in kept),
        prior=None if prior is None else tuple(prior[at] for at in kept),
    )
