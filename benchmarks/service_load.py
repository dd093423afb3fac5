"""What a service bears: requests a second and latencies at 1, 8 and 64 clients, and ten thousand requests with faults.

    python benchmarks/service_load.py INDEX [--seconds 15] [--requests 10000] [--reranker default]

`quire serve` runs as it is, but for its rates, over a copy of INDEX, and is asked by another process (`load_generator`)
for passages' headings of the index itself. Its peer in the same run is the engine without a service: `engine.search` by
as many threads as the service has, for as many askers. `CPU ms` is what the processes that answered used of the
processor, for each answer: it says what the service costs where others use the machine, too. Under load a service does
less for each search, and says so: the column `lighter` is the share of answers that did.

The ten thousand are asked of two processes by eight clients. When a third is done documents are added to the index;
when two thirds are, one of the two processes is killed. What it was answering is cut off, and asked again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from asked_service import Server, generated, generating, served
from load_generator import Outcome
from machine import describe

from engine import SearchEngine, SearchSettings
from engine.configuration import load
from indexer import Document, index_corpus
from indexer.opening import open_index

CLIENTS = (1, 8, 64)
NEW = "quokkatango"
"""A word that no document has, but those that are added."""


def directly(
    engine: SearchEngine, queries: Sequence[str], clients: int, seconds: float
) -> tuple[Outcome, float]:
    """Ask an engine without a service, by as many threads as a service has; waiting for one of them counts.

    Returns what came of it, and the seconds of processor time that it took.
    """
    outcome, lock, until = Outcome(), threading.Lock(), time.perf_counter() + seconds
    counter = iter(range(10**9))
    threads = len(os.sched_getaffinity(0))

    def answer(query: str) -> object:
        return engine.search(query, k=10).to_json()

    def client(pool: ThreadPoolExecutor) -> None:
        while time.perf_counter() < until:
            with lock:
                query = queries[next(counter) % len(queries)]
            began = time.perf_counter()
            pool.submit(answer, query).result()
            took = (time.perf_counter() - began) * 1000
            with lock:
                outcome.latencies.append(took)

    began, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool, ThreadPoolExecutor(clients) as askers:
        for _ in range(clients):
            askers.submit(client, pool)
    outcome.answered, outcome.seconds = len(outcome.latencies), time.perf_counter() - began
    return outcome, time.process_time() - used


def queries_of(index: Path, count: int = 1000) -> list[str]:
    """Return headings of an index's passages, without what a query's syntax would read into them."""
    with open_index(index) as opened:
        reader = opened.reader()
        numbers = random.Random(0).sample(range(reader.passage_count), min(4 * count, reader.passage_count))
        found = {
            record.passage.headings[-1] for record in reader.passages(numbers) if record.passage.headings
        }
    words = (" ".join(re.findall(r"\w+", text)[:8]) for text in sorted(found))
    return [text for text in dict.fromkeys(words) if len(text) > 3][:count]


def row(name: str, clients: int, outcome: Outcome, processor: float | None = None) -> str:
    """Return a row of the table."""
    ordered = sorted(outcome.latencies)
    p50, p95, p99 = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95, 0.99))
    each = "" if processor is None else f"{processor / outcome.answered * 1000:.1f}"
    lighter = outcome.degraded / max(outcome.answered, 1)
    return (
        f"| {name} | {clients} | {outcome.answered / outcome.seconds:.1f} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {each} "
        f"| {lighter:.0%} | {outcome.refused + outcome.cut_off + outcome.lost + sum(outcome.other.values())} |"
    )


def enlarge(index: Path) -> None:
    """Write a new generation."""
    documents = [Document(f"new-{number}", f"{NEW} number {number}.", NEW) for number in range(20)]
    with open_index(index) as opened:
        index_corpus(opened, iter(documents))


def endurance(index: Path, state: Path, queries: Sequence[str], requests: int, log: Path) -> None:
    """Ask many times, with a new generation and a killed process on the way."""
    with served(index, state, 2, log) as server:
        generated(server.spec(queries, 8, requests=min(400, requests)))
        time.sleep(2)  # until each process has said how large it is
        print(f"\n{requests:,} requests by 8 clients, two processes\n\n| answered | MB | |\n|---|---|---|")
        print(f"| 0 | {_sizes(server)} | |", flush=True)
        outcome = None
        with generating(server.spec(queries, 8, requests=requests)) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if not line.startswith("done"):
                    outcome = Outcome(**json.loads(line))
                    continue
                done, event = int(line.split()[1]), ""
                if done == requests // 3000 * 1000:
                    enlarge(index)
                    event = "20 documents added: a new generation"
                if done == requests * 2 // 3000 * 1000:
                    victim = server.children()[0]
                    os.kill(victim, signal.SIGKILL)
                    event = f"process {victim} killed"
                print(f"| {done:,} | {_sizes(server)} | {event} |", flush=True)
        assert outcome is not None
        found = generated(server.spec([NEW], 1, requests=50))
        time.sleep(2)
        print(f"| after {50} more | {_sizes(server)} | generations {found.generations} |")
        print(
            f"\nOf {requests:,} requests {outcome.answered:,} were answered, {outcome.lost} lost, "
            f"{sum(outcome.other.values())} refused for good; {outcome.cut_off} were cut off and {outcome.refused} "
            f"told to come again (503), and answered then. Generations seen: {outcome.generations}.\n"
        )
        print(HEAD)
        print(row("all of them", 8, outcome))


HEAD = (
    "| | clients | requests a second | p50 ms | p95 ms | p99 ms | CPU ms | lighter | asked again |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def _sizes(server: Server) -> str:
    return ", ".join(f"{size:.0f}" for size in server.resident().values())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--reranker", default="none", help="a cross-encoder to measure, too, at 1 and 8 clients"
    )
    arguments = parser.parse_args()
    print(f"{describe()}; load before {os.getloadavg()[0]:.1f}")
    queries, seconds = queries_of(arguments.index), arguments.seconds
    print(
        f"{len(queries)} queries, {seconds:g} s each, rerank_depth {load().search.rerank_depth}\n\n{HEAD}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as scratch:
        index, state, log = (Path(scratch) / name for name in ("index", "state", "log"))
        shutil.copytree(arguments.index, index)
        state.mkdir()
        ways: dict[str, dict[str, object]] = {"second stage": {}, "first stage": {"rerank_depth": 0}}
        for way, body in ways.items():
            with SearchEngine.open(index, settings=SearchSettings(**body)) as engine:  # type: ignore[arg-type]
                directly(engine, queries, 1, 1.0)
                for clients in CLIENTS:
                    came = directly(engine, queries, clients, seconds)
                    print(row(f"engine, {way}", clients, *came), flush=True)
        with served(index, state, arguments.workers, log) as server:
            for way, body in ways.items():
                generated(server.spec(queries, 1, seconds=1.0, body=body))
                for clients in CLIENTS:
                    came = server.ask(queries, clients, seconds=seconds, body=body)
                    print(row(f"service, {way}", clients, *came), flush=True)
        if arguments.reranker != "none":
            named = {"QUIRE_SEARCH_RERANKER": arguments.reranker}
            with served(index, state, arguments.workers, log, **named) as server:
                for clients in (1, 8):
                    came = server.ask(queries, clients, seconds=seconds)
                    print(row(f"service, {arguments.reranker} reranker", clients, *came), flush=True)
        if arguments.requests:
            endurance(index, state, queries, arguments.requests, log)
        errors = [line for line in log.read_text().splitlines() if '"level": "error"' in line]
        print(f"\nErrors in the service's log: {len(errors)}")
        for line in errors[:5]:
            print(f"    {line:.300}")


if __name__ == "__main__":
    main()
