"""Copies documents whole from one generation of an index to the next: nothing is encoded again.

What the server keeps only in its indexes (the terms) is made anew from the text by the new generation's analyser;
vectors and tokens' codes are those that were read. A document's record is copied last, after all else has been
acknowledged, and only a document that is whole is copied: otherwise a writer was at work on it, and the next pass
sees it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from indexer.analyser import Analyser
from indexer.elastic.rebuilding.differences import Difference
from indexer.elastic.rebuilding.filling import Done, Moments, Torn
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.rebuilding.whole import Stored, stored_documents
from indexer.elastic.shape.numbers import chunk_id, passage_id, record_id, routing
from indexer.elastic.shape.records import chunk_bodies, passage_bodies, record_body
from indexer.elastic.wire.connection import Cluster

_PAGE = 1_000

Send = Callable[[list[bytes]], None]
"""Takes a bulk request's lines, returns when the server has acknowledged every one of them."""


class Copier:
    """Copies and deletes documents. Safe to share between threads.

    Args:
        cluster: Where.
        old: What is copied.
        new: What it is copied into.
        analyser: Makes the new generation's terms.
        limit: So many bytes at most are sent in one request, or one part of a document.
        send: Sends lines of a bulk request and raises when one of them is refused.
        threads: How many threads may use it.
    """

    content_only = False

    def __init__(
        self,
        cluster: Cluster,
        old: Generation,
        new: Generation,
        analyser: Analyser,
        *,
        limit: int,
        send: Send,
        threads: int,
    ) -> None:
        self.threads = threads
        self._cluster = cluster
        self._codes = "token_coding" in old.meta
        self._new = new
        self._analyser = analyser
        self._limit = limit
        self._send = send

    def fill(self, moments: Moments, batch: Sequence[Difference], *, last: bool) -> Done:
        """Make these documents, by number ascending, in the new generation as they are in the old."""
        lines = _Lines(self._limit, self._send)
        kept: dict[int, set[str]] = {}
        records: list[tuple[dict[str, Any], dict[str, Any]]] = []
        torn: list[Torn] = []
        passages = 0
        wanted = [each.number for each in batch if each.wanted]
        for found in stored_documents(moments, wanted, passages=True, codes=self._codes):
            if isinstance(found, Torn):
                torn.append(found)
                continue
            kept[found.number] = set()
            for action, body in self._parts(found):
                kept[found.number].add(action["index"]["_id"])
                lines.add(action, body)
            records.append(self._record(found))
            passages += len(found.passages)
        # Of what is torn, a copy of before may stay while passes go on; in the end it is no copy of anything.
        left = set() if last else {each.number for each in torn}
        stale = [each for each in batch if each.there and each.number not in left]
        for number in [each.number for each in stale if each.number not in kept]:
            lines.add(_deletion(self._new.documents, record_id(number), number), None)
        for index, name, number in self._others([each.number for each in stale], kept):
            lines.add(_deletion(index, name, number), None)
        lines.flush()
        for action, body in records:
            lines.add(action, body)
        lines.flush()
        return Done(len(records), passages, len(batch) - len(wanted), tuple(torn))

    def finish(self) -> Done:
        """Do nothing: every batch was acknowledged."""
        return Done()

    def _parts(self, found: Stored) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        bodies = passage_bodies(self._analyser, found.document, found.number, found.passages, found.encodings)
        for ordinal, body in enumerate(bodies):
            yield self._action(self._new.passages, passage_id(found.number, ordinal), found.number), body
        for body in chunk_bodies(found.document, found.number):
            name = chunk_id(found.number, body["start"])
            yield self._action(self._new.documents, name, found.number), body

    def _record(self, found: Stored) -> tuple[dict[str, Any], dict[str, Any]]:
        action = self._action(self._new.documents, record_id(found.number), found.number)
        action["index"] |= {"version": found.write, "version_type": "external_gte"}
        body = record_body(
            self._analyser,
            found.document,
            found.number,
            found.content_hash,
            found.encodings,
            found.generation,
        )
        return action, body

    def _action(self, index: str, name: str, document: int) -> dict[str, Any]:
        return {"index": {"_index": index, "_id": name, "routing": routing(document)}}

    def _others(self, numbers: Sequence[int], kept: Mapping[int, set[str]]) -> Iterator[tuple[str, str, int]]:
        """Yield what the new generation has of these documents and is not to keep: index, id, document."""
        if not numbers:
            return
        for index, position in ((self._new.passages, "ordinal"), (self._new.documents, "start")):
            with Moment(self._cluster, index) as moment:
                hits = moment.scan(
                    {"bool": {"filter": [{"terms": {"document": list(numbers)}}]}},
                    ["document", position],
                    size=_PAGE,
                    _source=False,
                    docvalue_fields=["document"],
                )
                for hit in hits:
                    number = int(hit["fields"]["document"][0])
                    if hit["_id"] not in kept.get(number, ()):
                        yield index, str(hit["_id"]), number


class _Lines:
    """Gathers the lines of bulk requests, and sends them when there are enough."""

    def __init__(self, limit: int, send: Send) -> None:
        self._limit = limit
        self._send = send
        self._lines: list[bytes] = []
        self._bytes = 0

    def add(self, action: Mapping[str, Any], body: Mapping[str, Any] | None) -> None:
        import orjson

        lines = [orjson.dumps(action)] if body is None else [orjson.dumps(action), orjson.dumps(body)]
        size = sum(map(len, lines))
        if self._lines and self._bytes + size > self._limit:
            self.flush()
        self._lines += lines
        self._bytes += size

    def flush(self) -> None:
        if self._lines:
            self._send(self._lines)
        self._lines, self._bytes = [], 0


def _deletion(index: str, name: str, document: int) -> dict[str, Any]:
    return {"delete": {"_index": index, "_id": name, "routing": routing(document)}}
