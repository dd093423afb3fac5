"""Documents in, an index out.

    read_corpus    files and folders  -> `Document`s (and `ReadFailure`s, never an exception for one bad file)
    Splitter       a `Document`       -> `Passage`s that fit the encoder
    Analyser       text               -> the terms that BM25 counts, for documents and queries alike
    load_encoder   a model's name     -> an `Encoder`: text -> unit vectors
    Index          all of these, kept on disk: one writer, any number of readers, each of one generation
    open_index     the index in a folder, or at an address on Elasticsearch; create_index makes one
    index_corpus   the whole road from documents to a committed index, with progress and an honest report

Whatever loads slowly (numpy, ONNX Runtime, the format libraries) is loaded when a name is first used, so
`import indexer` costs milliseconds. Nothing here knows of queries, ranking or users: that is `engine`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from indexer.document import Block, Document, MetadataValue, Passage, ReadFailure
from indexer.errors import (
    CorpusFormatError,
    FingerprintMismatch,
    IndexChanged,
    IndexCorrupt,
    IndexExists,
    IndexFull,
    IndexingError,
    IndexLocked,
    IndexNotFound,
    IndexUnavailable,
    IndexVersionMismatch,
    InvalidDocument,
    InvalidFilter,
    InvalidSettings,
    ModelError,
    ModelNotFound,
)
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range, filter_from_json

if TYPE_CHECKING:
    from indexer.analyser import Analyser
    from indexer.backend import DocumentIndex
    from indexer.elastic.settings import ElasticSettings
    from indexer.encoder import load_encoder
    from indexer.encoding import Encoder, TokenEncoder, TokenVectors
    from indexer.index import Index
    from indexer.opening import create_index, open_index
    from indexer.pipeline import IndexingReport, index_corpus
    from indexer.readers import ReadOptions, read_corpus
    from indexer.sharding import Shard
    from indexer.splitter import Splitter, SplitterSettings

__all__ = [
    "Analyser",
    "And",
    "Block",
    "CorpusFormatError",
    "Document",
    "DocumentIndex",
    "ElasticSettings",
    "Encoder",
    "Eq",
    "Exists",
    "Filter",
    "FingerprintMismatch",
    "In",
    "Index",
    "IndexChanged",
    "IndexCorrupt",
    "IndexExists",
    "IndexFull",
    "IndexLocked",
    "IndexNotFound",
    "IndexUnavailable",
    "IndexVersionMismatch",
    "IndexingError",
    "IndexingReport",
    "InvalidDocument",
    "InvalidFilter",
    "InvalidSettings",
    "MetadataValue",
    "ModelError",
    "ModelNotFound",
    "Not",
    "Or",
    "Passage",
    "Range",
    "ReadFailure",
    "ReadOptions",
    "Shard",
    "Splitter",
    "SplitterSettings",
    "TokenEncoder",
    "TokenVectors",
    "create_index",
    "filter_from_json",
    "index_corpus",
    "load_encoder",
    "open_index",
    "read_corpus",
]

_LAZY = {
    "Analyser": "indexer.analyser",
    "DocumentIndex": "indexer.backend",
    "ElasticSettings": "indexer.elastic.settings",
    "Encoder": "indexer.encoding",
    "Index": "indexer.index",
    "IndexingReport": "indexer.pipeline",
    "ReadOptions": "indexer.readers",
    "Shard": "indexer.sharding",
    "Splitter": "indexer.splitter",
    "SplitterSettings": "indexer.splitter",
    "TokenEncoder": "indexer.encoding",
    "TokenVectors": "indexer.encoding",
    "create_index": "indexer.opening",
    "index_corpus": "indexer.pipeline",
    "load_encoder": "indexer.encoder",
    "open_index": "indexer.opening",
    "read_corpus": "indexer.readers",
}


def __getattr__(name: str) -> object:
    if name in _LAZY:
        value: object = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
