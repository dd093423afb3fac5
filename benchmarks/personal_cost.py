"""What personal results cost: the same queries asked by nobody and by a reader with a long history, in turn.

    python benchmarks/personal_cost.py INDEX --topics queries.jsonl.gz [--events 10000] [--queries 100] [--rounds 3]

The index is copied, and a reader is made up who met its documents at random over a year, with co-reading learnt from
200 others. Printed are medians over the queries of the best of the rounds, for the whole search and for the stages that
personal results add (profile, propose, interests); how long the first search after an event takes, which makes the
profile anew; and how much longer a search of somebody unknown takes. Where other work is going on, the time that the
processor spends on the search says more than the clock does.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from machine import describe

from engine import Event, Query, SearchEngine, SearchSettings

STAGES = ("profile", "propose", "interests")


def made_up(doc_ids: list[str], user_id: str, count: int, seed: int) -> list[Event]:
    """Return events of one reader over the last year, at random."""
    chance, now = random.Random(seed), datetime.now(UTC)
    kinds = ("read", "read", "read", "click", "like", "save", "dislike")
    return [
        Event(user_id, chance.choice(doc_ids), chance.choice(kinds), now - timedelta(seconds=3000 * n + 60))
        for n in range(count)
    ]


def texts(path: Path, count: int) -> list[str]:
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        found = list(dict.fromkeys(json.loads(line)["text"] for line in lines))
    return random.Random(1).sample(found, min(count, len(found)))


def milliseconds(task: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    task()
    return (clock() - started) * 1000


def learn(engine: SearchEngine) -> None:
    from engine.personal.learning import learn as learn_together

    learn_together(engine.readers)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    queries = texts(arguments.topics, arguments.queries)
    print(describe())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        shutil.copytree(arguments.index, folder, ignore=shutil.ignore_patterns("readers"))
        settings = SearchSettings(passages_per_hit=1)
        with SearchEngine.open(folder, settings=settings) as engine:
            reader = engine._current().reader
            doc_ids = sorted({hit.doc_id for text in queries for hit in engine.search(text, k=200).hits})
            print(f"{reader.document_count:,} documents, {reader.passage_count:,} passages")
            engine.record(made_up(doc_ids, "long", arguments.events, seed=2))
            for number in range(200):
                engine.record(made_up(doc_ids, f"other{number}", 20, seed=number + 10))
            took = milliseconds(lambda: learn(engine))
            print(f"co-reading learnt in {took:,.0f} ms")
            asked = {
                "nobody": lambda text: Query(text),
                "unknown": lambda text: Query(text, user_id="unknown"),
                "reader": lambda text: Query(text, user_id="long"),
            }
            for make in asked.values():
                for text in queries[:5]:
                    engine.search(make(text))
            best: dict[str, list[float]] = {name: [float("inf")] * len(queries) for name in asked}
            busy: dict[str, list[float]] = {name: [float("inf")] * len(queries) for name in asked}
            stages = {name: [float("inf")] * len(queries) for name in STAGES}
            for _ in range(arguments.rounds):
                for at, text in enumerate(queries):
                    for name, make in asked.items():
                        query = make(text)
                        best[name][at] = min(
                            best[name][at], milliseconds(lambda query=query: engine.search(query))
                        )
                        took_busy = milliseconds(lambda query=query: engine.search(query), time.thread_time)
                        busy[name][at] = min(busy[name][at], took_busy)
                        if name == "reader":
                            timings = engine.search(query).timings
                            for stage in STAGES:
                                stages[stage][at] = min(stages[stage][at], timings.get(stage, 0.0))
            print("\n| | p50 ms | p95 ms |\n|---|---|---|")
            for name, took_each in {**best, **stages}.items():
                ordered = sorted(took_each)
                print(
                    f"| {name} | {statistics.median(ordered):.2f} | {ordered[int(0.95 * len(ordered))]:.2f} |"
                )
            for what, table in (("", best), (" of processor time in the thread that asks", busy)):
                more = [mine - theirs for mine, theirs in zip(table["reader"], table["nobody"], strict=True)]
                print(
                    f"\nA reader's search takes {statistics.median(more):+.2f} ms{what} (median of the differences)."
                )
            anew = []
            for at in range(10):
                event = Event("long", doc_ids[at], "click", datetime.now(UTC) - timedelta(seconds=at))
                anew.append((milliseconds(lambda event=event: engine.record([event])), 0.0))
                profile = engine.search(Query(queries[0], user_id="long")).timings["profile"]
                anew[-1] = (anew[-1][0], profile)
            print(
                f"Recording an event {statistics.median(one for one, _ in anew):.1f} ms, the profile after it "
                f"{statistics.median(two for _, two in anew):.1f} ms."
            )


if __name__ == "__main__":
    main()
