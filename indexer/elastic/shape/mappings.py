"""The bodies that the two indexes are made with: pure functions, so that tests can look at them.

Words are analysed here and not by the server: the fields that are scored hold terms joined by spaces, so that words
and scores are those of the embedded index. They are not kept in `_source`; the readable text is, unscored.
Nothing is mapped dynamically: what is not listed is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from indexer.document import FieldKind
from indexer.elastic.shape import metadata
from indexer.errors import InvalidSettings
from indexer.identity import EncoderIdentity
from indexer.splitter import SplitterSettings
from indexer.token_coding import TokenCoding

Quantisation: TypeAlias = Literal["int8", "int4", "bbq", "none"]

FORMAT = 1
K1, B = 1.2, 0.75
FIELD_LIMIT = 10_000  # of names in one mapping; Elasticsearch's own default is 1,000

_GRAPHS: Mapping[Quantisation, str] = {
    "int8": "int8_hnsw",
    "int4": "int4_hnsw",
    "bbq": "bbq_hnsw",
    "none": "hnsw",
}
_M, _EF_CONSTRUCTION = 16, 100
_BBQ_LEAST = 64  # dimensions
_WIDEST = 4096
_UNSEARCHED: dict[str, Any] = {"type": "text", "index": False}  # of any length, in `_source` alone
_STATED = {"index": False}  # in a column, not searched


@dataclass(frozen=True, slots=True)
class Made:
    """How an index was made: kept in the mapping's `_meta`, and never changed.

    Args:
        language: The analyser's.
        analyser: Its fingerprint.
        encoder: Which made the vectors.
        passages: How documents were split.
        coding: How tokens' vectors are written down; None when they are not kept.
        quantisation: Of the vectors.
        created: When, in ISO 8601.
    """

    language: str
    analyser: str
    encoder: EncoderIdentity
    passages: SplitterSettings
    coding: TokenCoding | None
    quantisation: Quantisation
    created: str

    def to_meta(self) -> dict[str, str]:
        """Return it as `_meta` holds it."""
        meta = {
            "quire_format": str(FORMAT),
            "language": self.language,
            "analyser": self.analyser,
            "encoder": json.dumps(asdict(self.encoder)),
            "passages": json.dumps(asdict(self.passages)),
            "quantisation": self.quantisation,
            "created": self.created,
        }
        if self.coding is not None:
            meta["token_coding"] = self.coding.to_text()
        return meta

    @classmethod
    def from_meta(cls, meta: Mapping[str, str]) -> Made:
        """Return what `to_meta` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is no such thing; see `format_of`.
        """
        quantisation = next((known for known in _GRAPHS if known == meta["quantisation"]), None)
        if quantisation is None:
            raise ValueError(f"{meta['quantisation']!r} is no quantisation")
        return cls(
            meta["language"],
            meta["analyser"],
            EncoderIdentity(**json.loads(meta["encoder"])),
            SplitterSettings(**json.loads(meta["passages"])),
            TokenCoding.from_text(meta["token_coding"]) if "token_coding" in meta else None,
            quantisation,
            meta["created"],
        )


def format_of(meta: Mapping[str, Any]) -> str:
    """Return the format version of an index from its `_meta`; the empty string when it is not Quire's."""
    return str(meta.get("quire_format", ""))


def passages_body(made: Made, *, shards: int, replicas: int) -> dict[str, Any]:
    """Return the body that the index of passages is made with.

    Raises:
        InvalidSettings: the quantisation is not possible for vectors of that length.
    """
    properties: dict[str, Any] = {
        "number": {"type": "long"},
        "document": {"type": "long"},
        "doc_id": {"type": "keyword"},
        "ordinal": {"type": "integer", **_STATED},
        "start": {"type": "integer", **_STATED},
        "end": {"type": "integer", **_STATED},
        "tokens": {"type": "integer", **_STATED},
        "page": {"type": "integer", **_STATED},
        "path": dict(_UNSEARCHED),
        "hash": {"type": "keyword", "index": False, "doc_values": False},
        "text": dict(_UNSEARCHED),
        "title": _terms("positions"),
        "headings": _terms("positions"),
        "body": _terms("positions"),
        "vector": _vector(made.encoder.dim, made.quantisation),
        "meta": {"type": "object", "dynamic": "strict", "properties": {}},
    }
    if made.coding is not None:
        properties["codes"] = {"type": "binary", "doc_values": True}
    return _body(made, properties, ["title", "headings", "body", "codes"], shards, replicas)


