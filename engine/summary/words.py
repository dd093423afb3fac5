"""How well sentences answer a query by its words: BM25 of each, as a share of the most there could be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.snapshot import Snapshot
from indexer.analyser import Analyser

_K1, _B = 1.2, 0.75  # as in the index


class QueryWords(NamedTuple):
    """The terms of a query.

    Args:
        counts: How often the query says each.
        weights: How much each says (`Snapshot.weights`).
    """

    counts: Mapping[str, int]
    weights: Mapping[str, float]


def query_words(snapshot: Snapshot, text: str) -> QueryWords:
    """Return the terms of a query that occur in the index."""
    counts = Counter(snapshot.reader.analyser.query_terms(text))
    frequencies = snapshot.frequencies(counts)
    known = {term: count for term, count in counts.items() if frequencies[term]}
    return QueryWords(known, snapshot.weights(known))


def shares(analyser: Analyser, texts: Sequence[str], query: QueryWords) -> NDArray[np.float64]:
    """Return each text's BM25 over the sum of the query's weights, from 0 up to below 1; float64, shape (n,).

    BM25 is Lucene's, with k1 1.2 and b 0.75; lengths are against the mean of these texts, rarity is the index's.
    """
    total = sum(count * query.weights[term] for term, count in query.counts.items())
    if not texts or total <= 0:
        return np.zeros(len(texts), dtype=np.float64)
    bags = [Counter(analyser.terms(text)) for text in texts]
    lengths = np.array([sum(bag.values()) for bag in bags], dtype=np.float64)
    norms = _K1 * (1.0 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
    scores = np.zeros(len(texts), dtype=np.float64)
    for term, count in query.counts.items():
        often = np.array([bag[term] for bag in bags], dtype=np.float64)
        scores += count * query.weights[term] * often / (often + norms)
    return scores / total


def spans(analyser: Analyser, text: str, query: QueryWords) -> list[tuple[int, int]]:
    """Return where the query's words stand in a text, in order; those that touch or overlap are one."""
    found: list[tuple[int, int]] = []
    for token in analyser.find(text, query.counts.keys()):
        if token.start == token.end:
            continue
        if found and token.start <= found[-1][1]:  # as the characters and bigrams of Chinese do
            found[-1] = (found[-1][0], max(found[-1][1], token.end))
        else:
            found.append((token.start, token.end))
    return found
