"""Copies documents whole from one generation of an index to the next: what is kept is copied, terms are made anew.

What the server keeps only in its indexes (the terms) is made from the readable text by the new generation's analyser;
vectors and tokens' codes are copied as they are, so nothing is encoded. A document's record is copied last, after all
else has been acknowledged, and only when the old generation had the whole of it: otherwise a writer was at work on the
document, and the next pass copies it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from indexer.analyser import Analyser
from indexer.elastic.connection import Cluster
from indexer.elastic.differences import Difference
from indexer.elastic.filling import Done, Moments
from indexer.elastic.generations import Generation
from indexer.elastic.numbers import passage_id, record_id, routing
from indexer.elastic.scans import Moment
from indexer.elastic.sending import send

_PASSAGES, _CHUNKS = 500, 50  # asked for at once

Send = Callable[[list[bytes]], None]
"""Takes a bulk request's lines, returns when the server has acknowledged every one of them."""


class Copier:
    """Copies and deletes documents. Safe to share between threads.

    Args:
        old: What is copied.
        new: What it is copied into.
        analyser: Makes the new generation's terms.
        limit: So many bytes at most are sent in one request, or one document.
        send: Sends lines of a bulk request and raises when one of them is refused.
        threads: How many threads may use it.
    """

    content_only = False

    def __init__(
        self, old: Generation, new: Generation, analyser: Analyser, *, limit: int, send: Send, threads: int
    ) -> None:
        self.threads = threads
        self._old = old
        self._new = new
        self._codes = ["codes"] if "token_coding" in old.meta else []
        self._analyser = analyser
        self._limit = limit
        self._send = send

    def fill(self, moments: Moments, batch: Sequence[Difference], *, last: bool) -> Done:
        """Make these documents, by number ascending, in the new generation as they are in the old.

        On the last pass, when nobody writes to the old generation, what is not whole is copied as it is: it is what a
        writer has under way, who writes it again, or has left behind in dying, which the next writer tidies up.
        """
        passages = copied = torn = 0
        lines = _Lines(self._limit, self._send)
        records: list[tuple[dict[str, Any], dict[str, Any]]] = []
        kept: dict[int, set[str]] = {each.number: set() for each in batch}
        for each in batch:
            if not each.wanted:  # the record goes first: without it, nothing else of a document counts
                lines.add(_deletion(self._new.documents, record_id(each.number), each.number), None)
        lines.flush()
        for whole in self._documents(moments, [each.number for each in batch if each.wanted]):
            for action, body in (*self._passage_lines(whole), *self._chunk_lines(whole)):
                kept[whole.number].add(action["index"]["_id"])
                lines.add(action, body)
            passages += len(whole.passages)
            torn += not whole.complete
            if whole.complete or last:
                records.append(self._record_lines(whole))
                copied += 1
        for index, each_id, number in self._stale(moments, [each for each in batch if each.there], kept):
            lines.add(_deletion(index, each_id, number), None)
        lines.flush()
        for action, body in records:
            lines.add(action, body)
        lines.flush()
        return Done(copied, passages, sum(not each.wanted for each in batch), torn)

    def finish(self) -> None:
        """Do nothing: every batch was acknowledged."""

    def _documents(self, moments: Moments, numbers: Sequence[int]) -> Iterator[_Whole]:
        if not numbers:
            return
        found = {
            int(hit["_source"]["number"]): hit
            for hit in moments.old_documents.scan(
                _filter({"term": {"kind": "document"}}, {"terms": {"number": list(numbers)}}),
                ["number"],
                size=max(len(numbers), 1),
                docvalue_fields=["mean"],
                version=True,
                seq_no_primary_term=True,
            )
        }
        chunks = _by_document(
            moments.old_documents.scan(
                _filter({"term": {"kind": "chunk"}}, {"terms": {"document": list(numbers)}}),
                ["document", "start"],
                size=_CHUNKS,
            )
        )
        passages = _by_document(
            moments.old_passages.scan(
                _filter({"terms": {"document": list(numbers)}}),
                ["document", "ordinal"],
                size=_PASSAGES,
                docvalue_fields=[{"field": "vector", "format": "binary"}, *self._codes],
            )
        )
        for number in numbers:
            yield _Whole(number, found[number], chunks(number), passages(number))

    def _passage_lines(self, whole: _Whole) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        terms = self._analyser.terms
        title = " ".join(terms(whole.record["_source"].get("title_text", "")))
        headings: Sequence[str] = ()
        heading_terms = ""
        for hit in whole.passages:
            body = dict(hit["_source"])
            path = _path_of(body)
            if path != headings:
                headings = path
                heading_terms = " ".join(term for heading in headings for term in terms(heading))
            _put(body, "title", title)
            _put(body, "headings", heading_terms)
            _put(body, "body", " ".join(terms(body["text"])))
            for name in ("vector", "codes"):  # both as base64, as they were sent
                if name in hit.get("fields", {}):
                    body[name] = hit["fields"][name][0]
            address = {"_index": self._new.passages, "_id": hit["_id"], "routing": routing(whole.number)}
            yield {"index": address}, body

    def _chunk_lines(self, whole: _Whole) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for hit in whole.chunks:
            address = {"_index": self._new.documents, "_id": hit["_id"], "routing": routing(whole.number)}
            yield {"index": address}, hit["_source"]

    def _record_lines(self, whole: _Whole) -> tuple[dict[str, Any], dict[str, Any]]:
        hit = whole.record
        body = dict(hit["_source"])
        text = whole.text
        if whole.passages:
            title_terms = self._analyser.terms(body.get("title_text", ""))
            _put(body, "title", " ".join(title_terms))
            _put(body, "text", " ".join([*title_terms, *self._analyser.terms(text)]))
        words = {word for word, _ in self._analyser.words(f"{body.get('title_text', '')}\n{text}")}
        _put(body, "words", " ".join(sorted(words)))
        if "mean" in hit.get("fields", {}):
            body["mean"] = hit["fields"]["mean"][0]
        address = {
            "_index": self._new.documents,
            "_id": hit["_id"],
            "routing": routing(whole.number),
            "version": int(hit["_seq_no"]) + 1,
            "version_type": "external_gte",
        }
        return {"index": address}, body

    def _stale(
        self, moments: Moments, batch: Sequence[Difference], kept: Mapping[int, set[str]]
    ) -> Iterator[tuple[str, str, int]]:
        """Yield what the new generation has of these documents and is not to keep: index, id, document."""
        numbers = [each.number for each in batch]
        if not numbers:
            return
        for moment, index, sort in (
            (moments.new_passages, self._new.passages, ["document", "ordinal"]),
            (moments.new_documents, self._new.documents, ["document", "start"]),
        ):
            hits = moment.scan(
                _filter({"terms": {"document": numbers}}),
                sort,
                size=_PASSAGES,
                _source=False,
                docvalue_fields=["document"],
            )
            for hit in hits:
                number = int(hit["fields"]["document"][0])
                if hit["_id"] not in kept[number]:
                    yield index, str(hit["_id"]), number


