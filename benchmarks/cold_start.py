"""From process start to answer: `quire --help`, and `quire search` on an index.

    python benchmarks/cold_start.py [INDEX] [--query "how do I ..."] [--runs 9]

Each command runs in a new process, in turns, after one warm-up; the peer is Python starting and doing nothing.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import describe


def seconds(command: list[str]) -> float:
    """Return how long the command takes; it must succeed."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", nargs="?", default="demo-index", help="the demo's, as `make demo` leaves it")
    parser.add_argument("--query", default="how do I run something again when it fails")
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    if not Path(arguments.index).is_dir():
        raise SystemExit(f"no index at {arguments.index}; make demo makes one, or name another")
    quire = [sys.executable, "-m", "quire"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "quire --help": [*quire, "--help"],
        "quire search, words alone": [*quire, "search", arguments.index, arguments.query, "--lexical"],
        "quire search": [*quire, "search", arguments.index, arguments.query],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(arguments.runs + 1):
        for name, command in commands.items():
            taken = seconds(command)
            if turn:
                times[name].append(taken)
    print(f"{describe()}\n\n| | median s | worst s |\n|---|---:|---:|")
    for name, taken in times.items():
        print(f"| `{name}` | {statistics.median(taken):.2f} | {max(taken):.2f} |")


if __name__ == "__main__":
    main()
