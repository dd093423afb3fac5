"""Development collections in BEIR layout, read for benchmarks.

They are sought in the folder that QUIRE_DATASETS names, or else in `../shared/datasets` beside the repository.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.document import Document

NAIVE = {  # nDCG@10 of a plain script: stemmed BM25, MiniLM on the first 256 tokens, mean of both after min-max
    "cranfield": (0.519, 0.502, 0.563),
    "cisi": (0.396, 0.418, 0.454),
    "time": (0.744, 0.655, 0.783),
}


@dataclass(frozen=True)
class Collection:
    """Documents, queries by id, and judgements: query id to document id to grade."""

    name: str
    documents: list[Document]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    spans: dict[str, dict[str, Any]]


def datasets_folder() -> Path:
    """Return the folder of the collections, or stop with advice."""
    folder = Path(os.environ.get("QUIRE_DATASETS", Path(__file__).parents[2] / "shared" / "datasets"))
    if not folder.is_dir():
        raise SystemExit(f"no collections in {folder}; set QUIRE_DATASETS to a folder of BEIR collections")
    return folder


def read_collection(name: str, split: str = "") -> Collection:
    """Read a collection; queries without judgement are left out."""
    folder = datasets_folder() / name
    documents = [
        Document(record["_id"], record["text"], title=record.get("title") or "")
        for record in _records(folder / "corpus.jsonl.gz")
    ]
    suffix = f".{split}" if split else ""
    queries_file = folder / f"queries{suffix}.jsonl.gz"
    queries = {
        record["_id"]: record["text"]
        for record in _records(queries_file if queries_file.exists() else folder / "queries.jsonl.gz")
    }
    qrels: dict[str, dict[str, int]] = {}
    with gzip.open(folder / f"qrels{suffix}.tsv.gz", "rt", encoding="utf-8") as file:
        for row in list(csv.reader(file, delimiter="\t"))[1:]:
            qrels.setdefault(row[0], {})[row[1]] = int(row[2])
    spans: dict[str, dict[str, Any]] = {}
    for path in folder.glob("spans.jsonl*"):
        for record in _records(path):
            spans[str(record["query"])] = record
    kept = {query: queries[query] for query in qrels if query in queries}
    return Collection(name, documents, kept, {query: qrels[query] for query in kept}, spans)


def _records(path: Path) -> list[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
