"""How fast documents get into Elasticsearch, against the same requests sent as they are.

    python benchmarks/elastic_indexing.py FOLDER elasticsearch://localhost:9200/bench

FOLDER holds an index on disk: its documents are indexed anew, and its vectors and codes are taken as they are, so that
no time goes into encoding. Three things are timed, in turn, several rounds, each into an empty index made the same
way, up to and including the refresh that shows everything:

    raw        the very requests that the writer made, bytes ready in memory, sent by as many threads: the server's pace
    encoded    documents that are split and encoded already: terms, JSON, journal, bulk requests, commit
    writer     everything from `Document` on but encoding: look-up, splitting, hashing too
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.elastic.rebuilding.generations import Generations
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.shape import records
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.bulk import WORKERS
from indexer.elastic.writing.parcels import Writing
from indexer.elastic.writing.writer import ElasticWriter
from indexer.encoding import Vectors
from indexer.index import Index
from indexer.local import truth
from indexer.passage_encoding import PassageEncoder, passage_hash, prepared
from indexer.splitter import Splitter


class Ready(PassageEncoder):
    """Gives the vectors that an index on disk holds, without encoding."""

    def __init__(self, index: Index) -> None:
        self.readable = index.encoder.readable
        self.keeps_tokens = index.keeps_token_vectors
        with closing(truth.connect(index.truth_path())) as connection:
            rows = connection.execute(
                "SELECT hash, vector, codes FROM passages JOIN vectors v ON v.passage = number "
                "LEFT JOIN token_vectors t ON t.passage = number"
                if self.keeps_tokens
                else "SELECT hash, vector, NULL FROM passages JOIN vectors v ON v.passage = number"
            )
            self._known = {digest: (np.frombuffer(vector, "<f4"), codes) for digest, vector, codes in rows}

    def encode(self, texts: list[str]) -> tuple[Vectors, list[bytes]]:
        """Return what is stored for these texts."""
        found = [self._known[passage_hash(text)] for text in texts]
        vectors = np.stack([vector for vector, _ in found]) if found else np.zeros((0, 0), np.float32)
        return vectors, [codes for _, codes in found] if self.keeps_tokens else []


@contextmanager
def fresh(address: str, source: Index, settings: ElasticSettings) -> Iterator[ElasticIndex]:
    """An empty index like `source`, gone afterwards."""
    index = ElasticIndex.create(
        address,
        settings=settings,
        encoder=source.encoder,
        precision=source.encoder_identity.precision,
        passages=source.passages,
        token_vectors=source.keeps_token_vectors,
    )
    try:
        yield index
    finally:
        generation = Generations(index.cluster, address.rsplit("/", 1)[1]).current()
        index.cluster.request("DELETE", f"/{generation.both}")
        index.close()


def writer_of(index: ElasticIndex, source: Index, ready: Ready) -> ElasticWriter:
    """Return a writer that encodes nothing."""
    generation = Generations(index.cluster, index.address.rsplit("/", 1)[1]).current()
    splitter = Splitter(source.encoder, source.passages)
    return ElasticWriter(index.cluster, generation, index.analyser, ready, splitter)


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that some work takes, and this process's share of a processor in that time."""
    started, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - used


def by_writer(
    index: ElasticIndex, source: Index, ready: Ready, documents: Sequence[Document]
) -> tuple[float, float]:
    """Time the writer from documents on."""

    def work() -> None:
        with writer_of(index, source, ready) as writer:
            for document in documents:
                writer.put(document)

    return timed(work)


def by_encoded(
    index: ElasticIndex, source: Index, ready: Ready, parcels: Callable[[], list[Writing]]
) -> tuple[float, float]:
    """Time the writer from what is encoded."""
    found = parcels()

    def work() -> None:
        with writer_of(index, source, ready) as writer:
            for parcel in found:
                writer._deliver(parcel)

    return timed(work)


