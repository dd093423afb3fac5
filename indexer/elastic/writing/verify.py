"""Checks what must hold between the two indexes, and names what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from indexer.backend import Problem, Verification
from indexer.document import Document
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.shape.mappings import Made
from indexer.elastic.shape.numbers import CHUNK, document_number
from indexer.elastic.shape.records import document_of
from indexer.elastic.wire.connection import Cluster
from indexer.errors import InvalidDocument

_RECORDS, _PASSAGES, _CHUNKS = 500, 2_000, 50
_SHOWN = 20  # problems of one kind


@dataclass(slots=True)
class _Passages:
    """The passages of one document: what was found of them."""

    ordinals: list[int] = field(default_factory=list)
    vectors: int = 0
    codes: int = 0
    misplaced: int = 0


def verify(cluster: Cluster, generation: Generation, made: Made) -> Verification:
    """Check a generation: of each document all its passages, vectors and text are there, and nothing else is.

    Reads all of it, at one moment of each index: what writers do meanwhile can look like a problem.
    """
    cluster.request("POST", f"/{generation.both}/_refresh")
    check = _Check(made)
    with (
        Moment(cluster, generation.passages) as passages,
        Moment(cluster, generation.documents) as documents,
    ):
        state = cluster.request(
            "POST", f"/{generation.documents}/_search", body={"query": {"term": {"kind": "state"}}}
        )["hits"]["hits"]
        check.all_of(_records(documents), _passages(passages), _texts(documents))
    number = int(state[0]["_source"]["generation"]) if state else 0
    return Verification(number, check.documents, check.passages, tuple(check.problems()))


class _Check:
    def __init__(self, made: Made) -> None:
        self._made = made
        self._found: list[Problem] = []
        self._counts: Counter[str] = Counter()
        self.documents = self.passages = 0

    def problems(self) -> list[Problem]:
        """Return what was found, at most so many of a kind."""
        more = [
            Problem("documents", f"{count - _SHOWN} more: {what}", repairable=True)
            for what, count in self._counts.items()
            if count > _SHOWN
        ]
        return self._found + more

    def all_of(
        self,
        records: Iterator[dict[str, Any]],
        passages: Iterator[tuple[int, _Passages]],
        texts: Iterator[tuple[int, str]],
    ) -> None:
        """Go through the three in step; all are in the order of documents' numbers."""
        previous: tuple[int, int, str] | None = None  # number, passages, id
        parts, text = next(passages, None), next(texts, None)
        for record in records:
            number = int(record["number"])
            while parts is not None and parts[0] < number:
                self._orphans("passages", parts[0], len(parts[1].ordinals))
                parts = next(passages, None)
            while text is not None and text[0] < number:
                self._orphans("text", text[0], 1)
                text = next(texts, None)
            mine = parts[1] if parts is not None and parts[0] == number else _Passages()
            words = text[1] if text is not None and text[0] == number else ""
            self._record(record, number, mine, words)
            if previous is not None and previous[0] + previous[1] > number:
                self._add(
                    "numbers overlap",
                    f"the passages of {previous[2]!r} have numbers of {record['doc_id']!r}: rename one of them",
                    repairable=False,
                )
            previous = (number, record["passages"], record["doc_id"])
            parts = next(passages, None) if mine.ordinals else parts
            text = next(texts, None) if text is not None and text[0] == number else text
        while parts is not None:
            self._orphans("passages", parts[0], len(parts[1].ordinals))
            parts = next(passages, None)
        while text is not None:
            self._orphans("text", text[0], 1)
            text = next(texts, None)

    def _record(self, record: dict[str, Any], number: int, parts: _Passages, text: str) -> None:
        self.documents += 1
        self.passages += len(parts.ordinals)
        name = record["doc_id"]
        if number != document_number(name):
            self._add("wrong numbers", f"document {name!r} has the number {number}, which is not its own")
        if parts.ordinals != list(range(record["passages"])):
            self._add(
                "passages missing",
                f"document {name!r} should have {record['passages']} passages, found {len(parts.ordinals)}",
            )
        if parts.vectors != record["vectors"]:
            self._add(
                "vectors missing",
                f"document {name!r} should have {record['vectors']} vectors, found {parts.vectors}",
            )
        if self._made.coding is not None and parts.codes != parts.vectors:
            self._add(
                "tokens missing",
                f"document {name!r} has {parts.vectors} vectors and the tokens of {parts.codes} passages",
            )
        if parts.misplaced:
            self._add(
                "passages wrong", f"document {name!r}: {parts.misplaced} passages are not where they belong"
            )
        try:
            document: Document = document_of(record, [text])
        except (InvalidDocument, KeyError, TypeError, ValueError) as error:
            self._add("documents unreadable", f"document {name!r} cannot be read back: {error}")
            return
        if document.content_hash() != record["content_hash"]:
            self._add(
                "documents changed", f"document {name!r} is not what was written: its content hash differs"
            )

    def _orphans(self, what: str, number: int, count: int) -> None:
        self._add(
            f"{what} of no document", f"{count} {what} of document number {number}, which has no record"
        )

    def _add(self, kind: str, found: str, *, repairable: bool = True) -> None:
        self._counts[kind] += 1
        if self._counts[kind] <= _SHOWN:
            store = "passages" if "passage" in kind or "vector" in kind or "token" in kind else "documents"
            self._found.append(Problem("passages" if store == "passages" else "documents", found, repairable))


def _records(moment: Moment) -> Iterator[dict[str, Any]]:
    for hit in moment.scan({"term": {"kind": "document"}}, ["number"], size=_RECORDS):
        yield hit["_source"]


def _passages(moment: Moment) -> Iterator[tuple[int, _Passages]]:
    hits = moment.scan(
        {"match_all": {}},
        ["document", "ordinal"],
        size=_PASSAGES,
        _source=False,
        docvalue_fields=["document", "ordinal", "number", {"field": "vector", "format": "binary"}, "codes"],
    )
    for document, group in groupby(hits, key=lambda hit: int(hit["fields"]["document"][0])):
        found = _Passages()
        for hit in group:
            fields = hit["fields"]
            ordinal = int(fields["ordinal"][0])
            found.ordinals.append(ordinal)
            found.vectors += "vector" in fields
            found.codes += "codes" in fields
            found.misplaced += (
                int(fields["number"][0]) != document + ordinal or hit["_id"] != f"{document}-{ordinal}"
            )
        yield document, found


def _texts(moment: Moment) -> Iterator[tuple[int, str]]:
    hits = moment.scan(
        {"term": {"kind": "chunk"}},
        ["document", "start"],
        size=_CHUNKS,
        _source=["document", "start", "chunk"],
    )
    for document, group in groupby(
        (hit["_source"] for hit in hits), key=lambda source: int(source["document"])
    ):
        pieces = list(group)
        in_place = all(piece["start"] == at * CHUNK for at, piece in enumerate(pieces))
        yield document, "".join(piece["chunk"] for piece in pieces) if in_place else ""
