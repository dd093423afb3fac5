"""Ranking quality of the first stage on development collections, beside simpler ways to do it.

    python benchmarks/quality.py [COLLECTION ...] [--encoder NAME] [--alpha A] [--queries N] [--keep FOLDER]

For each collection: nDCG@10 and recall@100 (by ir_measures) of words alone, meaning alone and both, as
`SearchEngine` answers; of one vector a document (the mean of its passages') and of the first passage's vector
alone; and the naive floor where the collection has one. For collections with evidence spans also how often
the right document is among the first ten *and* the passage shown of it overlaps the evidence.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ir_measures
import numpy as np
from beir_collections import NAIVE, Collection, read_collection
from ir_measures import R, nDCG
from machine import describe

from engine.query import Query
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.encoding import Encoder
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.pipeline import index_corpus

DEFAULT = ("cranfield", "cisi", "time", "qasper80", "qmsum")
MEASURES = (nDCG @ 10, R @ 100)
Run = dict[str, dict[str, float]]
Spans = dict[str, tuple[str, int, int]]


def sampled(collection: Collection, most: int) -> Collection:
    """Return the collection with at most so many of its queries, spread evenly over all of them."""
    step = max(1, -(-len(collection.queries) // most))
    kept = list(collection.queries)[::step]
    return replace(
        collection,
        queries={query: collection.queries[query] for query in kept},
        qrels={query: collection.qrels[query] for query in kept},
    )


def searched(engine: SearchEngine, collection: Collection, settings: SearchSettings) -> tuple[Run, Spans]:
    """Return the run, and the best passage that each query shows of each of the first ten documents."""
    run: Run = {}
    shown: dict[str, tuple[str, int, int]] = {}
    for query_id, text in collection.queries.items():
        ranking = engine.search(Query(text, operators=False), k=100, settings=settings)
        run[query_id] = {hit.doc_id: 1.0 / hit.rank for hit in ranking.hits}
        for hit in ranking.hits[:10]:
            best = hit.passages[0]
            shown[f"{query_id}\t{hit.doc_id}"] = (hit.doc_id, best.start, best.end)
    return run, shown


def by_one_vector(
    reader: LocalReader, encoder: Encoder, collection: Collection, pool: Callable[[np.ndarray], np.ndarray]
) -> Run:
    """Return the run of one vector a document, which `pool` makes of those of its passages."""
    documents = [
        int(n) for n in reader.live_documents() if len(reader.passages_of(int(n)))
    ]  # not the empty ones
    ids = reader.doc_ids(np.array(documents))
    pooled = np.stack([pool(reader.vectors(reader.passages_of(document))) for document in documents])
    pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-9)
    run: Run = {}
    for query_id, text in collection.queries.items():
        scores = pooled @ encoder.encode_query(text)
        best = np.argsort(-scores, kind="stable")[:100]
        run[query_id] = {ids[at]: 1.0 / rank for rank, at in enumerate(best.tolist(), 1)}
    return run


def evidence_share(collection: Collection, shown: Spans) -> tuple[float, float]:
    """Return the share of queries whose right document is in the first ten and shows evidence, and of those found."""
    found = good = 0
    for query_id, record in collection.spans.items():
        if query_id not in collection.queries:
            continue
        span = shown.get(f"{query_id}\t{record['doc']}")
        if span is not None:
            found += 1
            good += any(start < span[2] and span[1] < end for start, end in record["spans"])
    total = sum(query_id in collection.queries for query_id in collection.spans)
    return good / max(total, 1), good / max(found, 1)


def first_passages(reader: LocalReader, run: Run) -> Spans:
    """Return the first passage of the first ten documents of each query: what a system without passages shows."""
    spans: Spans = {}
    for query_id, scores in run.items():
        for doc_id in list(scores)[:10]:
            stored = reader.find(doc_id)
            if stored is not None:
                first = reader.passages(reader.passages_of(stored.number)[:1])[0].passage
                spans[f"{query_id}\t{doc_id}"] = (doc_id, first.start, first.end)
    return spans


def measure(name: str, encoder: Encoder, folder: Path, mixed: float, most: int) -> None:
    """Index a collection where it is not yet, and print its table."""
    collection = sampled(read_collection(name), most)
    started = time.monotonic()
    if not folder.exists():
        Index.create(folder, encoder=encoder)
    with Index.open(folder, encoder=encoder) as index:  # a run that was interrupted goes on from where it was
        report = index_corpus(index, collection.documents)
    print(f"{name}: {report.encoded:,} passages encoded in {time.monotonic() - started:.0f} s")
    with Index.open(folder, encoder=encoder) as index:
        reader, engine = index.reader(), SearchEngine(index, encoder)
        rows: dict[str, Run] = {}
        shown: dict[str, Spans] = {}
        for label, alpha in (
            ("words alone", 0.0),
            ("meaning alone", 1.0),
            (f"both, alpha {mixed}", mixed),
        ):
            rows[label], shown[label] = searched(
                engine, collection, SearchSettings(alpha=alpha, passages_per_hit=1)
            )
        rows["one vector a document"] = by_one_vector(
            reader, encoder, collection, lambda rows: rows.mean(axis=0)
        )
        rows["first passage only"] = by_one_vector(reader, encoder, collection, lambda rows: rows[0])
        if collection.spans:
            shown["first passage only"] = first_passages(reader, rows["first passage only"])
        print(
            f"\n{name}: {reader.document_count:,} documents, {reader.passage_count:,} passages, "
            f"{len(collection.queries):,} queries, {encoder.name}\n"
        )
        print("| | nDCG@10 | R@100 | evidence shown in 10 | … of those found |\n|---|---|---|---|---|")
        for label, run in rows.items():
            values = ir_measures.calc_aggregate(MEASURES, collection.qrels, run)
            shares = ["", ""]
            if collection.spans and label in shown:
                shares = [f"{share:.3f}" for share in evidence_share(collection, shown[label])]
            print(
                f"| {label} | {values[nDCG @ 10]:.4f} | {values[R @ 100]:.3f} | {shares[0]} | {shares[1]} |"
            )
        if name in NAIVE:
            words, meaning, both = NAIVE[name]
            print(f"| naive floor: words {words}, meaning {meaning}, both | {both:.3f} | | | |")
        print(flush=True)


def main() -> None:
    """Measure the collections named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collections", nargs="*", default=DEFAULT)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument(
        "--alpha", type=float, default=SearchSettings().alpha, help="weight of meaning in both"
    )
    parser.add_argument("--queries", type=int, default=500, help="of more, so many are taken, evenly")
    parser.add_argument("--keep", type=Path, help="keep the indexes here, and use them again")
    arguments = parser.parse_args()
    print(describe())
    encoder = load_encoder(arguments.encoder)
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.collections:
            measure(
                name,
                encoder,
                (arguments.keep or Path(scratch)) / f"{name}-{encoder.name}",
                arguments.alpha,
                arguments.queries,
            )


if __name__ == "__main__":
    main()
