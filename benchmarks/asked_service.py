"""A service that a benchmark asks: started as a user would, and asked by a process of its own (`load_generator`)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from load_generator import Outcome, Specification

from engine.service.access.keys import KeyRing

UNLIMITED = {"QUIRE_SERVICE_RATE_PER_MINUTE": "10000000", "QUIRE_SERVICE_BURST": "1000000"}


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

    def processor(self) -> float:
        """Return the seconds of processor time that it has used."""
        used = 0
        for pid in (self.process.pid, *self.children()):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += int(fields[11]) + int(fields[12])
        return used / os.sysconf("SC_CLK_TCK")

    def ask(self, queries: Sequence[str], clients: int, **more: Any) -> tuple[Outcome, float]:
        """Return what comes of asking it, and the seconds of processor time that it took."""
        before = self.processor()
        outcome = generated(self.spec(queries, clients, **more))
        return outcome, self.processor() - before

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
