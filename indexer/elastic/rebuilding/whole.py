"""Documents as one generation of an index has them, each checked to be whole: what a rebuild copies from."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.context import contextual_text
from indexer.document import Document, Passage
from indexer.elastic.rebuilding.filling import Moments, Torn
from indexer.elastic.shape.records import Encoding, document_of, vectors_of
from indexer.errors import InvalidDocument
from indexer.passage_encoding import Prepared, passage_hash

_PASSAGES, _CHUNKS = 500, 50  # asked for at once

Hit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is whole.

    Args:
        document: The document.
        number: Its number.
        content_hash: Its hash.
        write: Which writing of its record this is: one more than the record's sequence number.
        generation: Which commit the record says it is part of.
        passages: Its passages; none where only the document was asked for.
        encodings: Vector and codes of each passage.
    """

    document: Document
    number: int
    content_hash: str
    write: int
    generation: int
    passages: Sequence[Prepared] = ()
    encodings: Sequence[Encoding] = ()


def stored_documents(
    moments: Moments, numbers: Sequence[int], *, passages: bool, codes: bool = False
) -> Iterator[Stored | Torn]:
    """Yield documents of the old generation.

    Args:
        moments: What to read from.
        numbers: Of the documents, ascending.
        passages: Whether with their passages, which are checked too.
        codes: Whether tokens' codes are kept.
    """
    if not numbers:
        return
    wanted = list(numbers)
    records = {
        int(hit["_source"]["number"]): hit
        for hit in moments.old_documents.scan(
            _filter({"term": {"kind": "document"}}, {"terms": {"number": wanted}}),
            ["number"],
            size=len(wanted),
            seq_no_primary_term=True,
        )
    }
    chunks = _by_document(
        moments.old_documents.scan(
            _filter({"term": {"kind": "chunk"}}, {"terms": {"document": wanted}}),
            ["document", "start"],
            size=_CHUNKS,
        )
    )
    columns: list[object] = [{"field": "vector", "format": "binary"}]
    parts = _by_document(
        moments.old_passages.scan(
            _filter({"terms": {"document": wanted}}),
            ["document", "ordinal"],
            size=_PASSAGES,
            docvalue_fields=[*columns, "codes"] if codes else columns,
        )
        if passages
        else iter(())
    )
    for number in wanted:
        yield _whole(records[number], chunks(number), parts(number) if passages else None)


def _whole(hit: Hit, chunks: Sequence[Hit], parts: Sequence[Hit] | None) -> Stored | Torn:
    record = hit["_source"]
    number, content_hash = int(record["number"]), str(record["content_hash"])
    torn = Torn(number, record["doc_id"])
    try:
        document = document_of(record, [each["_source"]["chunk"] for each in chunks])
    except (InvalidDocument, KeyError, TypeError, ValueError):
        return torn
    if document.content_hash() != content_hash:
        return torn
    write, generation = int(hit["_seq_no"]) + 1, int(record["generation"])
    if parts is None:
        return Stored(document, number, content_hash, write, generation)
    prepared = [_prepared(document, each["_source"]) for each in parts]
    encodings = [_encoding(each.get("fields", {})) for each in parts]
    with_vector = sum(each.vector is not None for each in encodings)
    if (
        [each.passage.ordinal for each in prepared] != list(range(int(record["passages"])))
        or with_vector != int(record["vectors"])
        or any(passage_hash(each.context) != each.digest for each in prepared)
    ):
        return torn
    return Stored(document, number, content_hash, write, generation, prepared, encodings)


def _prepared(document: Document, source: Mapping[str, Any]) -> Prepared:
    passage = Passage(
        document.doc_id,
        int(source["ordinal"]),
        int(source["start"]),
        int(source["end"]),
        tuple(source.get("path") or ()),
        source.get("page"),
        int(source["tokens"]),
    )
    context = contextual_text(document.title, passage.headings, document.text[passage.start : passage.end])
    return Prepared(passage, context, bytes.fromhex(source["hash"]), readable=True)


def _encoding(fields: Mapping[str, Any]) -> Encoding:
    return Encoding(
        vectors_of(fields["vector"])[0] if "vector" in fields else None,
        b64decode(fields["codes"][0]) if "codes" in fields else None,
    )


def _by_document(hits: Iterator[Hit]) -> Callable[[int], list[Hit]]:
    """Return a function that gives the hits of one document, to be called with ascending numbers."""
    waiting: list[Hit] = []

    def of(number: int) -> list[Hit]:
        found: list[Hit] = []
        while True:
            hit = waiting.pop() if waiting else next(hits, None)
            if hit is None:
                return found
            document = int(hit["_source"]["document"])
            if document > number:
                waiting.append(hit)
                return found
            if document == number:
                found.append(hit)

    return of


def _filter(*clauses: dict[str, Any]) -> dict[str, Any]:
    return {"bool": {"filter": list(clauses)}}
