"""Phrases of a text that name it: said often here, seldom elsewhere in the index, and not merely inside a longer one.

A phrase p of terms t that is met f(p) times scores

    sqrt(f(p) - mean of f over the longer phrases that hold p) · sum of max(ln((N - n(t) + 0.5) / (n(t) + 0.5)), 0.05)

where n(t) of the index's N passages hold t: the count as in C-value (Frantzi, Ananiadou and Mima 2000), the rarity
as in BM25. A phrase of a title was met once more there, and counts twice. Of several documents, the score is multiplied
by how many have the phrase; with an encoder, by its cosine with the documents' vector.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.errors import InvalidQuery, NoSuchDocument
from engine.snapshot import Snapshot
from engine.summary.phrases import phrases
from indexer.encoding import Vectors
from indexer.protocol import StoredDocument, StoredPassage

MOST = 100
_PASSAGES = (
    24  # so many are read at most, of all documents together: those nearest to each document's own vector
)
_TRIED = 300  # of so many phrases, those met most, it is looked up how rare their words are
_JUDGED = 40  # so many the encoder reads
_COMMON = 0.05

Encode = Callable[[Sequence[str]], Vectors]
"""Texts in, unit vectors out, shape (n, dim)."""


@dataclass(frozen=True, slots=True)
class Keyphrase:
    """A phrase that names one document, or several.

    Args:
        text: As the documents mostly write it.
        score: How well it names them; higher is better, and comparable within one answer only.
        count: How often it was met in what was read of them, titles included.
        documents: In how many of them.
    """

    text: str
    score: float
    count: int
    documents: int

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {"text": self.text, "score": self.score, "count": self.count, "documents": self.documents}


@dataclass(slots=True)
class _Met:
    """What was met of one phrase: the forms it is written in, the documents that have it, whether a title does."""

    forms: Counter[str] = field(default_factory=Counter)
    documents: set[int] = field(default_factory=set)
    titled: bool = False
    count: int = 0


def keyphrases(
    snapshot: Snapshot, doc_ids: Sequence[str], n: int = 8, *, encode: Encode | None = None
) -> tuple[Keyphrase, ...]:
    """Return the phrases that name some documents together, best first; no two of them share most of their words.

    Without an encoder a few milliseconds a document. Long documents are read in the passages that are nearest to
    their own vector, 24 for all documents together.

    Args:
        snapshot: The index.
        doc_ids: The documents; ids that the index does not have are passed over, as readers remember documents that
            were deleted since.
        n: How many at most.
        encode: What made the index's vectors, so that phrases near to the documents' vector come first.

    Raises:
        InvalidQuery: `n` cannot be used.
        NoSuchDocument: the index has none of the documents.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST:
        raise InvalidQuery(f"n is a whole number of phrases from 1 to {MOST}, found {n!r:.40}")
    found = [snapshot.reader.find(doc_id) for doc_id in dict.fromkeys(doc_ids)]
    documents = [document for document in found if document is not None]
    if not documents:
        raise NoSuchDocument(f"the index has none of the documents {', '.join(map(repr, doc_ids))[:200]}")
    met: dict[tuple[str, ...], _Met] = {}
    for place, document in enumerate(documents):
        _read(snapshot, document, place, max(1, _PASSAGES // len(documents)), met)
    scores = _scores(snapshot, met)
    if encode is not None:
        scores = _nearer(snapshot, documents, scores, met, encode)
    chosen = _apart(scores, n)
    return tuple(
        Keyphrase(_form(met[terms]), scores[terms], met[terms].count, len(met[terms].documents))
        for terms in chosen
    )


def _read(
    snapshot: Snapshot, document: StoredDocument, place: int, most: int, met: dict[tuple[str, ...], _Met]
) -> None:
    """Add the phrases of a document's title and most central passages."""
    analyser = snapshot.reader.analyser
    read = 0
    for passage in _central(snapshot, document, most):
        start = max(passage.passage.start, read)  # passages overlap
        read = max(passage.passage.end, read)
        text = snapshot.reader.text(document.number, start, read)
        for phrase in phrases(analyser, text):
            _add(met, phrase.terms, text[phrase.start : phrase.end], place, titled=False)
    for phrase in phrases(analyser, document.title):
        _add(met, phrase.terms, document.title[phrase.start : phrase.end], place, titled=True)


def _add(
    met: dict[tuple[str, ...], _Met], terms: tuple[str, ...], form: str, place: int, *, titled: bool
) -> None:
    entry = met.setdefault(terms, _Met())
    entry.forms[" ".join(form.split())] += 1
    entry.documents.add(place)
    entry.titled = entry.titled or titled
    entry.count += 1


def _central(snapshot: Snapshot, document: StoredDocument, most: int) -> list[StoredPassage]:
    reader = snapshot.reader
    numbers = reader.passages_of(document.number)
    if len(numbers) > most:
        vectors = reader.vectors(numbers).astype(np.float64)
        order = np.argsort(-np.round(vectors @ vectors.sum(axis=0), 6), kind="stable")
        numbers = np.sort(numbers[order[:most]])
    return reader.passages(numbers)


def _scores(snapshot: Snapshot, met: dict[tuple[str, ...], _Met]) -> dict[tuple[str, ...], float]:
    """Return the score of every phrase that may name the documents."""
    inside: dict[tuple[str, ...], list[int]] = {}
    for terms, entry in met.items():
        for short in _shorter(terms):
            inside.setdefault(short, []).append(entry.count)
    left: dict[tuple[str, ...], float] = {}
    for terms, entry in met.items():
        longer = inside.get(terms, [])
        own = entry.count - (sum(longer) / len(longer) if longer else 0.0)
        # A run of words that stands in one place only is no phrase yet; in a title it is.
        if own > 0 and (len(terms) == 1 or entry.count > 1 or entry.titled):
            left[terms] = own * (2.0 if entry.titled else 1.0)
    tried = sorted(left, key=lambda terms: (-left[terms] * len(terms), terms))[:_TRIED]
    total = snapshot.reader.passage_count
    frequencies = snapshot.frequencies(term for terms in tried for term in terms)
    rarity = {term: _rarity(found, total) for term, found in frequencies.items()}
    return {
        terms: math.sqrt(left[terms]) * sum(rarity[term] for term in terms) * len(met[terms].documents)
        for terms in tried
    }


def _shorter(terms: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    for length in range(1, len(terms)):
        for start in range(len(terms) - length + 1):
            yield terms[start : start + length]


def _rarity(frequency: int, total: int) -> float:
    if frequency == 0:  # a word of Chinese that the index knows by its characters only
        return _COMMON
    return max(math.log(max(total - frequency + 0.5, 0.5) / (frequency + 0.5)), _COMMON)


def _nearer(
    snapshot: Snapshot,
    documents: Sequence[StoredDocument],
    scores: dict[tuple[str, ...], float],
    met: dict[tuple[str, ...], _Met],
    encode: Encode,
) -> dict[tuple[str, ...], float]:
    """Return the best phrases' scores multiplied by their closeness to the documents; all as they are, without any."""
    reader = snapshot.reader
    own = np.zeros(1)
    for document in documents:
        mean = reader.vectors(reader.passages_of(document.number)).astype(np.float64).sum(axis=0)
        own = own + mean / max(float(np.linalg.norm(mean)), 1e-12)
    size = float(np.linalg.norm(own))
    best = sorted(scores, key=lambda terms: (-scores[terms], terms))[:_JUDGED]
    if size == 0.0 or not best:
        return scores
    near = encode([_form(met[terms]) for terms in best]).astype(np.float64) @ (own / size)
    return {terms: scores[terms] * max(float(cosine), 0.0) for terms, cosine in zip(best, near, strict=True)}


def _apart(scores: dict[tuple[str, ...], float], n: int) -> list[tuple[str, ...]]:
    """Return the best phrases; one that shares more than half of the words of the shorter of two is left out."""
    chosen: list[tuple[str, ...]] = []
    for terms in sorted(scores, key=lambda terms: (-round(scores[terms], 6), terms)):
        if len(chosen) == n:
            break
        if not any(2 * len({*terms} & {*other}) > min(len({*terms}), len({*other})) for other in chosen):
            chosen.append(terms)
    return chosen


def _form(entry: _Met) -> str:
    """Return how a phrase is mostly written; of equals the one in lower case."""
    return min(entry.forms, key=lambda form: (-entry.forms[form], sum(map(str.isupper, form)), form))
