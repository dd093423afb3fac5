"""Writers in processes of their own, some of which die on the way; in a module, so that a new process can import it."""

from __future__ import annotations

import itertools
import os
import signal
from dataclasses import replace
from typing import Any

from indexer.document import Document
from indexer.elastic.index import ElasticIndex
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from indexer.encoder.hashing import HashingEncoder
from indexer.pipeline import index_corpus
from indexer.sharding import Shard
from small_corpus import make_document

DIM = 32
DOCUMENTS = 60
SMALL = ElasticSettings(replicas=0, bulk_megabytes=0.1)


def first() -> list[Document]:
    """Return what is in the index before: of some documents older versions, and some that are to go."""
    older = [make_document(number, words=900, seed=1) for number in range(0, DOCUMENTS, 3)]
    return older + [Document(f"gone-{number}", "to be deleted " * 300) for number in range(5)]


def second() -> list[Document]:
    """Return what is to be in the index in the end."""
    return [make_document(number, words=200 + 25 * (number % 17)) for number in range(DOCUMENTS)]


def index_until(address: str, limit: int, after: bool) -> None:
    """Index the second corpus; die at the writing request of this number, before or after it is answered."""
    ask = Cluster.request
    numbers = itertools.count(1)

    def counting(self: Cluster, method: str, path: str, **words: Any) -> Any:
        number = next(numbers) if method in ("PUT", "DELETE") or path == "/_bulk" else 0
        if number == limit and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = ask(self, method, path, **words)
        if number == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Cluster.request = counting  # type: ignore[method-assign]
    with ElasticIndex.open(address, settings=SMALL, encoder=HashingEncoder(DIM)) as index:
        index_corpus(index, second(), delete_missing=True, commit_passages=200)


def index_shard(address: str, shard: str) -> None:
    """Index one shard of the second corpus."""
    settings = replace(SMALL, bulk_megabytes=0.2)
    with ElasticIndex.open(address, settings=settings, encoder=HashingEncoder(DIM)) as index:
        index_corpus(index, second(), shard=Shard.parse(shard), delete_missing=True, commit_passages=300)
