"""What a service bears: requests a second and latencies at 1, 8 and 64 clients, and ten thousand requests with faults.

    python benchmarks/service_load.py INDEX [--seconds 15] [--requests 10000] [--reranker default]

`quire serve` runs as it is, but for its rates, over a copy of INDEX, and is asked by another process (`load_generator`)
for passages' headings of the index itself. Its peer in the same run is the engine without a service: `engine.search` by
as many threads as the service has, for as many askers. Under load a service does less for each search, and says so: the
column `lighter` is the share of answers that did.

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
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from load_generator import Outcome, Specification
from machine import describe

from engine import SearchEngine, SearchSettings
from engine.configuration import load
from engine.service.access.keys import KeyRing
from indexer import Document, index_corpus
from indexer.opening import open_index

CLIENTS = (1, 8, 64)
UNLIMITED = {"QUIRE_SERVICE_RATE_PER_MINUTE": "10000000", "QUIRE_SERVICE_BURST": "1000000"}
NEW = "quokkatango"
"""A word that no document has, but those that are added."""


@dataclass
class Server:
    """A service that runs.

    Args:
        process: What was started.
        port: Where it answers.
        key: An API key for it.
    """

    process: subprocess.Popen[str]
    port: int
    key: str

    def spec(self, queries: Sequence[str], clients: int, **more: Any) -> Specification:
        """Return what to ask it."""
        return Specification("127.0.0.1", self.port, self.key, list(queries), clients, **more)

    def resident(self) -> dict[str, float]:
        """Return the megabytes of each process, by its number, as it says itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        found = re.findall(r'^quire_resident_bytes(?:\{pid="(\d+)"\})? (\S+)$', text, re.MULTILINE)
        return {number or "0": float(size) / 2**20 for number, size in sorted(found)}

    def children(self) -> list[int]:
        """Return the processes that answer, where several do."""
        pid = self.process.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(one) for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


@contextmanager
def served(index: Path, state: Path, workers: int, log: Path, **environment: str) -> Iterator[Server]:
    """Serve an index in processes of its own."""
    _, key = KeyRing(state).create(("search",), tenant="default")
    words = [sys.executable, "-m", "quire", "serve", str(index), "--port", "0", "--state", str(state)]
    with log.open("a") as errors:
        process = subprocess.Popen(
            [*words, "--workers", str(workers)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | UNLIMITED | environment,
        )
    try:
        assert process.stdout is not None
        said = re.search(r"http://[^ ]*:(\d+)", process.stdout.readline())
        if said is None:
            raise SystemExit(f"the service did not start:\n{log.read_text()}")
        yield Server(process, int(said[1]), key)
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(120)
        print(f"\nThe service ended with status {status}.")


@contextmanager
def generating(asked: Specification) -> Iterator[subprocess.Popen[str]]:
    """Start the generator."""
    script = Path(__file__).with_name("load_generator.py")
    process = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(asked)))
    process.stdin.close()
    yield process
    process.wait()


def generated(asked: Specification) -> Outcome:
    """Return what comes of asking."""
    with generating(asked) as process:
        assert process.stdout is not None
        *_, last = process.stdout
    return Outcome(**json.loads(last))


def directly(engine: SearchEngine, queries: Sequence[str], clients: int, seconds: float) -> Outcome:
    """Ask an engine without a service, by as many threads as a service has; waiting for one of them counts."""
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

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool, ThreadPoolExecutor(clients) as askers:
        for _ in range(clients):
            askers.submit(client, pool)
    outcome.answered, outcome.seconds = len(outcome.latencies), time.perf_counter() - began
    return outcome


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


def row(name: str, clients: int, outcome: Outcome) -> str:
    """Return a row of the table."""
    ordered = sorted(outcome.latencies)
    p50, p95, p99 = (ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95, 0.99))
    lighter = outcome.degraded / max(outcome.answered, 1)
    return (
        f"| {name} | {clients} | {outcome.answered / outcome.seconds:.1f} | {p50:.1f} | {p95:.1f} | {p99:.1f} "
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
    "| | clients | requests a second | p50 ms | p95 ms | p99 ms | lighter | asked again |\n"
    "|---|---|---|---|---|---|---|---|"
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
                    print(
                        row(f"engine, {way}", clients, directly(engine, queries, clients, seconds)),
                        flush=True,
                    )
        with served(index, state, arguments.workers, log) as server:
            for way, body in ways.items():
                generated(server.spec(queries, 1, seconds=1.0, body=body))
                for clients in CLIENTS:
                    outcome = generated(server.spec(queries, clients, seconds=seconds, body=body))
                    print(row(f"service, {way}", clients, outcome), flush=True)
        if arguments.reranker != "none":
            named = {"QUIRE_SEARCH_RERANKER": arguments.reranker}
            with served(index, state, arguments.workers, log, **named) as server:
                for clients in (1, 8):
                    outcome = generated(server.spec(queries, clients, seconds=seconds))
                    print(row(f"service, {arguments.reranker} reranker", clients, outcome), flush=True)
        if arguments.requests:
            endurance(index, state, queries, arguments.requests, log)
        errors = [line for line in log.read_text().splitlines() if '"level": "error"' in line]
        print(f"\nErrors in the service's log: {len(errors)}")
        for line in errors[:5]:
            print(f"    {line:.300}")


if __name__ == "__main__":
    main()
