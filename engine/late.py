"""Late interaction: every token of the query looks for its like among a passage's own tokens.

MaxSim of ColBERT (Khattab and Zaharia, SIGIR 2020, section 3.3), as a mean weighted by how much each token's word says
(its idf). The tokens' vectors are a by-product of making the passages' vectors; `IndexReader.late_scores` compares
them.
"""

from __future__ import annotations

import math

import numpy as np

from engine.fusion import Floats
from engine.snapshot import Snapshot
from indexer.encoding import Spans, TokenVectors
from indexer.protocol import Numbers, Scores

PASSAGES = 3
"""Of a document so many of its best passages are compared."""

_LEAST = 0.1


def token_weights(text: str, spans: Spans, snapshot: Snapshot) -> Scores:
    """Return how much each token of a query says, shape (t,), none below 0.

    A token weighs what its word does, ln(1 + (N - n + ½) / (n + ½)) with the word in n of N passages; a token of
    several words the mean of theirs. Words that queries leave out, and what belongs to no word, weigh a tenth of the
    least of the others: grammar is in the vectors of the words around it.

    Args:
        text: What was encoded.
        spans: The tokens' characters in it, shape (t, 2).
        snapshot: The index, for its analyser and how frequent terms are.
    """
    analyser = snapshot.reader.analyser
    total = snapshot.reader.passage_count
    weights = np.full(len(spans), np.nan)
    telling = [word for word in analyser.tokens(text) if not analyser.is_stopword(word.term)]
    frequency = snapshot.frequencies(word.term for word in telling)
    words = sorted((word.start, word.end, _idf(frequency[word.term], total)) for word in telling)
    begun: list[tuple[int, int, float]] = []  # words that may reach into this token, as both go forward
    waiting = 0
    for at, (start, end) in enumerate(spans.tolist()):
        while waiting < len(words) and words[waiting][0] < end:
            begun.append(words[waiting])
            waiting += 1
        begun = [word for word in begun if word[1] > start]
        met = [idf for first, _, idf in begun if first < end]
        if met and end > start:
            weights[at] = math.fsum(met) / len(met)
    if np.isnan(weights).all():
        return np.ones(len(spans), dtype=np.float32)
    return np.where(np.isnan(weights), _LEAST * np.nanmin(weights), weights).astype(np.float32)


def _idf(frequency: int, total: int) -> float:
    return math.log1p((max(total - frequency, 0) + 0.5) / (frequency + 0.5))


def late_interaction(snapshot: Snapshot, text: str, tokens: TokenVectors, passages: list[Numbers]) -> Floats:
    """Return for each document the best late interaction of the passages given of it, shape (m,).

    Args:
        snapshot: The index.
        text: The query as it was encoded.
        tokens: Its tokens.
        passages: Each document's passages, at least one.

    Returns:
        About -1 to 1; NaN where no passage of a document has tokens.
    """
    weights = token_weights(text, tokens.spans, snapshot)
    scores = snapshot.reader.late_scores(tokens.vectors, weights, np.concatenate(passages))
    starts = np.cumsum([0, *(len(numbers) for numbers in passages[:-1])])
    best: Floats = np.fmax.reduceat(scores.astype(np.float64), starts)
    return best
