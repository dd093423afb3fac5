"""How long does the report of a large experiment take?

    python benchmarks/reporting.py [--queries N] [--hits N] [--systems N] [--rounds N]

Makes runs of so many queries and hits (1,000 x 1,000, five systems), measures them, and writes their report:
statistics, figures, page. Prints the time of each round; the first includes importing matplotlib, scipy and jinja2.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from machine import describe

from eval.collection import Judgements
from eval.experiment.result import SHOWN, Cell, CollectionFacts, ExperimentResult, Latency
from eval.measures import evaluate, parse_measure
from eval.report import markdown_tables, write_report
from eval.run import Run, in_given_order

MEASURES = ("nDCG@10", "R@100", "RR", "AP", "P@10", "Judged@10", "bpref")
DOCUMENTS = 20_000


def judged(queries: int) -> dict[str, dict[str, int]]:
    choose = random.Random(1)
    return {
        f"q{at}": {f"d{choose.randrange(DOCUMENTS)}": choose.choice((0, 0, 1, 1, 2)) for _ in range(30)}
        for at in range(queries)
    }


def answered(name: str, skill: float, qrels: dict[str, dict[str, int]], hits: int) -> Run:
    """Return a run that puts relevant documents near its top, the more skill the nearer."""
    choose = random.Random(name)
    rankings = {}
    for query, grades in qrels.items():
        found = [f"d{at}" for at in choose.sample(range(DOCUMENTS), hits)]
        for doc_id, grade in grades.items():
            if grade and choose.random() < skill:
                found.insert(int(choose.expovariate(0.02)), doc_id)
        found = list(dict.fromkeys(found))[:hits]
        rankings[query] = in_given_order(
            (doc_id, float(len(found) - rank)) for rank, doc_id in enumerate(found)
        )
    return Run(name, rankings)


def experiment(queries: int, hits: int, systems: int) -> ExperimentResult:
    qrels, measures = judged(queries), [parse_measure(name) for name in MEASURES]
    cells, shown = [], set()
    for at in range(systems):
        run = answered(f"system {at}", 0.3 + 0.1 * at, qrels, hits)
        started = time.perf_counter()
        evaluation = evaluate(run, Judgements(qrels), measures)
        seconds = time.perf_counter() - started
        print(f"{run.name}: {len(MEASURES)} measures in {seconds:.2f} s", flush=True)
        top = {query: list(ranking)[:SHOWN] for query, ranking in run.rankings.items()}
        shown.update(doc_id for found in top.values() for doc_id in found)
        found = {query: len(ranking) for query, ranking in run.rankings.items()}
        latency = Latency(queries, 9.0 + at, 8.0 + at, 20.0 + at, 50.0)
        cells.append(
            Cell("made", run.name, "quire", {}, "0", evaluation, top=top, found=found, latency=latency)
        )
    topics = {query: f"the text of {query}, as long as queries are" for query in qrels}
    titles = {doc_id: f"The title of document {doc_id}, as long as titles are" for doc_id in sorted(shown)}
    facts = CollectionFacts("made", "made", "", "0", DOCUMENTS, topics, queries, qrels, titles)
    names = [cell.pipeline for cell in cells]
    return ExperimentResult(
        "Speed of a report", "", "", measures, names[0], "t", "holm", hits, [facts], names, cells
    )


def main() -> None:
    """Time the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--hits", type=int, default=1000)
    parser.add_argument("--systems", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(describe())
    result = experiment(arguments.queries, arguments.hits, arguments.systems)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        for at in range(arguments.rounds):
            wall, processor = time.perf_counter(), time.process_time()
            write_report(result, path)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            print(
                f"report {at + 1}: {wall:.2f} s ({processor:.2f} s of processor), {path.stat().st_size:,} bytes"
            )
        started = time.perf_counter()
        markdown_tables(result)
        print(f"its Markdown tables: {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
