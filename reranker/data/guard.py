"""Against false negatives: which candidates may stand as wrong answers.

What was never judged may well be right, and a model that is told otherwise learns to mistrust its best evidence.
A candidate is turned away when it is of a document that is judged, or says what a positive says (the same text, one
inside the other, vectors nearly the same), or bears the name that the query asks for, or scores so near to the
positive that it is probably one itself: "positive-aware mining" (de Souza P. Moreira et al., NV-Retriever, 2024).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reranker.data.candidates import Candidate
from reranker.data.concealing import concealed, said
from reranker.data.judged import Shown
from reranker.data.wording import normal, text_hash
from reranker.errors import InvalidTrainingSettings

_CONTAINED = 40  # characters from which a text inside another is a copy, and not a common phrase


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """What is turned away.

    Args:
        margin: Candidates whose fused score is above this share of the best positive's are skipped; None for no limit.
            Where everything relevant is judged (as in TREC's pools), None; where one answer of many is, 0.95.
        likeness: Candidates whose cosine with a positive is above this are skipped; None for no limit.
        same_title: Whether candidates under the title of a positive are skipped: in collections where several
            passages of one article answer, but one is judged.
        skip: The first so many of each list are never taken.

    Raises:
        InvalidTrainingSettings: a value is outside its range.
    """

    margin: float | None = 0.95
    likeness: float | None = 0.95
    same_title: bool = False
    skip: int = 0

    def __post_init__(self) -> None:
        for name in ("margin", "likeness"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 2:
                raise InvalidTrainingSettings(f"{name} is above 0 and at most 2, or None; found {value!r}")
        skip: object = self.skip
        if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
            raise InvalidTrainingSettings(f"skip is a whole number of at least 0, found {skip!r}")


class Guard:
    """Decides for one query. What it turned away, and why, is counted in `refused`.

    Args:
        settings: What is turned away.
        query: What is asked.
        positives: Candidates known to be right, with their scores and vectors.
        judged: Documents that are judged, whatever the grade.
        shown: What passages show of where they stand. Where it is not all, the query is a title or heading, and
            passages under the same name would answer it.
    """

    def __init__(
        self,
        settings: GuardSettings,
        query: str,
        positives: Sequence[Candidate],
        judged: frozenset[str],
        shown: Shown = "all",
    ) -> None:
        self._settings = settings
        self._judged = judged
        self._shown = shown
        self._name = normal(query) if shown != "all" else ""
        self._hashes = {text_hash(said(positive.passage)) for positive in positives}
        self._texts = [normal(said(positive.passage)) for positive in positives]
        self._titles = {normal(positive.passage.title) for positive in positives} - {""}
        vectors = [positive.vector for positive in positives if positive.vector is not None]
        self._vectors: NDArray[np.float32] | None = np.stack(vectors) if vectors else None
        best = max((positive.score for positive in positives), default=0.0)
        self._limit = np.inf if settings.margin is None or best <= 0 else settings.margin * best
        self.refused: Counter[str] = Counter()

    def allows(self, candidate: Candidate) -> bool:
        """Return whether a candidate may stand as a wrong answer."""
        reason = self._reason(candidate)
        if reason:
            self.refused[reason] += 1
        return not reason

    def _reason(self, candidate: Candidate) -> str:
        passage, settings = candidate.passage, self._settings
        if candidate.doc_id in self._judged:
            return "judged document"
        if not concealed(passage, self._shown).full.strip():
            return "empty text"
        if candidate.score > self._limit:
            return "scores like a positive"
        if settings.same_title and normal(passage.title) in self._titles:
            return "title of a positive"
        if self._name and self._name in {normal(name) for name in (passage.title, *passage.headings[-1:])}:
            return "bears the query's name"
        if self._copies(said(passage)):
            return "text of a positive"
        if settings.likeness is not None and self._vectors is not None and candidate.vector is not None:
            if float((self._vectors @ candidate.vector).max()) > settings.likeness:
                return "vector of a positive"
        return ""

    def _copies(self, text: str) -> bool:
        if text_hash(text) in self._hashes:
            return True
        words = normal(text)
        return any(
            (len(words) >= _CONTAINED and words in other) or (len(other) >= _CONTAINED and other in words)
            for other in self._texts
        )
