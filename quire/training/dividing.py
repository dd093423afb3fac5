"""Mined examples divided into those to learn from and those to measure on, weighed, and mixed with older ones."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from typing import overload

from quire.training.events import Noted, Tell
from quire.training.recipe import Recipe, SplitSettings
from reranker.data.example import Example, TrainingData
from reranker.data.judged import JudgedDocument, JudgedQuery
from reranker.data.splitting import split_queries
from reranker.data.wording import text_hash
from reranker.training.replay import mix

Place = tuple[int, int]
"""Which of several sequences, and where in it."""


class Chosen(Sequence[Example]):
    """Some examples of several sequences, each read when it is asked for.

    Args:
        pools: The sequences.
        places: Which examples, in which order; one may come several times.
    """

    def __init__(self, pools: Sequence[Sequence[Example]], places: Sequence[Place]) -> None:
        self._pools = pools
        self._places = places

    def __len__(self) -> int:
        """How many examples."""
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        """The example at a place, or those of a slice."""
        if isinstance(index, slice):
            return Chosen(self._pools, self._places[index])
        pool, at = self._places[index]
        return self._pools[pool][at]

    def __iter__(self) -> Iterator[Example]:
        """The examples in order."""
        return (self[at] for at in range(len(self)))


def all_places(pools: Sequence[Sequence[Example]]) -> list[Place]:
    """Return the places of all examples."""
    return [(pool, at) for pool, examples in enumerate(pools) for at in range(len(examples))]


def divided(
    pools: Sequence[Sequence[Example]], settings: SplitSettings, tell: Tell
) -> tuple[list[Place], list[Place]]:
    """Return the places of examples to learn from, and of those to measure on.

    All sources are divided together: where two ask the same, both stay on one side. Memory holds queries and hashes.
    """
    places = all_places(pools)
    if not settings.share or not places:
        return places, []
    keys = [_key(number, pools[pool][at]) for number, (pool, at) in enumerate(places)]
    parts = split_queries(keys, settings.share, seed=settings.seed, most=settings.most)
    if not parts.documents_apart:
        tell(
            Noted(
                "queries to measure on are kept apart from those to learn from, but some of their answers are not: too "
                "many queries have answers in common",
                warning=True,
            )
        )
    train, dev = ([places[int(key.query_id)] for key in part] for part in (parts.train, parts.dev))
    return train, dev


def weighed(places: Sequence[Place], weights: Sequence[float], seed: int) -> list[Place]:
    """Return places so that those of a pool come as often as its weight says: 2.5 is twice, and half of them again."""
    found: list[Place] = []
    for pool, weight in enumerate(weights):
        own = [place for place in places if place[0] == pool]
        whole = math.floor(weight)
        some = random.Random(f"{seed}/{pool}").sample(range(len(own)), round((weight - whole) * len(own)))
        found += own * whole + [own[at] for at in sorted(some)]
    return found


def mixed(new: TrainingData, old: TrainingData, recipe: Recipe, tell: Tell) -> TrainingData:
    """Return new data with a sample of old among them.

    Old queries to learn from that are new ones to measure on are left out, and old ones to measure on that are new ones
    to learn from: neither measure is of what was learnt by heart.
    """
    learnt = {text_hash(example.query) for example in new.train}
    measured = {text_hash(example.query) for example in new.dev}
    train, dropped = _without(old.train, measured)
    dev, more = _without(old.dev, learnt)
    if dropped or more:
        tell(
            Noted(
                f"of the old data {dropped + more:,} queries were left out: the new data have them on the other side"
            )
        )
    kept = TrainingData(train, dev, old.fingerprint)
    return mix(new, kept, recipe.replay.share, recipe.split.seed)


def _without(examples: Sequence[Example], queries: set[bytes]) -> tuple[Sequence[Example], int]:
    kept = [(0, at) for at, example in enumerate(examples) if text_hash(example.query) not in queries]
    return Chosen([examples], kept), len(examples) - len(kept)


def _key(number: int, example: Example) -> JudgedQuery:
    """Return what splitting needs of an example: its query, and names of what answers it."""
    pairs = zip(example.passages, example.grades, strict=True)
    answers = tuple(
        JudgedDocument(text_hash(passage.text).hex(), 1.0) for passage, grade in pairs if grade > 0
    )
    return JudgedQuery(str(number), example.query, answers)