def documents_body(made: Made, *, shards: int, replicas: int) -> dict[str, Any]:
    """Return the body that the index of documents is made with: their records, texts, and the state of the whole."""
    properties: dict[str, Any] = {
        "kind": {"type": "keyword"},
        # a document's record
        "number": {"type": "long"},
        "doc_id": {"type": "keyword"},
        "title_text": dict(_UNSEARCHED),
        "source": dict(_UNSEARCHED),
        "metadata": dict(_UNSEARCHED),
        "blocks": dict(_UNSEARCHED),
        "pages": dict(_UNSEARCHED),
        "length": {"type": "integer", **_STATED},
        "passages": {"type": "integer", **_STATED},
        "vectors": {"type": "integer", **_STATED},
        "content_hash": {"type": "keyword", "index": False},
        "generation": {"type": "long"},
        "meta": {"type": "object", "dynamic": "strict", "properties": {}},
        "title": _terms("freqs"),
        "text": _terms("freqs"),
        "words": {"type": "text", "analyzer": "whitespace", "index_options": "docs", "norms": False},
        "mean": {"type": "binary", "doc_values": True},
        # a piece of its text
        "document": {"type": "long"},
        "start": {"type": "integer", **_STATED},
        "chunk": dict(_UNSEARCHED),
        # the state of the index, and writers at work
        "relaxed": {"type": "object", "enabled": False},
        "started": {"type": "long", **_STATED},
        "beat": {"type": "long", **_STATED},
        "worker": dict(_UNSEARCHED),
        "machine": dict(_UNSEARCHED),
        "pending": {"type": "object", "enabled": False},
        "repairing": {"type": "boolean", **_STATED},
    }
    return _body(made, properties, ["title", "text", "words", "mean"], shards, replicas)


def metadata_body(fields: Iterable[tuple[str, FieldKind]], *, as_json: bool) -> dict[str, Any]:
    """Return the mapping to put before documents with these metadata fields come: `as_json` for documents."""
    return {"properties": {"meta": {"properties": metadata.properties(fields, as_json=as_json)}}}


def _terms(options: Literal["positions", "freqs"]) -> dict[str, Any]:
    return {"type": "text", "analyzer": "whitespace", "similarity": "quire", "index_options": options}


def _vector(dim: int, quantisation: Quantisation) -> dict[str, Any]:
    if quantisation == "bbq" and dim < _BBQ_LEAST:
        raise InvalidSettings(
            f'quantisation "bbq" needs vectors of {_BBQ_LEAST} numbers or more, the encoder\'s have {dim}: '
            'choose "int8"'
        )
    if quantisation == "int4" and dim % 2:
        raise InvalidSettings(
            f'quantisation "int4" needs vectors of an even length, found {dim}: choose "int8"'
        )
    if dim > _WIDEST:
        raise InvalidSettings(
            f"Elasticsearch takes vectors of {_WIDEST} numbers at most, the encoder's have {dim}: choose another"
        )
    graph = {"type": _GRAPHS[quantisation], "m": _M, "ef_construction": _EF_CONSTRUCTION}
    return {"type": "dense_vector", "dims": dim, "similarity": "dot_product", "index_options": graph}


def _body(
    made: Made, properties: dict[str, Any], unstored: list[str], shards: int, replicas: int
) -> dict[str, Any]:
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            "refresh_interval": "-1",  # nothing shows but by a commit
            "mapping.total_fields.limit": FIELD_LIMIT,
            "merge.policy.expunge_deletes_allowed": 0,  # of 100: what is compacted holds nothing that was deleted
            "similarity": {"quire": {"type": "BM25", "k1": K1, "b": B}},
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": made.to_meta(),
            "_source": {"excludes": [name for name in unstored if name in properties]},
            "properties": properties,
        },
    }
