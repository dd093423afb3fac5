"""How long measuring takes, beside ir_measures called directly: all standard measures, 1,000 queries x 1,000 hits.

    python benchmarks/measuring.py [--queries N] [--hits N] [--rounds N]

Both start from the same dictionaries, and take turns; the best of the rounds counts. The rows below the table are what
measuring is surrounded by: making a run of scores, writing it and reading it back.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ir_measures
from machine import describe

from eval.collection import Judgements
from eval.formats import read_run, write_run
from eval.measures import evaluate, parse_measure
from eval.run import Run

STANDARD = (
    "nDCG nDCG@5 nDCG@10 nDCG@20 nDCG@100 AP AP@100 RR RR@10 P@1 P@5 P@10 P@20 R@10 R@50 R@100 R@1000 Rprec Bpref "
    "Success@1 Success@5 Success@10 Judged@10 NumRet NumRelRet"
).split()
OURS = ("RBP", "ERR@20", "Latency(p95)")


def collection(queries: int, hits: int, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return judgements and scores: half a query's relevant documents are found, fifty documents judged a query."""
    choose = random.Random(seed)
    qrels, scores = {}, {}
    for number in range(queries):
        found = choose.sample(range(10 * hits), hits)
        judged = choose.sample(found, min(25, hits)) + choose.sample(range(10 * hits), 25)
        qrels[f"q{number}"] = {f"doc-{doc:07}": choose.choice((0, 0, 1, 2)) for doc in judged}
        scores[f"q{number}"] = {f"doc-{doc:07}": choose.gauss(0, 1) for doc in found}
    return qrels, scores


def seconds(task: Callable[[], object]) -> float:
    """Return how long a task took."""
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--hits", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(describe())
    qrels, scores = collection(arguments.queries, arguments.hits)
    run = Run.from_scores("random", scores)
    timed = Run(run.name, run.rankings, dict.fromkeys(run.rankings, 0.01))
    judgements, measures = Judgements(qrels), [parse_measure(name) for name in STANDARD]
    theirs = [ir_measures.parse_measure(name) for name in STANDARD]
    ours = [parse_measure(name) for name in OURS]
    tasks: dict[str, Callable[[], object]] = {
        "ir_measures": lambda: list(ir_measures.iter_calc(theirs, qrels, run.rankings)),
        "eval.measures": lambda: evaluate(run, judgements, measures),
        f"eval.measures, also {', '.join(OURS)}": lambda: evaluate(timed, judgements, measures + ours),
    }
    best = dict.fromkeys(tasks, float("inf"))
    for _ in range(arguments.rounds):
        for name, task in tasks.items():
            best[name] = min(best[name], seconds(task))
    print(f"\n{len(STANDARD)} measures, {arguments.queries:,} queries x {arguments.hits:,} hits\n")
    print("| | seconds | of ir_measures |\n|---|---|---|")
    for name, took in best.items():
        print(f"| {name} | {took:.2f} | {took / best['ir_measures']:.2f} |")
    with tempfile.TemporaryDirectory() as scratch:
        for suffix in ("run", "run.gz", "jsonl", "parquet"):
            path = Path(scratch) / f"r.{suffix}"
            wrote, read = (
                seconds(lambda path=path: write_run(run, path)),
                seconds(lambda path=path: read_run(path)),
            )
            print(f"| write, read .{suffix} | {wrote:.2f}, {read:.2f} | |")
    print(f"| Run.from_scores | {seconds(lambda: Run.from_scores('random', scores)):.2f} | |")


if __name__ == "__main__":
    main()
