"""What readers share, kept in the index of readers: a document for each list, and one that says how it was learnt.

Each list has a fingerprint of all that it rests on: who read its document, and what else they read. So what a learning
has to go over is what has another fingerprint than before, whatever happened in between, in whichever process.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.personal.coreading import Reads
from engine.personal.elastic import layout
from engine.personal.elastic.access import Held, ReaderIndex, Write
from engine.personal.elastic.changing import Patience
from engine.personal.elastic.lease import Lease
from engine.personal.learned import Learned, learned_from_json, learned_to_json
from engine.personal.readers import Found
from indexer.protocol import Numbers, Scores

VALUES = np.dtype("<f4")
_AT_ONCE = 500
_PAGE = 5_000
_LISTS = {"term": {"kind": "neighbours"}}
_NOTHING: dict[str, Any] = {"kind": "learnt", "times": 0, "dropped": 0, "facts": "", "weights": ""}
WEIGHTS_HOLD = 1.0
"""For so many seconds weights that were read last are taken to be those in use."""


def stamp_of(source: dict[str, Any] | Any) -> str:
    """Return another text whenever anything that was learnt has changed; the empty one before anything was."""
    return f"{source['times']}-{source['dropped']}" if source["times"] else ""


class ElasticLists:
    """The lists in an index of readers (`engine.personal.readers.Lists`), and the weights learnt from clicks.

    Args:
        index: The index.
        wait: Seconds to wait for others who learn, or drop what was learnt.
    """

    def __init__(self, index: ReaderIndex, wait: float) -> None:
        self.index = index
        self._wait = wait
        self.tidy: Callable[[], None] = lambda: None
        """Finishes erasures that a crash left unfinished; called before a lesson."""
        self._weights: tuple[float, str] = (-WEIGHTS_HOLD, "")

    def stamp(self) -> str:
        """Return another text whenever anything that was learnt has changed; the empty one before anything was."""
        return stamp_of(self._state())

    def facts(self) -> str:
        """Return what was written down of the last learning; the empty string before there was one."""
        return str(self._state()["facts"])

    def near(self, doc_ids: Sequence[str]) -> dict[str, tuple[list[str], Scores]]:
        """Return the nearest of those of some documents that have a list, the nearest first, and how near."""
        found: dict[str, tuple[list[str], Scores]] = {}
        if not self.index.exists:
            return found
        for at in range(0, len(doc_ids), _AT_ONCE):
            some = doc_ids[at : at + _AT_ONCE]
            ids = [layout.near_id(doc_id) for doc_id in some]
            held = self.index.get_all([(one, one, ["near", "likeness"]) for one in ids])
            found |= {
                doc_id: _list(one.source) for doc_id, one in zip(some, held, strict=True) if one is not None
            }
        return found

    def most_read(self, most: int) -> list[tuple[str, int]]:
        """Return the documents that most readers read, and how many did; ties by id."""
        if not self.index.exists:
            return []
        sort: Any = [{"read_by": "desc"}, {"document": "asc"}]
        hits = self.index.pages(_LISTS, sort, min(most, _PAGE), _source=["document", "read_by"])
        return [(hit["_source"]["document"], hit["_source"]["read_by"]) for hit in islice(hits, most)]

    def lesson(self) -> ElasticLesson:
        """Begin to learn."""
        self.index.refresh()
        self.tidy()
        before = self._begun()
        return ElasticLesson(self, before, self.index.count({"term": {"kind": "reader"}}))

    def drop(self, doc_ids: Iterable[str]) -> None:
        """Drop what was learnt of documents, and of others through them, if anything ever was."""
        gone = sorted(set(doc_ids))
        if not gone or not self.index.exists or self.index.get(layout.LEARNT, layout.LEARNT) is None:
            return
        with Lease(self.index, "learning", self._wait) as lease:
            self.index.refresh()
            for at in range(0, len(gone), _AT_ONCE):
                some = gone[at : at + _AT_ONCE]
                ids = [layout.near_id(doc_id) for doc_id in some]
                self.index.write([Write(one, one, None) for one in ids])
                self._shorten(some, lease)
            self.change(lambda before: {**before, "dropped": before["dropped"] + 1})
            self.index.refresh()

    def change(self, step: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change what is said of all lists."""
        patience = Patience(self._wait, self.index.place)
        while True:
            held = self._begun()
            [done] = self.index.write([Write(held.id, held.routing, step(dict(held.source)), held)])
            if done is not None:
                return
            patience.pause()

    # Weights that were learnt from clicks

    def learned(self) -> Learned | None:
        """Return the weights; None before any were learnt."""
        self.saw(self._state())
        return learned_from_json(self._weights[1], self.index.place) if self._weights[1] else None

    def keep_learned(self, learned: Learned) -> None:
        """Keep weights, in the place of those before."""
        text = learned_to_json(learned)
        self.change(lambda before: {**before, "weights": text})
        self._weights = (time.monotonic(), text)

    def weights_in_use(self) -> Learned | None:
        """Return the weights as they were a second ago at the latest."""
        if time.monotonic() - self._weights[0] >= WEIGHTS_HOLD:
            return self.learned()
        return learned_from_json(self._weights[1], self.index.place) if self._weights[1] else None

    def saw(self, source: Any) -> None:
        """Remember the weights that were just read, for `weights_in_use`."""
        self._weights = (time.monotonic(), source["weights"])

    def _shorten(self, gone: Sequence[str], lease: Lease) -> None:
        """Take documents out of all lists; these are gone over again by the next learning."""
        among = set(gone)
        query = {"bool": {"filter": [_LISTS, {"terms": {"near": list(gone)}}]}}
        body = {"query": query, "size": _AT_ONCE, "seq_no_primary_term": True, "track_total_hits": False}
        while hits := self.index.search(body)["hits"]["hits"]:
            lease.check()
            writes = []
            for hit in hits:
                names, values = _list(hit["_source"])
                kept = [at for at, name in enumerate(names) if name not in among]
                source = {
                    **hit["_source"],
                    **_listed([names[at] for at in kept], values[kept]),
                    "fingerprint": "",
                }
                held = Held(hit["_id"], hit["_id"], hit["_seq_no"], hit["_primary_term"], {})
                writes.append(Write(hit["_id"], hit["_id"], source, held))
            self.index.write(writes, refresh=True)

    def _state(self) -> Any:
        held = self.index.get(layout.LEARNT, layout.LEARNT) if self.index.exists else None
        return held.source if held is not None else _NOTHING

    def _begun(self) -> Held:
        """Return the document that says how it was learnt, made if need be."""
        held = self.index.get(layout.LEARNT, layout.LEARNT)
        while held is None:
            self.index.write([Write(layout.LEARNT, layout.LEARNT, _NOTHING)])
            held = self.index.get(layout.LEARNT, layout.LEARNT)
        return held


