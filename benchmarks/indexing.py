"""Throughput of indexing beside the encoder's own, and peak memory as the corpus grows.

    python benchmarks/indexing.py [--documents 120] [--precision fp32] [--sizes 10000,20000,40000]

Throughput: the language reference that comes with Python is indexed, and the same passages are encoded alone,
in turns. Memory: indexes of real-like passages (vectors mixed, not encoded) are made, each in a process of
its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from pydoc_data.topics import topics

from machine import describe

from indexer.document import Document
from indexer.encoder import Precision, load_encoder
from indexer.index import Index
from indexer.pipeline import index_corpus
from indexer.splitter import Splitter, contextual_text

_GROWING = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from first_stage import build
build(Path(sys.argv[1]), int(sys.argv[2]))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(round(int(status["VmHWM"].split()[0]) / 1024))  # ru_maxrss would include the parent's
"""


def throughput(count: int, precision: Precision, rounds: int = 3) -> None:
    """Print passages a second of the encoder alone and of indexing, and their ratio."""
    encoder = load_encoder(precision=precision)
    documents = [Document(name, str(text), title=name) for name, text in sorted(topics.items())][:count]
    splitter = Splitter(encoder)
    texts = [
        contextual_text(document.title, passage.headings, document.text[passage.start : passage.end])
        for document in documents
        for passage in splitter.split(document)
    ]
    encoder.encode_passages(texts[:32])
    alone, whole = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        for at in range(0, len(texts), 256):
            encoder.encode_passages(texts[at : at + 256])
        alone.append(len(texts) / (time.perf_counter() - started))
        with tempfile.TemporaryDirectory() as scratch:
            index = Index.create(Path(scratch) / "index", encoder=encoder, precision=precision)
            started = time.perf_counter()
            report = index_corpus(index, documents)
            whole.append(report.encoded / (time.perf_counter() - started))
    ratios = [one / other for one, other in zip(whole, alone, strict=True)]
    print(f"\n{len(documents)} documents, {len(texts):,} passages, {precision}; median of {rounds} rounds\n")
    print("| | passages/s |\n|---|---:|")
    print(f"| the encoder alone | {statistics.median(alone):.1f} |")
    print(f"| indexing: split, analyse, encode, store, commit | {statistics.median(whole):.1f} |")
    print(f"| indexing / encoder | {statistics.median(ratios):.2f} |")


def memory(sizes: list[int]) -> None:
    """Print the peak memory of indexing corpora of different sizes."""
    print("\n| passages | peak RSS MB | of these vectors MB |\n|---:|---:|---:|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            command = [
                sys.executable,
                "-c",
                _GROWING,
                f"{scratch}/index",
                str(size),
                str(Path(__file__).parent),
            ]
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"| {size:,} | {result.stdout.split()[-1]} | {size * 384 * 4 / 1e6:.0f} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=120)
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    parser.add_argument("--sizes", default="10000,20000,40000", help="passages; empty for none")
    arguments = parser.parse_args()
    print(describe())
    throughput(arguments.documents, arguments.precision)
    sizes = [int(size) for size in arguments.sizes.split(",") if size]
    if sizes:
        memory(sizes)


if __name__ == "__main__":
    main()
