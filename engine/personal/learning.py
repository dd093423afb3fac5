"""Learning what readers share: `learn`, from the beginning or from where it stood.

Only documents whose readers changed are gone over, and those that lost something. What comes of it is the same, bit
for bit, as from the beginning. Readers who flood are left out by `Readers.reads`: a
script that reads a thousand documents in an hour changes nobody's list.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from engine.errors import ReaderStoreBusy
from engine.personal.coreading import CoReading, nearest, reads_of

if TYPE_CHECKING:
    from engine.personal.readers import Readers

Tell: TypeAlias = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""

_TRIES = 5
_TOLD = 1000  # readers between two words of progress


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt.

    Args:
        at: When, in seconds since 1970.
        readers: Whose reading it rests on.
        reads: How many documents they read, each counted once for each reader.
        documents: How many documents those are.
        with_neighbours: How many of these were read together with others.
        floods: Readers left out because they have more events than a person makes.
        refreshed: Documents that were gone over, this time.
        seconds: How long it took.
        settings: How it was counted.
    """

    at: float
    readers: int
    reads: int
    documents: int
    with_neighbours: int
    floods: int
    refreshed: int
    seconds: float
    settings: CoReading

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return asdict(self)


def learnt(store: Readers) -> Learnt | None:
    """Return what was learnt last; None before anything was.

    Raises:
        ReaderStoreError: the store cannot be read.
    """
    return _last(store.lists.facts())


def learn(
    store: Readers, settings: CoReading | None = None, *, anew: bool = False, tell: Tell | None = None
) -> Learnt:
    """Learn which documents the same readers read, or bring what was learnt up to date.

    It may be stopped at any time: what was learnt before holds until the end, when all is written.

    Args:
        store: The readers.
        settings: How much common readers prove. With others than last time, everything is gone over.
        anew: Go over everything in any case.
        tell: Is told how far it is.

    Raises:
        ReaderStoreBusy: readers were being erased, or it was learnt elsewhere, all the while.
        ReaderStoreError: the store cannot be read or written.
    """
    settings = settings or CoReading()
    began = time.monotonic()
    if not store.exists:
        return Learnt(time.time(), 0, 0, 0, 0, 0, 0, 0.0, settings)
    for _ in range(_TRIES):
        done = _learn_once(store, settings, anew, tell or _silent, began)
        if done is not None:
            return done
    raise ReaderStoreBusy(
        f"{store.place}: something was erased, or learnt by another process, each of the {_TRIES} times that it was "
        "learnt from; learn again later"
    )


def _learn_once(store: Readers, settings: CoReading, anew: bool, tell: Tell, began: float) -> Learnt | None:
    """Learn; return None, with nothing kept, where what it rests on was taken back meanwhile."""
    lesson = store.lists.lesson()
    last = _last(lesson.facts)
    fresh = anew or last is None or last.settings != settings
    reads = reads_of(_counted(store.reads(), lesson.readers, tell), settings.most)
    rows = np.arange(len(reads.doc_ids)) if fresh else lesson.touched(reads)
    found = list(nearest(reads, rows, settings, lambda done: tell("documents", done, len(rows))))
    floods = len(store.floods())

    done: list[Learnt] = []

    def facts(linked: int) -> str:
        made = Learnt(
            at=time.time(),
            readers=len(reads.weights),
            reads=len(reads.read),
            documents=len(reads.doc_ids),
            with_neighbours=linked,
            floods=floods,
            refreshed=len(rows),
            seconds=round(time.monotonic() - began, 3),
            settings=settings,
        )
        done.append(made)
        return json.dumps(made.to_json())

    return done[-1] if lesson.keep(reads, found, fresh=fresh, facts=facts) else None


def _last(facts: str) -> Learnt | None:
    if not facts:
        return None
    values = json.loads(facts)
    return Learnt(**{**values, "settings": CoReading(**values["settings"])})


def _counted(
    readers: Iterable[tuple[str, tuple[str, ...]]], in_all: int, tell: Tell
) -> Iterator[tuple[str, tuple[str, ...]]]:
    for done, reader in enumerate(readers, 1):
        if done % _TOLD == 0:
            tell("readers", done, in_all)
        yield reader


def _silent(doing: str, done: int, total: int) -> None:
    """Tell nobody."""