@dataclass(slots=True)
class ElasticLesson:
    """One learning of the lists (`engine.personal.readers.Lesson`).

    Args:
        lists: The lists.
        before: What was said of them as the lesson began.
        readers: How many readers there are.
        kept: The fingerprints of the lists, by document, once they were read.
    """

    lists: ElasticLists
    before: Held
    readers: int
    kept: dict[str, str] | None = None

    @property
    def facts(self) -> str:
        """What was written down of the last learning."""
        return str(self.before.source["facts"])

    def touched(self, reads: Reads) -> Numbers:
        """Return the documents whose lists rest on something else than before, ascending."""
        kept = self._kept()
        now = fingerprints(reads)
        return np.array(
            [at for at, doc_id in enumerate(reads.doc_ids) if kept.get(doc_id) != now[at]], dtype=np.int64
        )

    def keep(self, reads: Reads, found: Sequence[Found], *, fresh: bool, facts: Callable[[int], str]) -> bool:
        """Keep lists, unless something was dropped, or learnt elsewhere, meanwhile.

        Each list is whole at any time. Should it be interrupted, some are those of this lesson, some of the one before.
        """
        lists, index = self.lists, self.lists.index
        with Lease(index, "learning", lists._wait) as lease:
            now = index.get(layout.LEARNT, layout.LEARNT)
            if now is None or _said(now) != _said(self.before) or self._erasing():
                return False
            marks, counts = fingerprints(reads), reads.counts
            gone = self._kept().keys() - set(reads.doc_ids)
            for writes in _batches(_writes(reads, found, marks, counts), gone):
                lease.check()
                index.write(writes)
            index.refresh()
            linked = index.count({"bool": {"filter": [_LISTS, {"exists": {"field": "near"}}]}})
            said = {"times": now.source["times"] + 1, "facts": facts(linked)}
            lease.check()
            lists.change(lambda before: {**before, **said})
        return True

    def _erasing(self) -> bool:
        """Whether somebody who is to be erased may be in what was learnt; then it is first finished."""
        return self.lists.index.count({"exists": {"field": "home"}}) > 0

    def _kept(self) -> dict[str, str]:
        if self.kept is None:
            self.lists.index.refresh()
            hits = self.lists.index.pages(
                _LISTS, ("document",), _PAGE, _source=False, docvalue_fields=["document", "fingerprint"]
            )
            fields = (hit["fields"] for hit in hits)
            self.kept = {one["document"][0]: one["fingerprint"][0] for one in fields}
        return self.kept


