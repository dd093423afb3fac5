"""One document of twenty million characters: split, indexed, and searched.

    python benchmarks/long_document.py [--characters 20000000]

Splitting is for real, with the default encoder's tokenizer; where others use the machine, the processor's seconds
are the ones to compare. Vectors are mixed, not encoded. The peer of a snippet's reading is reading the whole text
from the index.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from machine import describe
from real_like import MixingEncoder, ProseWalk

from engine.search_engine import SearchEngine
from indexer.document import Document
from indexer.encoder import load_encoder
from indexer.index import Index
from indexer.pipeline import index_corpus
from indexer.splitter import Splitter

CHINESE = "我们在实验中发现，这种方法能够显著提高检索的准确率。然而，当文档很长的时候，结果并不总是令人满意！"


def split_seconds(splitter: Splitter, text: str) -> tuple[int, float, float]:
    """Return how many passages there are, how long it took, and how long all processors together."""
    started, busy = time.perf_counter(), time.process_time()
    passages = splitter.split(Document("long", text))
    return len(passages), time.perf_counter() - started, time.process_time() - busy


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=int, default=20_000_000)
    size = parser.parse_args().characters
    encoder = load_encoder()
    splitter = Splitter(encoder)
    prose = ProseWalk()
    paragraph = [prose.text(150) + "." for _ in range(2000)]
    english = "\n\n".join(paragraph * (size // sum(len(text) + 2 for text in paragraph) + 1))[:size]
    print(f"{describe()}\n\n| {size:,} characters | passages | seconds to split | of processor |")
    print("|---|---:|---:|---:|")
    for name, text in (
        ("English prose", english),
        ("one line without a space", "a1" * (size // 2)),
        ("a table", "| cell one | 17.5 | three |\n" * (size // 28)),
        ("Chinese prose", CHINESE * (size // len(CHINESE))),
    ):
        count, seconds, busy = split_seconds(splitter, text)
        print(f"| {name} | {count:,} | {seconds:.1f} | {busy:.1f} |", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        index = Index.create(Path(scratch) / "index", encoder=MixingEncoder(encoder, prose))
        index_corpus(index, [Document("long", english, title="A very long document")])
        engine, reader = SearchEngine(index, index.encoder), index.reader()
        times: dict[str, list[float]] = {
            "a search with snippets": [],
            "500 characters of the middle": [],
            "all of it": [],
        }
        for turn in range(30):
            query = prose.query(4)
            for name, act in (
                ("a search with snippets", lambda query=query: engine.search(query)),
                ("500 characters of the middle", lambda at=size // 2 + turn: reader.text(0, at, at + 500)),
                ("all of it", lambda: reader.text(0, 0, size)),
            ):
                started = time.perf_counter()
                act()
                times[name].append((time.perf_counter() - started) * 1000)
        print(f"\n| of that document in {reader.passage_count:,} passages | p50 ms |\n|---|---:|")
        for name, taken in times.items():
            print(f"| {name} | {statistics.median(taken):.2f} |")


if __name__ == "__main__":
    main()
