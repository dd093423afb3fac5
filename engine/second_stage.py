"""The second stage: the first documents of the fused list are looked at again, by four more signals.

    final = fused + late_weight · late + gist_weight · gist + neighbours_weight · neighbours + rerank_weight · rerank

- `late`: late interaction of the query's tokens with those of the document's best passages (`engine.late`);
- `gist`: the cosine of the query with the document as a whole, on the first stage's scale of meaning, where late
  interaction has a say: by itself it repeats what the first stage knows;
- `neighbours`: the mean of fused + late_weight · late + gist_weight · gist over the nearest candidates
  (`engine.neighbours`);
- `rerank`: the highest score that a cross-encoder gives to one of its best passages (`engine.reranking`).

A document beyond the depth, one that the time budget did not reach, and one that a signal has nothing to say of get the
lowest value that the signal has among those that it scored. So none of the first two comes to stand above a document
for having been left out. The cross-encoder reads in the order of what is known so far, the best first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.clock import Clock
from engine.fusion import Bounds, Floats, normal_dense
from engine.late import PASSAGES, late_interaction
from engine.meaning import Meaning, QueryEncoder
from engine.neighbours import neighbourhood
from engine.reranking import QueryReranker
from engine.settings import SearchSettings
from engine.snapshot import Snapshot
from indexer.encoding import Vectors
from indexer.protocol import Numbers

if TYPE_CHECKING:
    from reranker.pairs import PassageText


@dataclass(frozen=True, slots=True)
class Head:
    """The documents that are looked at again, best first.

    Args:
        scores: Their fused scores, shape (m,).
        passages: Each document's best passages, best first, at least one.
        documents: The documents' numbers, shape (m,).
        bounds: The best scores of the first stage.
    """

    scores: Floats
    passages: list[Numbers]
    documents: Numbers
    bounds: Bounds

    def __len__(self) -> int:
        return len(self.scores)

    def first(self, count: int) -> list[Numbers]:
        """Return at most so many passages of each."""
        return [numbers[:count] for numbers in self.passages]


@dataclass(frozen=True, slots=True)
class Signals:
    """What the second stage found of the m documents of the head; a signal that was left out is None.

    Args:
        late: Shape (m,), NaN where there is nothing to say.
        gist: Likewise.
        neighbours: Likewise.
        rerank: Likewise; NaN too where the time was over.
        best: Which of its passages the cross-encoder found best, shape (m,); 0 where it read none.
        read: How many of its passages the cross-encoder read, shape (m,).
        tokens_cut: Tokens of those that did not fit, shape (m,).
        unit: What one point of a convex score is in this list: the scale that the weights are meant for.
        notices: What the user should know.
    """

    late: Floats | None
    gist: Floats | None
    neighbours: Floats | None
    rerank: Floats | None
    best: Numbers
    read: Numbers
    tokens_cut: Numbers
    unit: float = 1.0
    notices: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """How many documents the cross-encoder read."""
        return int((self.read > 0).sum())


@dataclass(frozen=True, slots=True)
class SecondStage:
    """Looks at documents again.

    Args:
        snapshot: The index.
        settings: Weights, and how much to read.
        encoder: Gives the query's tokens.
        reranker: Reads passages.
        clock: Told when a signal is done; it knows when the time is up, and whether anybody still waits.
    """

    snapshot: Snapshot
    settings: SearchSettings
    encoder: QueryEncoder
    reranker: QueryReranker
    clock: Clock

    def signals(self, head: Head, text: str, meaning: Meaning) -> Signals:
        """Return what there is to say of some documents.

        Args:
            head: The documents, at least one.
            text: The query's words.
            meaning: What the encoder made of them; without a vector there is only the cross-encoder.
        """
        settings, unit, known = self.settings, self._unit(head), head.scores
        late = self._late(head, meaning)
        if late is not None:
            known = known + settings.late_weight * unit * lowest_for_missing(late)
        vectors = self._vectors(head, meaning)
        gist = None if late is None else self._gist(head, vectors, meaning)
        if gist is not None:
            known = known + settings.gist_weight * unit * lowest_for_missing(gist)
        neighbours = self._neighbours(known, vectors)
        if neighbours is not None:
            known = known + settings.neighbours_weight * lowest_for_missing(neighbours)
        nothing = np.zeros(len(head), dtype=np.int64)
        signals = Signals(late, gist, neighbours, None, nothing, nothing, nothing, unit)
        if settings.rerank_weight > 0:
            signals = self._reranked(head, known, text, signals)
        return signals

    def _unit(self, head: Head) -> float:
        return 1.0 if on_scale(self.settings) else max(float(head.scores.max()), 0.0)

    def _late(self, head: Head, meaning: Meaning) -> Floats | None:
        if meaning.vector is None or self.settings.late_weight <= 0:
            return None
        if not self.snapshot.reader.has_token_vectors:
            return None
        tokens = self.encoder.tokens(meaning.text)
        if tokens is None:
            return None
        found = late_interaction(self.snapshot, meaning.text, tokens, head.first(PASSAGES))
        self.clock.step("late")
        return _something(found)

    def _vectors(self, head: Head, meaning: Meaning) -> Vectors | None:
        """Return the documents' vectors, where they are asked for."""
        if meaning.vector is None or not (self.settings.gist_weight or self.settings.neighbours_weight):
            return None
        return self.snapshot.reader.document_vectors(head.documents)

    def _gist(self, head: Head, vectors: Vectors | None, meaning: Meaning) -> Floats | None:
        if vectors is None or meaning.vector is None or self.settings.gist_weight <= 0:
            return None
        cosines = np.einsum("id,d->i", vectors.astype(np.float64), meaning.vector.astype(np.float64))
        found = np.where(vectors.any(axis=1), normal_dense(np.round(cosines, 6), head.bounds), np.nan)
        self.clock.step("gist")
        return _something(found)

    def _neighbours(self, known: Floats, vectors: Vectors | None) -> Floats | None:
        if vectors is None or self.settings.neighbours_weight <= 0:
            return None
        found = neighbourhood(known, vectors)
        self.clock.step("neighbours")
        return _something(found)

    def _reranked(self, head: Head, known: Floats, text: str, signals: Signals) -> Signals:
        """Return the signals with what the cross-encoder says, asked in the order of what is known."""
        order = np.argsort(-known, kind="stable")
        parts = head.first(self.settings.rerank_passages)
        numbers = np.concatenate([parts[at] for at in order])
        reading = self.reranker.read(
            self.settings.reranker,
            text,
            len(numbers),
            lambda: self._texts(numbers),
            self.clock.deadline(self.settings.budget_ms),
            self.clock.cancelled,
        )
        if reading.asked:
            self.clock.step("rerank")
        rerank = np.full(len(head), np.nan)
        best, read, cut = (np.zeros(len(head), dtype=np.int64) for _ in range(3))
        start = 0
        for at in order:
            mine = slice(start, start + len(parts[at]))
            start = mine.stop
            scores = reading.scores[mine]
            read[at] = int((~np.isnan(scores)).sum())
            cut[at] = int(reading.tokens_cut[mine].sum())
            if read[at]:
                best[at] = int(np.nanargmax(scores))
                rerank[at] = scores[best[at]]
        notices: tuple[str, ...] = (reading.notice,) if reading.notice else ()
        done = int((read > 0).sum())
        if reading.asked and done < len(head):
            budget = self.settings.budget_ms
            ended = "The reranker stopped" if budget is None else f"The time budget of {budget} ms ended"
            notices += (
                f"{ended} when {done} of {len(head)} documents were reranked; the others follow in the order before.",
            )
        return replace(
            signals, rerank=_something(rerank), best=best, read=read, tokens_cut=cut, notices=notices
        )

    def _texts(self, numbers: Numbers) -> list[PassageText]:
        from reranker.pairs import PassageText

        reader = self.snapshot.reader
        stored = reader.passages(numbers)
        documents = list(dict.fromkeys(item.document for item in stored))
        titles = {found.number: found.title for found in reader.documents(documents)}
        texts = reader.texts([(item.document, item.passage.start, item.passage.end) for item in stored])
        return [
            PassageText(text, titles[item.document], item.passage.headings)
            for item, text in zip(stored, texts, strict=True)
        ]


def on_scale(settings: SearchSettings) -> bool:
    """Return whether fused scores go up to about 1: otherwise the weights are meant for the highest of the list."""
    return settings.fusion == "convex" and settings.grouping != "sum"


def lowest_for_missing(signal: Floats) -> Floats:
    """Return a signal with its lowest value wherever it is NaN."""
    return np.where(np.isnan(signal), np.nanmin(signal), signal)


def _something(signal: Floats) -> Floats | None:
    return None if np.isnan(signal).all() else signal
