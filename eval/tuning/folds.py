"""Folds: which queries choose values, and which judge the choice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from eval.errors import InvalidEvaluation
from eval.tuning.trial import Folds, JudgedQuery


def query_folds(queries: Sequence[JudgedQuery], folds: int = 5, seed: int = 0) -> Folds:
    """Return each query's fold, 0 to folds - 1: shape (n,).

    Kin are in one fold, so that no query is judged by values that its twin chose. Each collection is spread evenly,
    by a hash, so that the same query is in the same fold whatever the order of the file.

    Raises:
        InvalidEvaluation: fewer than two folds are asked for, or a collection has fewer groups of kin than folds.
    """
    if folds < 2:
        raise InvalidEvaluation(f"cross-validation needs at least 2 folds, found {folds}")
    families: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, query in enumerate(queries):
        families[query.collection][query.kin].append(at)
    numbers = np.zeros(len(queries), dtype=np.int64)
    for collection, kin in families.items():
        if len(kin) < folds:
            raise InvalidEvaluation(
                f"{collection} has {len(kin)} different judged queries, too few for {folds} folds; "
                "ask for fewer folds, or judge more queries"
            )

        def order(name: str, collection: str = collection) -> tuple[int, bytes]:
            digest = blake2b(f"{seed}/{collection}/{name}".encode("utf-8", "replace"), digest_size=8).digest()
            return -len(families[collection][name]), digest

        sizes = [0] * folds
        for name in sorted(kin, key=order):  # the large families first, each to the smallest fold
            least = min(range(folds), key=lambda fold: (sizes[fold], fold))
            sizes[least] += len(kin[name])
            numbers[kin[name]] = least
    return numbers


def collection_folds(queries: Sequence[JudgedQuery]) -> Folds:
    """Return a fold for each collection: what is chosen on all others is judged on it.

    Raises:
        InvalidEvaluation: there is only one.
    """
    names = list(dict.fromkeys(query.collection for query in queries))
    if len(names) < 2:
        raise InvalidEvaluation("leaving a collection out needs at least two collections, found one")
    return np.array([names.index(query.collection) for query in queries], dtype=np.int64)
