"""Learning something new without forgetting the old: new data, and a sample of the old among them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import overload

from reranker.data.example import Example, TrainingData
from reranker.errors import InvalidTrainingSettings

OLD = "replay: "
"""What is put before the source of an example that is repeated."""


def mix(new: TrainingData, old: TrainingData, share: float, seed: int = 0) -> TrainingData:
    """Return new data with a sample of old data among them.

    The development queries of both are kept, so that a run's report can show what happened to the old measure as
    well as to the new one. Old examples have `replay: ` before their source. Nothing is read but the examples
    that are asked for.

    Args:
        new: All of it is trained on.
        old: What an earlier model was trained on.
        share: The share of old examples among those to train on, from 0 (none) to less than 1. Where there are too
            few old ones for it, all of them are taken.
        seed: Of the sample.

    Raises:
        InvalidTrainingSettings: the share cannot be.
    """
    if not 0 <= share < 1:
        raise InvalidTrainingSettings(f"the share of old data is from 0 to less than 1; found {share!r}")
    wanted = min(len(old.train), round(len(new.train) * share / (1 - share)))
    sample = sorted(random.Random(seed).sample(range(len(old.train)), wanted))
    digest = blake2b(digest_size=16)
    digest.update(f"{new.fingerprint} {old.fingerprint} {share!r} {seed}".encode())
    return TrainingData(
        Joined(new.train, Replayed(old.train, sample)),
        Joined(new.dev, Replayed(old.dev, range(len(old.dev)))),
        digest.hexdigest(),
    )


class Replayed(Sequence[Example]):
    """Some of a sequence's examples, with `replay: ` before their source; read when they are asked for."""

    def __init__(self, examples: Sequence[Example], places: Sequence[int]) -> None:
        self._examples = examples
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | Sequence[Example]:
        if isinstance(place, slice):
            return Replayed(self._examples, self._places[place])
        example = self._examples[self._places[place]]
        return replace(example, source=f"{OLD}{example.source.removeprefix(OLD)}")


class Joined(Sequence[Example]):
    """One sequence after the other, without copying them."""

    def __init__(self, first: Sequence[Example], second: Sequence[Example]) -> None:
        self._first = first
        self._second = second

    def __len__(self) -> int:
        return len(self._first) + len(self._second)

    def __iter__(self) -> Iterator[Example]:
        yield from self._first
        yield from self._second

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | Sequence[Example]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        index = place + len(self) if place < 0 else place
        if not 0 <= index < len(self):
            raise IndexError(f"{place} of {len(self)} examples")
        return self._first[index] if index < len(self._first) else self._second[index - len(self._first)]
