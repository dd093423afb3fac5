"""Tidies up after writers that died: of the documents that they were writing, what is not whole is removed.

A document whose record still says what it said before is torn, for its passages may be of both versions: all of it is
removed, and indexing again brings it back. What somebody has since written whole is left, but for passages and pieces
of text beyond its end. Deletions are tied to the sequence numbers that were seen, so nothing is removed that a living
writer has just written; documents that a living writer has under way are left for later.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from indexer.elastic.errors import ElasticConflict
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.rebuilding.sending import send
from indexer.elastic.shape.numbers import record_id, routing
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing import liveness
from indexer.elastic.writing.bulk import Action, Side
from indexer.elastic.writing.journal import BEAT_SECONDS, Entry, entries, now, remove_entry, write_entry
from indexer.elastic.writing.parcels import HASH_KEPT

_CONFIRM = 1.5 * BEAT_SECONDS
_POLL = 0.25
_TOGETHER = 500  # documents
_PAGE = 2_000
_LINES = 1_000

_log = logging.getLogger(__name__)


def alive(cluster: Cluster, documents: str) -> list[Entry]:
    """Return the notes of writers that may well be alive."""
    moment = now()
    return [each for each in entries(cluster, documents) if not each.gone and not each.stale(moment)]


def tidy_up(
    cluster: Cluster,
    generation: Generation,
    own: str,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Tidy up after every dead writer; when this returns, nobody is doing so any more.

    Args:
        cluster: Where.
        generation: Of the index.
        own: The note of who asks.
        sleep: Waits so many seconds.
    """
    seen: dict[str, tuple[int, int]] = {}
    tried: set[tuple[str, tuple[int, int]]] = set()
    while True:
        left = [each for each in entries(cluster, generation.documents) if each.id != own]
        moment = now()
        dead = [
            each
            for each in left
            if (each.gone or (each.stale(moment) and seen.get(each.id) == each.place))
            and (each.id, each.place) not in tried
        ]
        for entry in dead:
            tried.add((entry.id, entry.place))
            remaining = _tidy_up_after(cluster, generation, entry)
            if remaining is not None:
                tried.add((entry.id, remaining))
        doubtful = [
            each
            for each in left
            if not each.gone
            and each.stale(moment)
            and (each.id, each.place) not in tried
            and each not in dead
        ]
        others = [each for each in left if each.repairing and not each.gone and not each.stale(moment)]
        if not doubtful and not others:
            return
        seen = {each.id: each.place for each in doubtful}
        sleep(_CONFIRM if doubtful else _POLL)


def _tidy_up_after(cluster: Cluster, generation: Generation, entry: Entry) -> tuple[int, int] | None:
    """Tidy up after one; return the place of its note when it stays, for documents that others have under way."""
    claim = replace(entry, worker=liveness.worker(), machine=liveness.machine(), beat=now(), repairing=True)
    liveness.hold(entry.id)
    try:
        place = write_entry(cluster, generation.documents, claim, entry.place)
    except ElasticConflict:
        liveness.release(entry.id)
        return None
    try:
        numbers = sorted(entry.pending)
        if numbers:
            _log.warning(
                "%s: the writer %s died with %d documents under way; what is torn of them is removed",
                generation.name,
                entry.worker,
                len(numbers),
            )
        kept: set[int] = set()
        for at in range(0, len(numbers), _TOGETHER):
            some = {number: entry.pending[number] for number in numbers[at : at + _TOGETHER]}
            kept |= _settle(cluster, generation, some, entry.id)
        if not kept:
            remove_entry(cluster, generation.documents, entry.id)
            return None
        later = replace(entry, pending={number: entry.pending[number] for number in kept})
        with contextlib.suppress(ElasticConflict):
            return write_entry(cluster, generation.documents, later, place)
        return None
    finally:
        liveness.release(entry.id)


@dataclass(frozen=True, slots=True)
class _Part:
    document: int
    side: Side
    id: str
    at: int  # the passage's ordinal, or where the piece of text starts
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Record:
    content_hash: str
    passages: int
    length: int
    place: tuple[int, int]


def _settle(
    cluster: Cluster, generation: Generation, pending: Mapping[int, tuple[str, str]], note: str
) -> set[int]:
    """Remove what is torn of these documents; return those that somebody else has under way."""
    numbers = list(pending)
    cluster.request("POST", f"/{generation.both}/_refresh")
    parts = list(_parts(cluster, generation, numbers))
    # In this order: who began later than this has written nothing of what was seen above.
    elsewhere = {
        number
        for each in entries(cluster, generation.documents)
        if each.id != note and not each.gone
        for number in each.pending
    }
    records = _records(cluster, generation, numbers)
    doomed: list[_Part] = []
    ends: list[_Part] = []
    for part in parts:
        if part.document in elsewhere:
            continue
        record = records.get(part.document)
        if record is None or _torn(record, pending[part.document]):
            doomed.append(part)
        elif part.at >= (record.passages if part.side == "passages" else record.length):
            doomed.append(part)
    for number, record in records.items():
        if number not in elsewhere and _torn(record, pending[number]):
            ends.append(_Part(number, "documents", record_id(number), 0, record.place))
    for some in (doomed, ends):
        for at in range(0, len(some), _LINES):
            send(cluster, [_deletion(part, generation) for part in some[at : at + _LINES]])
    return elsewhere & set(numbers)


def _torn(record: _Record, hashes: tuple[str, str]) -> bool:
    return record.content_hash[:HASH_KEPT] == hashes[0][:HASH_KEPT]


def _deletion(part: _Part, generation: Generation) -> bytes:
    action = Action(part.side, part.id, routing(part.document), None, None, part.place)
    return action.lines({"passages": generation.passages, "documents": generation.documents})


def _parts(cluster: Cluster, generation: Generation, numbers: Sequence[int]) -> Iterator[_Part]:
    sides: tuple[tuple[Side, str, str], ...] = (
        ("passages", generation.passages, "ordinal"),
        ("documents", generation.documents, "start"),
    )
    for side, index, position in sides:
        with Moment(cluster, index) as moment:
            hits: Iterator[dict[str, Any]] = moment.scan(
                {"terms": {"document": list(numbers)}},
                ["document", position],
                size=_PAGE,
                _source=False,
                docvalue_fields=["document", position],
                seq_no_primary_term=True,
            )
            for hit in hits:
                fields = hit["fields"]
                place = (hit["_seq_no"], hit["_primary_term"])
                yield _Part(fields["document"][0], side, hit["_id"], fields[position][0], place)


def _records(cluster: Cluster, generation: Generation, numbers: Sequence[int]) -> dict[int, _Record]:
    wanted = [
        {
            "_id": record_id(number),
            "routing": routing(number),
            "_source": ["content_hash", "passages", "length"],
        }
        for number in numbers
    ]
    told = cluster.request("POST", f"/{generation.documents}/_mget", body={"docs": wanted})
    return {
        number: _Record(
            found["_source"]["content_hash"],
            found["_source"]["passages"],
            found["_source"]["length"],
            (found["_seq_no"], found["_primary_term"]),
        )
        for number, found in zip(numbers, told["docs"], strict=True)
        if found.get("found")
    }
