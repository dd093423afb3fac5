"""Latency of the first stage on 100,000 real-like passages, beside tantivy called directly and rank-bm25.

    python benchmarks/first_stage.py [--passages 100000] [--queries 200] [--index FOLDER] [--no-rank-bm25]

Prints the machine, the p50 and p95 of each way to answer the same queries, the ratios, and the memory and
time that opening the index takes in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tantivy
from machine import describe
from real_like import MixingEncoder, ProseWalk

from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from indexer.document import Document
from indexer.encoder import load_encoder
from indexer.index import Index
from indexer.pipeline import index_corpus
from indexer.protocol import Clause, LexicalQuery

PASSAGES_A_DOCUMENT = 10
WORDS_A_PASSAGE = 130


def build(folder: Path, passages: int) -> None:
    """Make the index, once."""
    prose = ProseWalk()
    encoder = MixingEncoder(load_encoder(), prose)
    index = Index.create(folder, encoder=encoder)
    made = 0

    def documents() -> list[Document]:
        nonlocal made
        while made < passages:
            text = "\n\n".join(prose.text(WORDS_A_PASSAGE) + "." for _ in range(PASSAGES_A_DOCUMENT))
            yield Document(f"d{made}", text, title=prose.query(3), metadata={"year": 1990 + made % 35})
            made += PASSAGES_A_DOCUMENT

    started = time.monotonic()
    report = index_corpus(index, documents())
    print(f"built {report.encoded:,} passages in {time.monotonic() - started:.0f} s", file=sys.stderr)


def timed(function: Callable[[str], object], queries: list[str]) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds, after a warm-up on the first ten."""
    for query in queries[:10]:
        function(query)
    times = []
    for query in queries:
        started = time.perf_counter()
        function(query)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[18]


def direct(folder: Path, index: Index) -> Callable[[str], object]:
    """Return a search by tantivy alone: the same terms, fields and weights, passage numbers out."""
    lexical = next(path for path in sorted(folder.glob("epoch-*/lexical-*"), reverse=True))
    raw = tantivy.Index.open(str(lexical))
    searcher, schema, analyser = raw.searcher(), raw.schema, index.analyser
    query_of, occur = tantivy.Query, tantivy.Occur

    def search(text: str) -> object:
        parts = []
        for term in dict.fromkeys(analyser.query_terms(text)):
            for field, weight in (("title", 0.5), ("headings", 0.5), ("body", 1.0)):
                part = query_of.term_query(schema, field, term, index_option="freq")
                parts.append((occur.Should, part if weight == 1 else query_of.boost_query(part, weight)))
        hits = searcher.search(query_of.boolean_query(parts), limit=200, count=False).hits
        return searcher.fast_field_values("passage", [address for _, address in hits])

    return search


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--index", type=Path, help="keep the index here, and use it again")
    parser.add_argument("--no-rank-bm25", action="store_true", help="leave out the slow peer")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.index or Path(scratch) / "index"
        if not folder.exists():
            build(folder, arguments.passages)
        measure(folder, arguments.queries, not arguments.no_rank_bm25)


def measure(folder: Path, count: int, rank_bm25: bool) -> None:
    """Print the table."""
    prose = ProseWalk(seed=3)
    queries = [prose.query(2 + at % 5) for at in range(count)]
    index = Index.open(folder)
    reader = index.reader()
    analyser = reader.analyser

    def lexical(text: str) -> object:
        clauses = tuple(Clause((term,)) for term in dict.fromkeys(analyser.query_terms(text)))
        return reader.lexical(LexicalQuery(clauses, title=0.5, headings=0.5), 200)

    raw = direct(folder, index)
    engine = SearchEngine.open(folder, settings=SearchSettings(rerank_depth=0))
    rows = {
        "tantivy called directly, 200 deep": timed(raw, queries),
        "quire, BM25 alone, 200 deep": timed(lexical, queries),
        "quire, first stage whole, k = 10": timed(lambda text: engine.search(text, k=10), queries),
    }
    again = timed(raw, queries)
    rows["tantivy called directly, again"] = again
    if rank_bm25:
        rows["rank-bm25 (BM25Okapi.get_scores)"] = timed(by_rank_bm25(index), queries[:20])
    print(f"{describe()}\n{reader.passage_count:,} passages, {count} queries\n")
    print(f"| {'':36} | p50 ms | p95 ms |\n|{'-' * 38}|-------:|-------:|")
    for name, (p50, p95) in rows.items():
        print(f"| {name:36} | {p50:6.2f} | {p95:6.2f} |")
    alone = rows["quire, BM25 alone, 200 deep"][0]
    print(
        f"\nBM25 alone / tantivy: {alone / min(again[0], rows['tantivy called directly, 200 deep'][0]):.2f}"
    )
    if rank_bm25:
        print(f"rank-bm25 / BM25 alone: {rows['rank-bm25 (BM25Okapi.get_scores)'][0] / alone:.0f}")
    stages: dict[str, list[float]] = {}
    for query in queries:
        for stage, milliseconds in engine.search(query, k=10).timings.items():
            stages.setdefault(stage, []).append(milliseconds)
    print(
        "\nstages of the first stage, p50 ms: "
        + ", ".join(f"{s} {statistics.median(v):.2f}" for s, v in stages.items())
    )
    print(f"opening, in a process of its own: {json.dumps(opening(folder))}")


def by_rank_bm25(index: Index) -> Callable[[str], object]:
    """Return a search by rank-bm25 over the same terms."""
    from rank_bm25 import BM25Okapi

    reader = index.reader()
    documents = [int(number) for number in reader.live_documents()]
    terms = []
    for stored in reader.passages([n for d in documents for n in reader.passages_of(d)]):
        terms.append(
            reader.analyser.terms(reader.text(stored.document, stored.passage.start, stored.passage.end))
        )
    oracle = BM25Okapi(terms)
    return lambda text: oracle.get_scores(reader.analyser.query_terms(text))


_OPENING = """
import json, sys, time
from pathlib import Path
started = time.perf_counter()
from indexer.index import Index
index = Index.open(sys.argv[1])
reader = index.reader()
reader.dense(index.encoder.encode_query("warm"), 10)
seconds = time.perf_counter() - started
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) / 1024  # ru_maxrss would include the parent's
print(json.dumps({"passages": reader.passage_count, "seconds": round(seconds, 2), "peak RSS MB": round(peak)}))
"""


def opening(folder: Path) -> dict[str, float]:
    """Return time and peak memory of opening the index, encoder and one vector search included."""
    result = subprocess.run(
        [sys.executable, "-c", _OPENING, str(folder)], capture_output=True, text=True, check=True
    )
    return dict(json.loads(result.stdout))


if __name__ == "__main__":
    main()