def fingerprints(reads: Reads) -> list[str]:
    """Return for each document a number that is another one when its readers, or what else they read, are others.

    The sum, over its readers, of a hash of what the reader reads and counts: who they are plays no part.
    """
    sums = np.zeros(len(reads.doc_ids), dtype=np.uint64)
    names = [doc_id.encode() for doc_id in reads.doc_ids]
    hashes: NDArray[np.uint64] = np.zeros(len(reads.weights), dtype=np.uint64)
    for reader, (start, end) in enumerate(
        zip(reads.starts[:-1].tolist(), reads.starts[1:].tolist(), strict=True)
    ):
        digest = blake2b(repr(reads.weights[reader].item()).encode(), digest_size=8)
        for at in sorted(reads.read[start:end].tolist()):
            digest.update(b"\0" + names[at])
        hashes[reader] = int.from_bytes(digest.digest(), "little")
    np.add.at(sums, reads.read, np.repeat(hashes, np.diff(reads.starts)))
    return [f"{one:016x}" for one in sums.tolist()]


def _said(held: Held) -> tuple[int, int]:
    return held.source["times"], held.source["dropped"]


def _list(source: Any) -> tuple[list[str], Scores]:
    names = source["near"]
    return names, np.frombuffer(base64.b64decode(source["likeness"]), VALUES)


def _listed(names: Sequence[str], values: Scores) -> dict[str, Any]:
    likeness = base64.b64encode(values.astype(VALUES).tobytes()).decode()
    return {"near": list(names), "likeness": likeness}


def _writes(reads: Reads, found: Iterable[Found], marks: Sequence[str], counts: Numbers) -> Iterator[Write]:
    for row, others, values in found:
        doc_id = reads.doc_ids[row]
        source = {
            "kind": "neighbours",
            "document": doc_id,
            "read_by": int(counts[row]),
            **_listed([reads.doc_ids[at] for at in others.tolist()], values),
            "fingerprint": marks[row],
        }
        home = layout.near_id(doc_id)
        yield Write(home, home, source, anyhow=True)


def _batches(writes: Iterator[Write], gone: Iterable[str]) -> Iterator[list[Write]]:
    homes = (layout.near_id(doc_id) for doc_id in sorted(gone))
    deletes = (Write(home, home, None) for home in homes)
    for source in (writes, deletes):
        while batch := list(islice(source, _AT_ONCE)):
            yield batch
