"""What readers cost: bytes on the disk, time to add, to load, to forget.

    python benchmarks/reader_store.py [--readers 100000] [--each 20] [--long 10000] [--at elasticsearch://host:9200/name]

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
from engine.personal.elastic.store import ElasticReaderStore
from engine.personal.opening import open_readers
from engine.personal.readers import Readers

START = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENTS = 50_000
BATCH = 250  # readers whose events are committed at once


def fill(store: Readers, readers: int, each: int) -> float:
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


def size(store: Readers, place: str) -> int:
    if not isinstance(store, ElasticReaderStore):
        return sum(path.stat().st_size for path in (Path(place) / "readers").iterdir())
    index = store._index
    index.cluster.request("POST", f"/{index.index}/_forcemerge", params={"max_num_segments": 1}, timeout=600)
    found = index.cluster.request("GET", f"/{index.index}/_stats/store")
    return int(found["_all"]["primaries"]["store"]["size_in_bytes"])


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
    parser.add_argument("--at", metavar="ADDRESS", help="an index on Elasticsearch; its readers are dropped")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_readers(asked.at or folder) as store:
        name = asked.at or folder
        rate = fill(store, asked.readers, asked.each)
        print(f"{asked.readers:,} readers of {asked.each} events: {rate:,.0f} events added a second")
        print(f"on the disk: {size(store, name) / asked.readers:,.0f} bytes a reader")
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
            f"forgetting one reader: {time.perf_counter() - began:.1f} s, {size(store, name) / 1e6:,.0f} MB afterwards"
        )
        if isinstance(store, ElasticReaderStore):
            store._index.cluster.request("DELETE", f"/{store._index.index}")


def fresh(place: str) -> None:
    with open_readers(place) as store:
        store.history("long")


if __name__ == "__main__":
    main()
