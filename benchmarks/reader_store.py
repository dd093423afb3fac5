"""What readers cost: bytes on the disk, time to add, to load, to forget.

    python benchmarks/reader_store.py [--readers 100000] [--each 20] [--long 10000]

Readers, documents and times are made up; documents are drawn as in a log, the first ones far more often than the last.
Times are wall-clock but for the long history's, whose computing is given too; on a busy machine look at the medians.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.event import Event
from engine.personal.store import ReaderStore

START = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENTS = 50_000
BATCH = 250  # readers whose events are committed at once


def fill(store: ReaderStore, readers: int, each: int) -> float:
    """Add everybody's events; return how many a second."""
    chance = random.Random(3)
    names = [f"article-{number:05}" for number in range(DOCUMENTS)]
    weights = [1 / (number + 10) for number in range(DOCUMENTS)]
    began = time.perf_counter()
    for first in range(0, readers, BATCH):
        store.add(
            Event(f"reader-{number:07}", name, "read", START - timedelta(seconds=chance.randrange(10**8)))
            for number in range(first, min(first + BATCH, readers))
            for name in chance.choices(names, weights, k=each)
        )
    return readers * each / (time.perf_counter() - began)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "readers").iterdir())


def timed(call: Callable[[], object], rounds: int, clock: Callable[[], float] = time.perf_counter) -> str:
    """Return the median and the 95th percentile of a call, in milliseconds."""
    taken = []
    for _ in range(rounds):
        began = clock()
        call()
        taken.append((clock() - began) * 1000)
    return f"p50 {statistics.median(taken):8.3f} ms, p95 {sorted(taken)[int(rounds * 0.95)]:8.3f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=100_000, metavar="N", help="how many (100000)")
    parser.add_argument("--each", type=int, default=20, metavar="N", help="events of each (20)")
    parser.add_argument(
        "--long", type=int, default=10_000, metavar="N", help="events of one with a long history"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ReaderStore.open(name) as store:
        rate = fill(store, asked.readers, asked.each)
        print(f"{asked.readers:,} readers of {asked.each} events: {rate:,.0f} events added a second")
        print(f"on the disk: {size(Path(name)) / asked.readers:,.0f} bytes a reader")
        store.add(
            Event("long", f"article-{number % DOCUMENTS:05}", at=START - timedelta(hours=number))
            for number in range(asked.long)
        )
        strangers = iter(random.Random(4).choices(range(asked.readers), k=200))
        print("has a reader changed?        ", timed(lambda: store.version("reader-0000007"), 200))
        print(
            f"a history of {asked.each} events      ",
            timed(lambda: store.history(f"reader-{next(strangers):07}"), 200),
        )
        print(f"one of {asked.long:,}, first time ", timed(lambda: fresh(name), 9))
        print("  of that, computing         ", timed(lambda: fresh(name), 9, time.process_time))
        number = iter(range(1000))
        store.history("long")
        print(
            "adding one event             ",
            timed(lambda: store.add([Event("long", f"new-{next(number)}")]), 20),
        )
        print("the long one after these     ", timed(lambda: store.history("long"), 1))
        began = time.perf_counter()
        store.forget("reader-0000003")
        print(
            f"forgetting one reader: {time.perf_counter() - began:.1f} s, {size(Path(name)) / 1e6:,.0f} MB afterwards"
        )


def fresh(folder: str) -> None:
    with ReaderStore.open(folder) as store:
        store.history("long")


if __name__ == "__main__":
    main()
