"""The same questions to an index in a folder and to one on Elasticsearch: how alike are the answers?

    python benchmarks/elastic_parity.py ADDRESS [COLLECTION ...] [--keep FOLDER] [--queries N] [--json FILE]

Each collection (a BEIR folder; by name one of the development collections) is indexed twice, in FOLDER/NAME and at
ADDRESS-NAME, where that is not done yet. Asked are all topics that somebody judged: by words alone, by meaning alone,
by both (the first stage), as Quire searches without settings (with the second stage), and so by readers, who each
liked three documents that answer the topic before theirs. Printed are, for each way of asking, the mean share of the
first 20 documents that both backends have in common, nDCG@10 of each, and the largest difference between the scores
that they give to one document.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from beir_collections import datasets_folder
from machine import describe

from engine import Event, Query, Ranking, SearchEngine, SearchSettings
from eval.collection import Collection
from eval.formats import read_collection
from eval.measures import evaluate, parse_measure
from eval.run import Run, in_given_order
from indexer import index_corpus, load_encoder
from indexer.encoding import Encoder
from indexer.errors import IndexNotFound
from indexer.opening import create_index, open_index

COLLECTIONS = ("cranfield", "cisi", "time", "qmsum", "cmrc2018_zh")
DEPTH = 20
LIKED = 3
WAYS: Mapping[str, SearchSettings] = {
    "words": SearchSettings(alpha=0.0, rerank_depth=0, passages_per_hit=1),
    "meaning": SearchSettings(alpha=1.0, rerank_depth=0, passages_per_hit=1),
    "hybrid": SearchSettings(rerank_depth=0, passages_per_hit=1),
    "as it comes": SearchSettings(passages_per_hit=1),
    "personal": SearchSettings(passages_per_hit=1),
}


def filled(where: str, collection: Collection, encoder: Encoder) -> None:
    """Make the index of a collection, unless it is there with all of its documents."""
    documents = list(collection.documents())
    try:
        index = open_index(where, encoder=encoder)
    except IndexNotFound:
        index = create_index(where, encoder=encoder)
    with index:
        if index.reader().document_count == len(documents):
            return
        print(f"indexing {len(documents):,} documents at {where} ...", flush=True)
        report = index_corpus(index, iter(documents))
        if report.failures:
            raise SystemExit(f"{len(report.failures)} documents failed; the first: {report.failures[0]}")


def pasts(collection: Collection) -> dict[str, list[str]]:
    """Return by topic what its reader liked: documents that answer the topic before it."""
    judged = [query_id for query_id in collection.topics if query_id in collection.judgements.qrels]
    found = {}
    for before, query_id in zip([judged[-1], *judged], judged, strict=False):
        grades = collection.judgements.qrels[before]
        found[query_id] = sorted(doc_id for doc_id, grade in grades.items() if grade > 0)[:LIKED]
    return found


def answers(
    engine: SearchEngine, collection: Collection, way: str, count: int
) -> Iterator[tuple[str, Ranking]]:
    """Yield topics with the engine's answers."""
    for query_id in list(pasts(collection))[:count]:
        user = f"reader-{query_id}" if way == "personal" else None
        query = Query(collection.topics[query_id].text, user_id=user, operators=False)
        yield query_id, engine.search(query, k=DEPTH, settings=WAYS[way])


def remember(engine: SearchEngine, collection: Collection) -> None:
    """Let each topic's reader like a few documents."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    engine.record(
        [
            Event(f"reader-{query_id}", doc_id, "like", at)
            for query_id, doc_ids in pasts(collection).items()
            for doc_id in doc_ids
        ]
    )


def ndcg(collection: Collection, rankings: Mapping[str, Ranking]) -> float:
    """Return the mean nDCG@10 over the topics that were asked."""
    run = Run(
        "",
        {name: in_given_order((hit.doc_id, hit.score) for hit in one.hits) for name, one in rankings.items()},
    )
    values = evaluate(run, collection.judgements, [parse_measure("nDCG@10")]).values
    [measured] = values.values()
    return statistics.fmean(measured[name] for name in rankings)


def compared(
    collection: Collection, mine: Mapping[str, Ranking], other: Mapping[str, Ranking]
) -> dict[str, float]:
    """Return how alike two backends' answers are."""
    shares, apart = [], 0.0
    for name, ranking in mine.items():
        here = {hit.doc_id: hit.score for hit in ranking.hits}
        there = {hit.doc_id: hit.score for hit in other[name].hits}
        both = here.keys() & there.keys()
        shares.append(len(both) / max(len(here), len(there), 1) if here or there else 1.0)
        apart = max([apart, *(abs(here[doc_id] - there[doc_id]) for doc_id in both)])
    return {
        "overlap": statistics.fmean(shares),
        "worst": min(shares),
        "folder": ndcg(collection, mine),
        "elasticsearch": ndcg(collection, other),
        "apart": apart,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("collections", nargs="*", default=COLLECTIONS)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    print(describe())
    encoder = load_encoder()
    results = []
    print(
        "| collection | asked | topics | in common | least | nDCG@10, folder | Elasticsearch | scores apart |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.collections:
            collection = read_collection(datasets_folder() / name)
            folder = (arguments.keep or Path(scratch)) / name
            address = f"{arguments.address}-{name.lower().replace('_', '-')}"
            for where in (str(folder), address):
                filled(where, collection, encoder)
            with (
                SearchEngine.open(folder, encoder=encoder) as mine,
                SearchEngine.open(address, encoder=encoder) as other,
            ):
                for way in WAYS:
                    if way == "personal":
                        remember(mine, collection)
                        remember(other, collection)
                    found = [
                        dict(answers(engine, collection, way, arguments.queries)) for engine in (mine, other)
                    ]
                    row = compared(collection, *found)
                    results.append({"collection": name, "asked": way, "topics": len(found[0]), **row})
                    print(
                        f"| {name} | {way} | {len(found[0]):,} | {row['overlap']:.4f} | {row['worst']:.2f} "
                        f"| {row['folder']:.4f} | {row['elasticsearch']:.4f} | {row['apart']:.1e} |",
                        flush=True,
                    )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
