"""`Summariser`: the sentences of a document that stand for it, for what a query asks of it, or for a reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.document_text import known_document
from engine.errors import InvalidQuery
from engine.snapshot import Snapshot
from engine.snippet import window
from engine.summary.candidates import Candidate, nearest, sentences_of
from engine.summary.greedy import Step, in_order, select
from engine.summary.naming import Keyphrase, keyphrases
from engine.summary.sentence_vectors import NoVectors, SentenceVectors
from engine.summary.summary import DEFAULT_LENGTH, Summary, SummarySentence
from engine.summary.words import QueryWords, query_words, shares, spans
from engine.syntax import parse
from indexer.encoding import Encoder, Vectors
from indexer.protocol import Clause, LexicalQuery, StoredDocument, StoredPassage

SHORTEST, LONGEST = 20, 100_000
TILT = 0.5
"""What a reader's interest weighs beside the document or the query."""
WORDS_OF_PASSAGES = 0.45
"""Of what passages are chosen by, the share of words where there is a query: as in the first stage."""
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a summary is to stand for.

    Args:
        document: Of which document.
        words: The query's terms; none without one.
        own: The document's own vector, unit length; zeros where it has none.
        target: What the sentences together are to point to, unit length; zeros where there are no vectors to go by.
        query: As it was put; empty without one.
        tilted: Whether the target leans to a reader.
        notices: What the reader ought to know; grows.
    """

    document: StoredDocument
    words: QueryWords
    own: Vectors
    target: Vectors
    query: str
    tilted: bool
    notices: list[str] = field(default_factory=list)


class Summariser:
    """Makes extractive summaries and keyphrases. Safe to share between threads.

    Args:
        load: Returns the encoder that the index was made with; called when it is first needed.
    """

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._vectors = SentenceVectors(load)

    def summarise(
        self,
        snapshot: Snapshot,
        doc_id: str,
        *,
        query: str = "",
        tilt: Vectors | None = None,
        length: int = DEFAULT_LENGTH,
        sentences: int | None = None,
    ) -> Summary:
        """Return the sentences of a document whose combined vector is nearest to its own, or to a query's.

        Args:
            snapshot: The index.
            doc_id: Which document.
            query: What the summary is to answer; empty for the whole document. Of operators, the words count.
            tilt: A reader's interests, shape (m, dim): the summary leans to the one nearest to the document. A row
                of zeros is no interest.
            length: Characters that the sentences may have together, one between any two included.
            sentences: How many there may be at most; None for as many as fit.

        Raises:
            NoSuchDocument: there is no such document.
            InvalidQuery: `length`, `sentences` or `tilt` cannot be used.
            FingerprintMismatch: the encoder is not the one that the index was made with.
        """
        _check(length, sentences)
        document = known_document(snapshot.reader, doc_id)
        passages = snapshot.reader.passages(snapshot.reader.passages_of(document.number))
        asked = self._asked(snapshot, document, query, tilt)
        found = _candidates(snapshot, asked, passages, length)
        if not found:
            asked.notices.append("The document has no text to choose sentences from.")
            return Summary(document.doc_id, document.title, (), query, notices=tuple(asked.notices))
        vectors = self._of_sentences(snapshot, asked, found)
        return _summary(snapshot, asked, found, vectors, length, sentences)

    def keyphrases(self, snapshot: Snapshot, doc_ids: Sequence[str], n: int = 8) -> tuple[Keyphrase, ...]:
        """Return the phrases that name some documents together, best first, those nearest in meaning before others.

        Args:
            snapshot: The index.
            doc_ids: The documents; ids that the index does not have are passed over.
            n: How many at most.

        Raises:
            InvalidQuery: `n` cannot be used.
            NoSuchDocument: the index has none of the documents.
            FingerprintMismatch: the encoder is not the one that the index was made with.
        """
        fingerprint = snapshot.reader.encoder_fingerprint
        try:
            return keyphrases(
                snapshot, doc_ids, n, encode=lambda texts: self._vectors.of_sentences(texts, fingerprint)
            )
        except NoVectors:  # which was logged
            return keyphrases(snapshot, doc_ids, n)

    def _asked(
        self, snapshot: Snapshot, document: StoredDocument, query: str, tilt: Vectors | None
    ) -> _Asked:
        reader = snapshot.reader
        vectors = reader.vectors(reader.passages_of(document.number))
        own = unit(vectors.astype(np.float64).sum(axis=0))
        leaning = _nearest_interest(tilt, own)
        text = parse(query, reader.fields()).positive.strip()
        words = query_words(snapshot, text)
        target, notices = own, []
        if not own.any():
            notices.append(
                "The document has no vectors, so "
                + ("words alone decide." if words.counts else "this is how it begins.")
            )
        elif text:
            try:
                target = unit(self._vectors.of_query(text, reader.encoder_fingerprint))
            except NoVectors as reason:
                notices.append(str(reason))
                target = np.zeros_like(own)
        tilted = bool(leaning.any() and target.any())
        if tilted:
            target = unit(target.astype(np.float64) + TILT * leaning)
        return _Asked(document, words, own, target, query, tilted, notices)

    def _of_sentences(self, snapshot: Snapshot, asked: _Asked, found: Sequence[Candidate]) -> Vectors | None:
        if not asked.target.any():
            return None
        try:
            return self._vectors.of_sentences(
                [each.text for each in found], snapshot.reader.encoder_fingerprint
            )
        except NoVectors as reason:
            asked.notices.append(str(reason))
            return None


def _nearest_interest(tilt: Vectors | None, own: Vectors) -> Vectors:
    """Return the interest nearest to a document, unit length; zeros where there is none."""
    if tilt is None or len(tilt) == 0:
        return np.zeros_like(own)
    if tilt.ndim != 2 or tilt.shape[1] != len(own) or not np.isfinite(tilt).all():
        raise InvalidQuery(
            f"a tilt is rows of {len(own)} finite numbers, found an array of shape {tilt.shape}"
        )
    rows = [unit(row) for row in tilt if row.any()]
    return max(rows, key=lambda row: round(float(row @ own), 6), default=np.zeros_like(own))


def _candidates(
    snapshot: Snapshot, asked: _Asked, passages: Sequence[StoredPassage], length: int
) -> list[Candidate]:
    """Return the sentences of the passages that answer best, by vectors and by words."""
    passages = [each for each in passages if each.passage.end > each.passage.start]
    if not passages:
        return []
    numbers = np.array([each.number for each in passages], dtype=np.int64)
    scores = snapshot.reader.vectors(numbers).astype(np.float64) @ asked.target.astype(np.float64)
    if asked.words.counts:
        clauses = tuple(Clause((term,), weight=count) for term, count in asked.words.counts.items())
        lexical = snapshot.reader.lexical_scores(LexicalQuery(clauses), numbers).astype(np.float64)
        said = lexical / max(float(lexical.max()), 1e-9)
        scores = (1.0 - WORDS_OF_PASSAGES) * scores + WORDS_OF_PASSAGES * said
    return sentences_of(snapshot.reader, asked.document, nearest(passages, scores, length))


def _summary(
    snapshot: Snapshot,
    asked: _Asked,
    found: Sequence[Candidate],
    vectors: Vectors | None,
    length: int,
    most: int | None,
) -> Summary:
    words = shares(snapshot.reader.analyser, [each.text for each in found], asked.words)
    lengths = np.array([len(each.text) for each in found], dtype=np.int64)
    steps = _steps(vectors, asked.target, words, lengths, length, most or _MANY)
    whole = bool(steps)
    if not whole:  # every sentence is longer than the summary may be: a part of the best is shown
        steps = _steps(vectors, asked.target, words, np.zeros_like(lengths), length, 1)
    chosen = [
        _sentence(snapshot, asked, found[step.place], taken, step, vectors, None if whole else length)
        for taken, step in enumerate(steps, start=1)
    ]
    coverage = None
    if vectors is not None:
        together = vectors[[step.place for step in steps]].astype(np.float64).sum(axis=0)
        coverage = float(unit(together) @ asked.own)
    return Summary(
        asked.document.doc_id,
        asked.document.title,
        tuple(sorted(chosen, key=lambda sentence: sentence.start)),
        asked.query,
        asked.tilted and vectors is not None,
        coverage,
        tuple(asked.notices),
    )


def _sentence(
    snapshot: Snapshot,
    asked: _Asked,
    candidate: Candidate,
    taken: int,
    step: Step,
    vectors: Vectors | None,
    limit: int | None,
) -> SummarySentence:
    analyser = snapshot.reader.analyser
    start, end = 0, len(candidate.text)
    if limit is not None:
        matches = analyser.find(candidate.text, asked.words.counts.keys())
        start, end = window(candidate.text, matches, asked.words.weights, limit)
        end = min(end, start + limit)
    text, at = candidate.text[start:end], candidate.start + start
    return SummarySentence(
        text,
        at,
        at + len(text),
        taken,
        None if vectors is None else float(vectors[step.place] @ asked.target),
        tuple((at + low, at + high) for low, high in spans(analyser, text, asked.words)),
        step.reached,
        candidate.page,
        candidate.headings,
        limit is None,
    )


def _steps(
    vectors: Vectors | None,
    target: Vectors,
    words: NDArray[np.float64],
    lengths: NDArray[np.int64],
    length: int,
    most: int,
) -> list[Step]:
    if vectors is None:
        return in_order(words, lengths, length, most)
    return select(vectors, target, words, lengths, length, most)


def _check(length: int, sentences: int | None) -> None:
    if isinstance(length, bool) or not isinstance(length, int) or not SHORTEST <= length <= LONGEST:
        raise InvalidQuery(
            f"length is a whole number of characters from {SHORTEST} to {LONGEST:,}, found {length!r:.40}"
        )
    if sentences is not None and (
        isinstance(sentences, bool) or not isinstance(sentences, int) or sentences < 1
    ):
        raise InvalidQuery(f"sentences is a whole number from 1, or None, found {sentences!r:.40}")


def unit(vector: NDArray[np.float64] | Vectors) -> Vectors:
    """Return a vector at unit length, float32; zeros as they are."""
    size = float(np.linalg.norm(vector))
    scaled: Vectors = (vector / size if size > 0 else vector).astype(np.float32)
    return scaled
