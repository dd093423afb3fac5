"""Documents read back whole, as they were added: for export."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from indexer.document import Document
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.shape.records import document_of
from indexer.elastic.wire.connection import Cluster
from indexer.errors import IndexCorrupt, InvalidDocument

_RECORDS, _CHUNKS = 500, 50  # asked for at once; a piece of text has up to 64 thousand characters
_KEPT = ["number", "doc_id", "title_text", "source", "metadata", "blocks", "pages", "length"]


def stored_documents(cluster: Cluster, documents: str) -> Iterator[Document]:
    """Yield every document of an index of documents, by number; in memory are a few at a time.

    Raises:
        IndexCorrupt: one cannot be read back.
    """
    with Moment(cluster, documents) as moment:
        records = moment.scan({"term": {"kind": "document"}}, ["number"], size=_RECORDS, _source=_KEPT)
        chunks = moment.scan(
            {"term": {"kind": "chunk"}},
            ["document", "start"],
            size=_CHUNKS,
            _source=["document", "chunk"],
        )
        texts = groupby((hit["_source"] for hit in chunks), key=lambda source: int(source["document"]))
        number, pieces = next(texts, (-1, iter(())))
        for hit in records:
            record = hit["_source"]
            while 0 <= number < record["number"]:
                number, pieces = next(texts, (-1, iter(())))
            text = "".join(piece["chunk"] for piece in pieces) if number == record["number"] else ""
            try:
                if len(text) != record["length"]:
                    raise ValueError(f"its text has {len(text)} characters, {record['length']} were written")
                yield document_of(record, [text])
            except (InvalidDocument, KeyError, TypeError, ValueError) as error:
                raise IndexCorrupt(
                    f"document {record.get('doc_id')!r:.80} cannot be read back: {error}; run `quire verify`"
                ) from error
