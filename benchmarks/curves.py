"""The curves of docs/curves.md: what depth, alpha, document_share, ef and an 8-bit encoder do to quality and latency.

    python benchmarks/curves.py [NAME ...] [--keep FOLDER] [--out docs/images] [--queries N] [--timed N]

Names are cranfield, qasper80 (depth, alpha and document_share), precision (cranfield, fp32 against int8), and large
(depth and ef on 99,102 real-like passages with a graph, which nobody judged: agreement with an exhaustive search, and
latency). Writes an SVG, a PNG and a JSON file a curve, and prints a table of each. Indexes are made where the folder
has none.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from beir_collections import datasets_folder
from first_stage import build
from real_like import ProseWalk

from engine.settings import SearchSettings
from eval.collection import Judgements, Topic
from eval.curves import Curve, Sweep, chart, measure, sweep, sweep_indexes
from eval.formats import read_collection
from eval.measures import parse_measure
from indexer.encoder import load_encoder
from indexer.encoder.load import Precision
from indexer.index import Index
from indexer.pipeline import index_corpus

NAMES = ("cranfield", "qasper80", "precision", "large")
MEASURES = [parse_measure("nDCG@10"), parse_measure("R@100")]
DEPTHS = (10, 25, 50, 100, 200, 400, 800)
ALPHAS = tuple(round(at / 10, 1) for at in range(11))
SHARES = tuple(at / 8 for at in range(9))
EFS = (48, 64, 128, 256, 512)


class Drawing:
    """Measures sweeps and writes what came of them.

    Args:
        out: Folder of the figures.
        keep: Folder of the indexes.
        queries: How many queries are asked, at most.
        timed: How many of them are timed.
    """

    def __init__(self, out: Path, keep: Path, queries: int, timed: int) -> None:
        self.out, self.keep, self.queries, self.timed = out, keep, queries, timed

    def index(self, name: str, precision: Precision = "fp32") -> Index:
        """Return the index of a collection, made where there is none."""
        encoder = load_encoder(precision=precision)
        folder = self.keep / f"{name}-{encoder.name}{'' if precision == 'fp32' else '-' + precision}"
        if not folder.exists():
            with Index.create(folder, encoder=encoder, precision=precision) as made:
                index_corpus(made, read_collection(datasets_folder() / name).documents())
        return Index.open(folder, encoder=encoder)

    def judged(self, name: str, parameter: str, values: Sequence[float]) -> None:
        """Draw one setting on a collection with judgements."""
        with self.index(name) as index, sweep(index, parameter, values) as engines:
            self.write(engines, name, f"{name}-{parameter}")

    def precision(self, name: str) -> None:
        """Draw the encoder's precision."""
        with self.index(name) as fp32, self.index(name, "int8") as int8:
            self.write(sweep_indexes({"fp32": fp32, "int8": int8}), name, f"{name}-precision")

    def large(self, parameter: str, values: Sequence[int], settings: SearchSettings, name: str) -> None:
        """Draw one setting on the large index."""
        folder = self.keep / "rl100k"
        if not folder.exists():
            build(folder, 100_000)
        prose = ProseWalk(seed=3)
        topics = {f"q{at}": Topic(f"q{at}", prose.query(2 + at % 5)) for at in range(200)}
        with Index.open(folder) as index, sweep(index, parameter, values, settings) as engines:
            self.write(engines, "99,102 passages", name, topics)

    def write(
        self, engines: Sweep, collection: str, name: str, topics: dict[str, Topic] | None = None
    ) -> None:
        """Measure, draw, print."""
        judgements: Judgements | None = None
        if topics is None:
            source = read_collection(datasets_folder() / collection)
            topics, judgements = dict(source.topics), source.judgements
        curve = measure(
            engines, topics, judgements, MEASURES, name=collection, queries=self.queries, timed=self.timed
        )
        self.out.mkdir(parents=True, exist_ok=True)
        chart(curve).save(self.out / f"{name}.svg")
        chart(curve).save(self.out / f"{name}.png")
        curve.save(self.out / f"{name}.json")
        print_table(curve)


def print_table(curve: Curve) -> None:
    """Print a curve as a table of Markdown."""
    print(
        f"\n{curve.parameter} on {curve.collection}: {curve.queries} queries; {curve.index}; {curve.machine}\n"
    )
    print(f"| {curve.parameter} | " + " | ".join([*curve.measures, "agreement", "p50 ms", "p95 ms"]) + " |")
    print("|---|" + "---:|" * (len(curve.measures) + 3))
    for point in curve.points:
        shared = "" if point.agreement is None else f"{point.agreement:.4f}"
        figures = [
            *(f"{mean:.4f}" for mean in point.quality.values()),
            shared,
            f"{point.p50:.1f}",
            f"{point.p95:.1f}",
        ]
        mark = " (chosen)" if point.value == curve.chosen else ""
        print(f"| {point.value}{mark} | " + " | ".join(figures) + " |", flush=True)


def main() -> None:
    """Draw the curves named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--keep", type=Path, help="keep the indexes here, and use them again")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--queries", type=int, default=0, help="of more, so many are taken, evenly; 0: all")
    parser.add_argument("--timed", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        drawing = Drawing(arguments.out, arguments.keep or Path(scratch), arguments.queries, arguments.timed)
        for name in arguments.names:
            if name == "precision":
                drawing.precision("cranfield")
            elif name == "large":
                drawing.large("depth", DEPTHS, SearchSettings(rerank_depth=0), "large-depth")
                drawing.large("ef", EFS, SearchSettings(alpha=1.0, depth=25, rerank_depth=0), "large-ef")
            else:
                drawing.judged(name, "depth", DEPTHS)
                drawing.judged(name, "alpha", ALPHAS)
                drawing.judged(name, "document_share", SHARES)


if __name__ == "__main__":
    main()
