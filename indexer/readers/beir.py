"""BEIR folders: `corpus.jsonl` with the documents, beside queries and judgements, which are not for indexing."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator

from indexer.document import Document, ReadFailure
from indexer.readers.jsonl import read_jsonl
from indexer.readers.options import ReadOptions

CORPUS = ("corpus.jsonl", "corpus.jsonl.gz")


def corpus_file(names: Collection[str]) -> str:
    """Return which of a folder's `names` is its BEIR corpus, or the empty string."""
    return next((name for name in CORPUS if name in names), "")


def read_beir(
    stream: io.BufferedReader, source: str, options: ReadOptions
) -> Iterator[Document | ReadFailure]:
    """Yield the documents of a BEIR corpus: lines of `{"_id", "title", "text", "metadata"}`.

    Raises:
        Unreadable: see `jsonl.read_jsonl`.
    """
    return read_jsonl(stream, source, options)
