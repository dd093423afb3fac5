"""Asking the server for documents of the index of readers, and changing them under optimistic concurrency.

Documents are fetched by id and routing: that is a look at the shard's own latest state, so that what one call wrote the
next one sees, without waiting for a refresh. Only what goes over all readers searches, after a refresh.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import ReaderStoreBusy, ReaderStoreError
from engine.personal.elastic import layout
from indexer.elastic.errors import PASSING, ElasticConflict, ElasticError, ElasticNotFound, refusal
from indexer.elastic.wire.connection import path_of
from indexer.errors import IndexingError, IndexUnavailable

if TYPE_CHECKING:
    from indexer.elastic.wire.connection import Cluster

LOOK_AGAIN = 1.0  # seconds after which it is asked again whether there is an index that was not there
_BULK_TRIES = 6
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Held:
    """A document as it was found or written.

    Args:
        id: Its id.
        routing: Which shard it is in.
        seq_no: Of its last change, in the shard.
        term: Of the primary that made it.
        source: What it holds; empty after a write.
    """

    id: str
    routing: str
    seq_no: int
    term: int
    source: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """A document to be written or deleted.

    Args:
        id: Its id.
        routing: Which shard it belongs in.
        source: What it is to hold; None to delete it.
        held: It as it was found: nothing is done if it was changed since. None where it must not be there.
        anyhow: Whether to do it whatever is there.
    """

    id: str
    routing: str
    source: Mapping[str, Any] | None
    held: Held | None = None
    anyhow: bool = False

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """Yield the lines of a bulk request."""
        where: dict[str, Any] = {"_id": self.id, "routing": self.routing}
        if self.held is not None:
            where |= {"if_seq_no": self.held.seq_no, "if_primary_term": self.held.term}
        if self.source is None:
            yield {"delete": where}
            return
        yield {"index" if self.anyhow or self.held is not None else "create": where}
        yield self.source


class ReaderIndex:
    """The index of one tenant's readers. Safe to share between threads.

    Args:
        cluster: Where it is.
        name: Of the index of documents that the readers read.
        tenant: Whose readers.
        key: Of pseudonyms, if the index is made through this object.
    """

    def __init__(self, cluster: Cluster, name: str, tenant: str, key: bytes) -> None:
        self.cluster = cluster
        self.name = name
        self.tenant = tenant
        self.index = layout.index_of(name, tenant)
        self._new_key = key
        self._there = self._made = False
        self._looked = -LOOK_AGAIN
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.index} on {self.cluster.address.cluster}"

    @property
    def exists(self) -> bool:
        """Whether it is there, as far as is known: where it was not, the server is asked once a second at most."""
        if not self._there and time.monotonic() - self._looked >= LOOK_AGAIN:
            self.look()
        return self._there

    def look(self) -> bool:
        """Ask the server whether the index is there.

        Raises:
            ReaderStoreError: it is something else, of another tenant, or of another format.
        """
        with self.said():
            try:
                found = self.cluster.request("GET", path_of(self.index, "_mapping"))
            except ElasticNotFound:
                found = {}
        self._looked = time.monotonic()
        if found:
            self._check(next(iter(found.values()))["mappings"].get("_meta", {}))
        self._there = bool(found)
        return self._there

    def make(self) -> None:
        """Make the index, unless it is there, with the key of pseudonyms."""
        if self._there and self._made:
            return
        with self._lock:
            if not self.look():
                settings = self.cluster.settings
                body = layout.body(self.tenant, shards=settings.shards, replicas=settings.replicas)
                with self.said():
                    try:
                        self.cluster.request("PUT", path_of(self.index), body=body)
                    except ElasticError as error:
                        if error.kind != "resource_already_exists_exception":
                            raise
                self.look()
            # The first to write it has it; whoever made the index may have been stopped before.
            store = {"kind": "store", "key": self._new_key.hex(), "floor": 0}
            self.write([Write(layout.STORE, layout.STORE, store)])
            self._made = True

    def get(self, doc_id: str, routing: str, only: Sequence[str] | None = None) -> Held | None:
        """Return a document, None where it is not there."""
        return self.get_all([(doc_id, routing, only)])[0]

    def get_all(self, wanted: Sequence[tuple[str, str, Sequence[str] | None]]) -> list[Held | None]:
        """Return documents, None for each that is not there.

        Args:
            wanted: Id and routing of each, and which fields (None for all).
        """
        if not wanted:
            return []
        docs = [
            {"_id": doc_id, "routing": routing, **({} if only is None else {"_source": list(only)})}
            for doc_id, routing, only in wanted
        ]
        with self.said():
            try:
                answer = self.cluster.request("POST", path_of(self.index, "_mget"), body={"docs": docs})
            except ElasticNotFound:
                self._there = False
                return [None] * len(docs)
            found = answer["docs"]
            failed = [one["error"] for one in found if "error" in one]
            if failed and all(one.get("type") == "index_not_found_exception" for one in failed):
                self._there = False
                return [None] * len(docs)
            if failed:
                raise refusal(503, failed[0], asked=f"POST /{self.index}/_mget")
        return [
            Held(one["_id"], routing, one["_seq_no"], one["_primary_term"], one["_source"])
            if one.get("found")
            else None
            for one, (_, routing, _) in zip(found, wanted, strict=True)
        ]

    def write(self, writes: Sequence[Write], *, refresh: bool = False) -> list[Held | None]:
        """Write and delete documents; return each as it is now, None where somebody else was faster.

        What was deleted, or was not there to be deleted, counts as done.

        Raises:
            ReaderStoreError: the server refuses one of them.
        """
        if not writes:
            return []
        if not self._there:
            self.make()  # or the server would make one of its own design
        done: list[Held | None] = [None] * len(writes)
        left = list(range(len(writes)))
        params = {"refresh": "true"} if refresh else {}
        with self.said():
            for attempt in range(_BULK_TRIES):
                lines = [line for at in left for line in writes[at].lines()]
                answer = self.cluster.request(
                    "POST", path_of(self.index, "_bulk"), lines=lines, params=params
                )
                again = []
                for at, item in zip(left, answer["items"], strict=True):
                    [result] = item.values()
                    status, one = result["status"], writes[at]
                    if status < 300 or (status == 404 and one.source is None and one.held is None):
                        done[at] = Held(
                            one.id, one.routing, result.get("_seq_no", 0), result.get("_primary_term", 0), {}
                        )
                    elif status in PASSING and attempt + 1 < _BULK_TRIES:
                        again.append(at)
                    elif status not in (404, 409):
                        raise refusal(status, result, asked=f"POST /{self.index}/_bulk")
                left = again
                if not left:
                    break
                time.sleep(_PAUSE * 2**attempt)
        return done

    def search(self, body: Mapping[str, Any], *, routing: str | None = None) -> Mapping[str, Any]:
        """Search as of the last refresh, all shards or none."""
        params = {"allow_partial_search_results": False, "routing": routing}
        with self.said():
            found: Mapping[str, Any] = self.cluster.request(
                "POST", path_of(self.index, "_search"), body=body, params=params
            )
        if found.get("timed_out") or found["_shards"]["failed"]:
            raise ReaderStoreBusy(f"{self.place}: some of it does not answer now; try again later")
        return found

    def pages(self, query: Mapping[str, Any], sort: Sequence[str], size: int, **more: Any) -> Iterator[Any]:
        """Yield the hits of a search, all of them, in the order of fields that never change.

        Args:
            query: Which documents.
            sort: The fields; together they tell any two documents apart.
            size: How many are fetched at once.
            more: What else the body says.
        """
        after: dict[str, Any] = {}
        while True:
            body = {"query": query, "size": size, "sort": [*sort], "track_total_hits": False, **after, **more}
            hits = self.search(body)["hits"]["hits"]
            yield from hits
            if len(hits) < size:
                return
            after = {"search_after": hits[-1]["sort"]}

    def count(self, query: Mapping[str, Any]) -> int:
        """Return how many documents match, as of the last refresh."""
        found = self.search({"query": query, "size": 0, "track_total_hits": True})
        total: int = found["hits"]["total"]["value"]
        return total

    def refresh(self) -> None:
        """Let searches see all that was written."""
        with self.said():
            self.cluster.request("POST", path_of(self.index, "_refresh"))

    @contextmanager
    def said(self) -> Iterator[None]:
        """Turn errors of the server into `ReaderStoreError` and `ReaderStoreBusy`."""
        try:
            yield
        except IndexUnavailable as error:
            raise ReaderStoreBusy(str(error)) from error
        except ElasticConflict as error:
            raise ReaderStoreBusy(f"{self.place}: another process is changing it ({error})") from error
        except IndexingError as error:
            raise ReaderStoreError(str(error)) from error

    def _check(self, meta: Mapping[str, str]) -> None:
        if "quire_readers" not in meta:
            raise ReaderStoreError(
                f"{self.place} is an index, but none of Quire's readers; remove it, or name another tenant"
            )
        if meta["quire_readers"] != str(layout.FORMAT):
            raise ReaderStoreError(
                f"{self.place} has format {meta['quire_readers']}; this version of Quire reads format "
                f"{layout.FORMAT}: export the events with the version that wrote it, and import them here"
            )
        if meta.get("tenant") != self.tenant:
            raise ReaderStoreError(
                f"{self.place} holds the readers of tenant {meta.get('tenant')!r}, not of {self.tenant!r}; "
                "tenants never mix: name another tenant"
            )
