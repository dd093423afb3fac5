"""What is stored of a document: passages, pieces of its text, its record; and the way back to the document."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.analyser import Analyser
from indexer.document import Block, Document, metadata_from_json, metadata_to_json
from indexer.document_terms import document_words, passage_terms
from indexer.elastic.shape import metadata
from indexer.elastic.shape.numbers import CHUNK, chunk_starts, passage_number
from indexer.encoding import Vectors
from indexer.passage_encoding import Prepared

_NO_TERM = "∅"  # what no analyser gives
_LONGEST_WORD = 255  # characters; the server would cut a longer one in two


@dataclass(slots=True)
class Encoding:
    """Vector and tokens of a passage, once it is encoded; None for what it has not.

    Args:
        vector: Float32, shape (dim,).
        codes: Of its tokens.
    """

    vector: NDArray[np.float32] | None = None
    codes: bytes | None = None


def passage_bodies(
    analyser: Analyser,
    document: Document,
    number: int,
    passages: Sequence[Prepared],
    encodings: Sequence[Encoding],
) -> Iterator[dict[str, Any]]:
    """Yield what is stored of each of a document's passages."""
    meta = metadata.stored(document.metadata, as_json=False)
    title = _field(analyser.terms(document.title))
    terms = passage_terms(analyser, document.text, [item.passage for item in passages])
    for item, encoding, found in zip(passages, encodings, terms, strict=True):
        passage = item.passage
        body: dict[str, Any] = {
            "number": passage_number(number, passage.ordinal),
            "document": number,
            "doc_id": document.doc_id,
            "ordinal": passage.ordinal,
            "start": passage.start,
            "end": passage.end,
            "tokens": passage.tokens,
            "path": list(passage.headings),
            "hash": item.digest.hex(),
            "text": document.text[passage.start : passage.end],
        }
        if passage.page is not None:
            body["page"] = passage.page
        if meta:
            body["meta"] = meta
        for name, words in (
            ("title", title),
            ("headings", _field(found.headings)),
            ("body", _field(found.body)),
        ):
            body[name] = words
        if encoding.vector is not None:
            body["vector"] = vector_text(encoding.vector)
        if encoding.codes is not None:
            body["codes"] = b64encode(encoding.codes).decode()
        yield body


def chunk_bodies(document: Document, number: int) -> Iterator[dict[str, Any]]:
    """Yield the pieces of a document's text."""
    for start in chunk_starts(len(document.text)):
        piece = document.text[start : start + CHUNK]
        yield {"kind": "chunk", "document": number, "start": start, "chunk": piece}


def record_body(
    analyser: Analyser,
    document: Document,
    number: int,
    content_hash: str,
    encodings: Sequence[Encoding],
    generation: int,
) -> dict[str, Any]:
    """Return a document's record, which is written last: where it is, everything is."""
    vectors = [encoding.vector for encoding in encodings if encoding.vector is not None]
    body: dict[str, Any] = {
        "kind": "document",
        "number": number,
        "doc_id": document.doc_id,
        "title_text": document.title,
        "source": document.source,
        "metadata": metadata_to_json(document.metadata),
        "blocks": json.dumps([(b.kind, b.start, b.end, b.level) for b in document.blocks]),
        "pages": json.dumps(document.pages),
        "length": len(document.text),
        "passages": len(encodings),
        "vectors": len(vectors),
        "content_hash": content_hash,
        "generation": generation,
    }
    if document.metadata:
        body["meta"] = metadata.stored(document.metadata, as_json=True)
    if encodings:
        title = analyser.terms(document.title)
        body |= whole_terms(title, analyser.terms(document.text))
    words = dict.fromkeys(document_words(analyser, document.title, document.text))
    said = " ".join(word for word in words if len(word) <= _LONGEST_WORD)
    if said:
        body["words"] = said
    mean = mean_vector(vectors)
    if mean is not None:
        body["mean"] = b64encode(mean.astype("<f4").tobytes()).decode()
    return body


def whole_terms(title: Sequence[str], text: Sequence[str]) -> dict[str, str]:
    """Return the fields by which a document is scored as a whole."""
    return {"title": _field(title), "text": _field([*title, *text])}


def _field(terms: Sequence[str]) -> str:
    """Return terms as a field that is analysed by white space takes them; one that nobody asks for where there is none.

    Lucene counts only those passages among which a word is rare that have the field at all: a word of the headings
    would say little where few passages have headings. The embedded index counts all passages, and so they are here.
    """
    return " ".join(terms) or _NO_TERM


def mean_vector(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """Return the mean of passages' vectors at unit length; None without vectors, or where they cancel out."""
    if not vectors:
        return None
    total = np.stack(vectors).sum(axis=0, dtype=np.float32)
    length = float(np.sqrt(np.square(total, dtype=np.float64).sum()))
    mean: NDArray[np.float32] | None = (total / length).astype(np.float32) if length > 1e-6 else None
    return mean


def vector_text(vector: NDArray[np.float32]) -> str:
    """Return a vector as the server takes and gives it: base64 of big-endian float32."""
    return b64encode(vector.astype(">f4").tobytes()).decode()


def vectors_of(texts: Sequence[str]) -> Vectors:
    """Return the vectors, shape (n, dim), that `vector_text` wrote."""
    rows = [np.frombuffer(b64decode(text), dtype=">f4") for text in texts]
    return np.stack(rows).astype(np.float32)


def document_of(record: Mapping[str, Any], chunks: Iterable[str]) -> Document:
    """Return a document as it was added, from its record and the pieces of its text in order.

    Raises:
        InvalidDocument, KeyError, TypeError, ValueError: they do not fit together.
    """
    return Document(
        doc_id=record["doc_id"],
        text="".join(chunks),
        title=record["title_text"],
        metadata=metadata_from_json(record["metadata"]),
        source=record["source"],
        blocks=tuple(Block(*block) for block in json.loads(record["blocks"])),
        pages=tuple(json.loads(record["pages"])),
    )
