"""Marks of meaning: in what is shown of a passage, the sentence that says most of what the query asks.

A sentence is as near to the query as its cosine reaches beyond that of unrelated texts, (cos - u) / (1 - u): 0 for any
text, 1 for the query's own words. The nearest of a snippet is marked if it is at least `NEAR`, and nearer than each
other one of it by at least `APART`; otherwise nothing stands out.

On snippets of two to four sentences around answers that people chose (700 questions of SelQA, 500 of WikiQA,
all-MiniLM-L6-v2) the nearest sentence is an answer in 87 and 74 of 100; of those that are marked 93 and 80 are. Of
snippets with an answer 78 and 67 in 100 have a mark; of snippets from the same sections without one, 26 and 44.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from engine.meaning import QueryEncoder
from engine.plan import MAX_DENSE_CHARACTERS
from engine.query import Query
from engine.ranking import Hit, Snippet
from engine.snapshot import Snapshot
from engine.summary.sentence_vectors import NoVectors, SentenceVectors
from engine.summary.substance import says_something
from engine.syntax import parse
from indexer.atoms import sections_of
from indexer.document import Document
from indexer.encoding import Vectors

NEAR = 0.4
"""A sentence less near to the query than this is not marked."""
APART = 0.1
"""... nor one that is not nearer than the others by so much."""
MOST_CHARACTERS = 3_000
"""Of so many characters of sentences the vectors are made for one answer, some 60 ms on two cores."""
_REMEMBERED = 8_192  # sentences, 1,536 bytes each where a vector has 384 numbers

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """A sentence that says most of what the query asks.

    Args:
        start: Its first character, in the document's text.
        end: One past its last.
        cosine: Of its vector with the query's.
    """

    start: int
    end: int
    cosine: float

    def to_json(self) -> dict[str, object]:
        """Return it as plain values for JSON."""
        return {"start": self.start, "end": self.end, "cosine": self.cosine}


Marks: TypeAlias = tuple[tuple[Mark | None, ...], ...]
"""For each hit, for each of its passages."""


@dataclass(slots=True)
class _Sentences:
    """The sentences of one snippet, and where their mark belongs."""

    hit: int
    passage: int
    texts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


class Marker:
    """Marks sentences. Safe to share between threads.

    Args:
        encoder: Reads queries.
        remembered: Of how many sentences to remember the vectors; when there are more, all are forgotten.
    """

    def __init__(self, encoder: QueryEncoder, remembered: int = _REMEMBERED) -> None:
        self._encoder = encoder
        self._vectors = SentenceVectors(encoder.loaded)
        self._room = remembered
        self._lock = threading.Lock()
        self._known: dict[str, Vectors] = {}
        self._hits = self._misses = 0

    @property
    def lookups(self) -> tuple[int, int]:
        """Of how many sentences the vectors were known from before, and of how many they were not."""
        return self._hits, self._misses

    def mark(self, snapshot: Snapshot, query: Query, hits: Sequence[Hit], characters: int) -> Marks:
        """Return for each hit, for each of its passages, the sentence to mark in the snippet, or None.

        The first passages of all hits are looked at before the second ones, as long as all sentences together have
        no more than `characters`; a passage is looked at whole or not at all.

        Args:
            snapshot: The index that the hits are from.
            query: What was asked.
            hits: What was found.
            characters: How much to read at most.

        Raises:
            FingerprintMismatch: the encoder is not the one that the index was made with.
        """
        marks: list[list[Mark | None]] = [[None] * len(hit.passages) for hit in hits]
        chosen = _chosen(hits, characters)
        reader = snapshot.reader
        text = parse(query.text, reader.fields()).positive if query.operators else query.text
        if chosen and text.strip():
            asked = self._encoder.encode(text[:MAX_DENSE_CHARACTERS], reader.encoder_fingerprint).vector
            if asked is not None:
                self._fill(marks, chosen, asked, reader.encoder_fingerprint, reader.unrelated_cosine)
        return tuple(map(tuple, marks))

    def _fill(
        self,
        marks: list[list[Mark | None]],
        chosen: Sequence[_Sentences],
        asked: Vectors,
        fingerprint: str,
        unrelated: float,
    ) -> None:
        texts = list(dict.fromkeys(text for one in chosen for text in one.texts))
        try:
            known = self._of(texts, fingerprint)
        except NoVectors:  # which was logged: without vectors nothing is known to stand out
            return
        for one in chosen:
            cosines = np.stack([known[text] for text in one.texts]) @ asked
            at = standing_out(cosines, unrelated)
            if at is not None:
                start, end = one.spans[at]
                marks[one.hit][one.passage] = Mark(start, end, round(float(cosines[at]), 5))

    def _of(self, texts: Sequence[str], fingerprint: str) -> dict[str, Vectors]:
        """Return the vectors of sentences, those that are not known in one batch; zeros for what cannot be read."""
        remembered = self._known
        known = {text: remembered[text] for text in texts if text in remembered}
        new = [text for text in texts if text not in known]
        with self._lock:
            self._hits += len(known)
            self._misses += len(new)
        if new:
            encoder = self._encoder.loaded()
            readable = [text for text in new if encoder.readable(text) > 0.0]
            found = {text: np.zeros(encoder.dim, dtype=np.float32) for text in new}
            if readable:
                found |= zip(readable, self._vectors.of_sentences(readable, fingerprint), strict=True)
            with self._lock:
                if len(self._known) + len(found) > self._room:
                    self._known = {}
                self._known |= dict(list(found.items())[: self._room])
            known |= found
        return known


def standing_out(cosines: Vectors, unrelated: float) -> int | None:
    """Return the place of the sentence that stands out, or None: the criterion is said at the top of this file.

    Args:
        cosines: Of at least two sentences with the query, shape (n,).
        unrelated: What the encoder gives to unrelated texts.
    """
    near = (cosines.astype(np.float64) - unrelated) / max(1.0 - unrelated, 1e-6)
    best = int(np.argmax(near))
    others = np.delete(near, best)
    if len(others) and near[best] >= NEAR and near[best] - float(others.max()) >= APART:
        return best
    return None


def _chosen(hits: Sequence[Hit], characters: int) -> list[_Sentences]:
    """Return the snippets to look at, of those that have several sentences."""
    chosen: list[_Sentences] = []
    for place in range(max((len(hit.passages) for hit in hits), default=0)):
        for number, hit in enumerate(hits):
            if place >= len(hit.passages):
                continue
            one = _sentences(hit.doc_id, hit.passages[place].snippet, number, place)
            length = sum(map(len, one.texts))
            if len(one.texts) < 2:
                continue
            if length > characters:
                return chosen
            characters -= length
            chosen.append(one)
    return chosen


def _sentences(doc_id: str, snippet: Snippet, hit: int, passage: int) -> _Sentences:
    """Return the sentences of a snippet; headings, rows, code and what is too short to say anything are none."""
    one = _Sentences(hit, passage)
    atoms, _ = sections_of(Document(doc_id, snippet.text))
    for atom in atoms:
        text = snippet.text[atom.start : atom.end]
        if atom.kind == "sentence" and says_something(text):
            one.texts.append(text)
            one.spans.append((snippet.start + atom.start, snippet.start + atom.end))
    return one