def copy_notes(cluster: Cluster, old: Generation, new: Generation) -> None:
    """Give the new generation the notes of writers that have documents under way (`indexer.elastic.journal`).

    To be called when nobody writes to the old one. A writer that lives writes these documents again; after one that
    dies, whoever writes next tidies up.
    """
    lines: list[bytes] = []
    for index in (new.documents, old.documents):
        cluster.request("POST", f"/{index}/_refresh")
        with Moment(cluster, index) as moment:
            for hit in moment.scan({"term": {"kind": "load"}}, ["started"], size=_PASSAGES):
                address = {"_index": new.documents, "_id": hit["_id"], "routing": hit["_routing"]}
                if index == new.documents:  # of an earlier attempt
                    lines.append(_line({"delete": address}))
                elif hit["_source"].get("pending"):
                    lines.append(_line({"index": address}))
                    lines.append(_line(hit["_source"]))
    if lines:
        send(cluster, lines)


class _Whole:
    """A document as the old generation has it."""

    def __init__(
        self,
        number: int,
        record: dict[str, Any],
        chunks: list[dict[str, Any]],
        passages: list[dict[str, Any]],
    ) -> None:
        self.number = number
        self.record = record
        self.chunks = chunks
        self.passages = passages
        self.text = "".join(hit["_source"]["chunk"] for hit in chunks)
        ordinals = [hit["_id"] for hit in passages]
        expected = [passage_id(number, at) for at in range(int(record["_source"]["passages"]))]
        self.complete = ordinals == expected and len(self.text) == int(record["_source"]["length"])


class _Lines:
    """Gathers the lines of bulk requests, and sends them when there are enough."""

    def __init__(self, limit: int, send: Send) -> None:
        self._limit = limit
        self._send = send
        self._lines: list[bytes] = []
        self._bytes = 0

    def add(self, action: Mapping[str, Any], body: Mapping[str, Any] | None) -> None:
        lines = [_line(action)] if body is None else [_line(action), _line(body)]
        size = sum(map(len, lines))
        if self._lines and self._bytes + size > self._limit:
            self.flush()
        self._lines += lines
        self._bytes += size

    def flush(self) -> None:
        if self._lines:
            self._send(self._lines)
        self._lines, self._bytes = [], 0


def _by_document(hits: Iterator[dict[str, Any]]) -> Callable[[int], list[dict[str, Any]]]:
    """Return a function that gives the hits of one document, to be called with ascending numbers."""
    waiting: list[dict[str, Any]] = []

    def of(number: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
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


def _line(value: Mapping[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(value)


def _deletion(index: str, each_id: str, document: int) -> dict[str, Any]:
    return {"delete": {"_index": index, "_id": each_id, "routing": routing(document)}}


def _filter(*clauses: dict[str, Any]) -> dict[str, Any]:
    return {"bool": {"filter": list(clauses)}}


def _put(body: dict[str, Any], name: str, terms: str) -> None:
    """Set a field of terms; a field without terms has no value."""
    if terms:
        body[name] = terms
    else:
        body.pop(name, None)


def _path_of(body: Mapping[str, Any]) -> Sequence[str]:
    path = body.get("path", [])
    return [path] if isinstance(path, str) else path
