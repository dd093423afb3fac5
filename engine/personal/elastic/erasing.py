"""Erasing a reader so that nothing is left, also when the process is killed on the way.

1. A mark `leaving-<uid>` says which documents they met: from here on it will be done, by whoever opens them next.
2. Their entry goes: nobody meets them any more, and what others are still writing for them is refused.
3. Their pieces go; what was learnt of documents that they met is dropped (`ElasticLists.drop`); the mark is emptied.
4. A search proves that nothing of theirs is found; it is taken off the disk (`expunging`); the mark goes.

Steps 1 to 3 may be done by several at once. Step 4 takes half a minute, and is done once for all who wait for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import ReaderStoreBusy
from engine.personal.elastic import layout
from engine.personal.elastic.access import Write
from engine.personal.elastic.changing import Entries, Known
from engine.personal.elastic.expunging import expunge
from engine.personal.elastic.lease import Lease
from engine.personal.elastic.lists import ElasticLists
from engine.personal.history import Forgotten

_MOST = 10_000
_TERMS = 1_000
_LEAVING = {"term": {"kind": "leaving"}}
OFF_DISK_WAIT = 240.0
"""Seconds to wait for others who take their own readers off the disk: twice as long as that may take."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A reader whose entry was taken away.

    Args:
        uid: Theirs.
        documents: What they met.
        tally: How much there was.
    """

    uid: str
    documents: frozenset[str]
    tally: Forgotten


class Eraser:
    """Erases readers of an index.

    Args:
        entries: The entries.
        lists: What readers share.
    """

    def __init__(self, entries: Entries, lists: ElasticLists) -> None:
        self._entries = entries
        self._index = entries.index
        self._lists = lists

    def erase(self, user_ids: Iterable[str]) -> Forgotten:
        """Erase readers; who is unknown is passed over.

        Raises:
            ReaderStoreBusy: they are in no answer any more, but could not be taken off the disk yet.
        """
        gone = [one for user_id in dict.fromkeys(user_ids) if (one := self._take(user_id)) is not None]
        if not gone:
            if self.pending():  # perhaps it was these, and it was stopped on the way
                self.finish(OFF_DISK_WAIT)
            return Forgotten()
        self.clear()
        only = self._nobodys(frozenset[str]().union(*(one.documents for one in gone)))
        self._off_disk([one.uid for one in gone], OFF_DISK_WAIT)
        return sum((one.tally for one in gone), Forgotten(documents=only))

    def pending(self) -> list[dict[str, Any]]:
        """Return the marks of readers who were begun to be erased."""
        hits = self._index.search({"query": _LEAVING, "size": _MOST})["hits"]["hits"]
        return [dict(hit["_source"]) for hit in hits]

    def take_marked(self) -> None:
        """Take away the entries of readers who are marked, so that nobody meets them again."""
        for mark in self.pending():
            if "home" in mark:
                self._take_entry(mark)

    def finish(self, wait: float) -> None:
        """Finish every erasure that was begun.

        Args:
            wait: Seconds to wait for others who are at it.
        """
        self.clear()
        self._off_disk([mark["uid"] for mark in self.pending()], wait)

    def _take(self, user_id: str) -> Gone | None:
        """Mark a reader, and take away the entry."""
        patience = self._entries.patience()
        while True:
            known = self._entries.find(user_id)
            if known is None:
                return None
            gone = self._marked(known)
            if self._entries.put(known, None, "") is not None:
                return gone
            patience.pause()

    def _marked(self, known: Known) -> Gone:
        """Write down that a reader is to be erased, and what they met."""
        entry = known.entry
        events = self._entries.events(entry, as_is=True)
        documents = frozenset(one.doc_id for one in events)
        mark = layout.leaving_id(entry.uid)
        source = {
            "kind": "leaving",
            "uid": entry.uid,
            "home": known.held.id,
            "met": {"documents": sorted(documents)},
        }
        self._index.write([Write(mark, mark, source, anyhow=True)], refresh=True)
        tally = Forgotten(1, entry.count, len(entry.declared), len(entry.muted))
        return Gone(entry.uid, documents, tally)

    def _take_entry(self, mark: dict[str, Any]) -> None:
        patience = self._entries.patience()
        while True:
            known = self._entries.find_home(mark["home"])
            if known is None or known.entry.uid != mark["uid"]:
                return
            self._marked(known)
            if self._entries.put(known, None, secrets.token_hex(8)) is not None:
                return
            patience.pause()

    def clear(self) -> None:
        """Take away all that belongs to readers who are marked, and empty the marks; several may be at it at once."""
        for mark in self.pending():
            if "home" not in mark:
                continue
            self._take_entry(mark)
            self._delete(mark["uid"])
            self._lists.drop(mark["met"]["documents"])
            name = layout.leaving_id(mark["uid"])
            emptied = {"kind": "leaving", "uid": mark["uid"]}
            self._index.write([Write(name, name, emptied, anyhow=True)], refresh=True)

    def _delete(self, uid: str) -> None:
        """Delete what belongs to a reader, until a search finds nothing more."""
        self._index.refresh()
        body = {"query": _of([uid]), "size": 1000, "_source": False, "stored_fields": ["_routing"]}
        while hits := self._index.search(body)["hits"]["hits"]:
            self._index.write([Write(hit["_id"], hit["_routing"], None) for hit in hits], refresh=True)

    def _off_disk(self, uids: Sequence[str], wait: float) -> None:
        """Take what was deleted off the disk, for all whose marks are empty.

        Raises:
            ReaderStoreBusy: it could not be done yet.
        """
        try:
            with Lease(self._index, "erasing", wait):
                left = {mark["uid"] for mark in self.pending() if "home" not in mark}
                if not left & set(uids):
                    return  # somebody else's merge took them along
                for uid in sorted(left):
                    self._delete(uid)
                self._index.refresh()
                if self._index.count(_of(sorted(left))):
                    raise ReaderStoreBusy(
                        f"{self._index.place}: others are still writing for who was forgotten"
                    )
                expunge(self._index)
                names = [layout.leaving_id(uid) for uid in sorted(left)]
                self._index.write([Write(name, name, None) for name in names], refresh=True)
        except ReaderStoreBusy as error:
            raise ReaderStoreBusy(
                f"those to be forgotten are in no answer any more, but not off the disk yet: {error}"
            ) from error

    def _nobodys(self, documents: frozenset[str]) -> int:
        """Return how many of these documents no reader has met."""
        if not documents:
            return 0
        self._index.refresh()
        ordered, met = sorted(documents), 0
        for at in range(0, len(ordered), _TERMS):
            some = ordered[at : at + _TERMS]
            body = {
                "size": 0,
                "query": {"terms": {"documents": some}},
                "aggs": {"met": {"terms": {"field": "documents", "include": some, "size": len(some)}}},
            }
            met += len(self._index.search(body)["aggregations"]["met"]["buckets"])
        return len(documents) - met


def _of(uids: Sequence[str]) -> dict[str, Any]:
    return {"bool": {"filter": [{"terms": {"uid": list(uids)}}], "must_not": [_LEAVING]}}