def by_hand(index: ElasticIndex, requests: Sequence[bytes], names: tuple[str, str]) -> tuple[float, float]:
    """Time requests that are ready, to an index set up for loading."""
    generation = Generations(index.cluster, index.address.rsplit("/", 1)[1]).current()
    settings = {"index.refresh_interval": "-1", "index.number_of_replicas": 0}
    index.cluster.request("PUT", f"/{generation.both}/_settings", body=settings)
    ours = [
        request.replace(names[0].encode(), generation.passages.encode()).replace(
            names[1].encode(), generation.documents.encode()
        )
        for request in requests
    ]

    def send(request: bytes) -> None:
        told = index.cluster.request(
            "POST", "/_bulk", lines=request, params={"filter_path": "errors"}, timeout=600
        )
        if told["errors"]:
            raise SystemExit("the server refused what it took from the writer")

    def work() -> None:
        with ThreadPoolExecutor(WORKERS) as threads:
            list(threads.map(send, ours))
        index.cluster.request("POST", f"/{generation.both}/_refresh", timeout=600)

    return timed(work)


def recorded(index: ElasticIndex, source: Index, ready: Ready, documents: Sequence[Document]) -> list[bytes]:
    """Return the bulk requests that the writer makes, having it write."""
    ask, found, lock = Cluster.request, [], threading.Lock()

    def noting(self: Cluster, method: str, path: str, **words: Any) -> Any:
        if path == "/_bulk":
            with lock:
                found.append(words["lines"])
        return ask(self, method, path, **words)

    Cluster.request = noting  # type: ignore[method-assign]
    try:
        by_writer(index, source, ready, documents)
    finally:
        Cluster.request = ask  # type: ignore[method-assign]
    return found


def encoded_parcels(
    source: Index, ready: Ready, documents: Sequence[Document]
) -> Callable[[], list[Writing]]:
    """Return a function that gives the documents, split and encoded, on their way once more."""
    splitter = Splitter(source.encoder, source.passages)
    made = []
    for document in documents:
        passages = prepared(document, splitter.split(document), ready)
        encodings = []
        for item in passages:
            vectors, codes = ready.encode([item.context] if item.readable else [])
            encodings.append(
                records.Encoding(vectors[0], codes[0] if codes else None)
                if len(vectors)
                else records.Encoding()
            )
        made.append((document, passages, encodings))

    def again() -> list[Writing]:
        parcels = []
        for document, passages, encodings in made:
            parcels.append(Writing(source.analyser, document, document.content_hash(), passages, None, 1))
            parcels[-1].encodings = encodings
        return parcels

    return again


def main() -> None:
    """Run as the module says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("address")
    parser.add_argument("--documents", type=int, default=0, help="only so many")
    parser.add_argument("--repeat", type=int, default=1, help="each so often, under other ids")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--megabytes", type=float, default=8.0)
    arguments = parser.parse_args()
    settings = ElasticSettings(replicas=0, shards=arguments.shards, bulk_megabytes=arguments.megabytes)
    with Index.open(arguments.folder) as source:
        ready = Ready(source)
        documents = list(source.documents())
        documents = documents[: arguments.documents or len(documents)]
        documents = [
            replace(document, doc_id=f"{document.doc_id} {copy}")
            for copy in range(arguments.repeat)
            for document in documents
        ]
        with fresh(arguments.address, source, settings) as index:
            requests = recorded(index, source, ready, documents)
            passages = index.reader().passage_count
            generation = Generations(index.cluster, arguments.address.rsplit("/", 1)[1]).current()
            names = (generation.passages, generation.documents)
            parcels = encoded_parcels(source, ready, documents)
            if not index.verify().sound:
                raise SystemExit("what was written is not sound")
        times: dict[str, list[tuple[float, float]]] = {"raw": [], "encoded": [], "writer": []}
        for _ in range(arguments.rounds):
            with fresh(arguments.address, source, settings) as index:
                times["raw"].append(by_hand(index, requests, names))
            with fresh(arguments.address, source, settings) as index:
                times["encoded"].append(by_encoded(index, source, ready, parcels))
            with fresh(arguments.address, source, settings) as index:
                times["writer"].append(by_writer(index, source, ready, documents))
    raw = statistics.median(seconds for seconds, _ in times["raw"])
    report = {
        "documents": len(documents),
        "passages": passages,
        "megabytes": round(sum(map(len, requests)) / 1e6, 1),
        "requests": len(requests),
        "load": os.getloadavg()[0],
    }
    for name, found in times.items():
        seconds = statistics.median(each for each, _ in found)
        report[name] = {
            "seconds": [round(each, 2) for each, _ in found],
            "processor_seconds": round(statistics.median(used for _, used in found), 2),
            "passages_per_second": round(passages / seconds),
            "of_raw": round(raw / seconds, 3),
        }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
