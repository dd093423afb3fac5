"""Places where readers can be kept: folders, and names on a real Elasticsearch."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from elasticsearch_server import call, drop

from engine.personal.elastic.store import ElasticReaderStore
from engine.personal.readers import Readers
from engine.personal.store import ReaderStore
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster


class Place(Protocol):
    """Where readers can be kept."""

    def open(self, tenant: str = "default") -> Readers: ...

    def untouched(self) -> bool:
        """Whether nothing was ever made here."""
        ...


class Places(Protocol):
    """Gives places where nothing is yet."""

    elastic: bool

    def fresh(self) -> Place: ...

    def done(self) -> None:
        """Say that no place given so far is needed any more."""
        ...

    def enough(self, examples: int) -> bool:
        """Whether a test has had so many examples, where each costs seconds."""
        ...

    def place(self) -> AbstractContextManager[Place]:
        """Give a place for a while; it may have been used before, and is empty."""
        ...

    def store(self) -> AbstractContextManager[Readers]: ...


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, tenant: str = "default") -> Readers:
        return ReaderStore.open(self.path, tenant)

    def untouched(self) -> bool:
        return not list(self.path.iterdir())


class Folders:
    elastic = False

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory

    def fresh(self) -> Folder:
        return Folder(self._factory.mktemp("readers"))

    def done(self) -> None:
        pass

    def enough(self, examples: int) -> bool:
        return False

    @contextmanager
    def place(self) -> Iterator[Folder]:
        yield self.fresh()

    @contextmanager
    def store(self) -> Iterator[Readers]:
        with self.fresh().open() as store:
            yield store


class Name:
    def __init__(self, url: str, cluster: Cluster, name: str) -> None:
        self.url, self.cluster, self.name = url, cluster, name

    def open(self, tenant: str = "default") -> Readers:
        return ElasticReaderStore.open(self.cluster, self.name, tenant)

    def open_marks(self) -> list[object]:
        """The readers who are still to be erased."""
        call(self.url, "POST", f"/{self.name}-readers-default/_refresh")
        body = {"query": {"term": {"kind": "leaving"}}}
        found = call(self.url, "POST", f"/{self.name}-readers-default/_search", body)
        return [hit["_source"] for hit in found["hits"]["hits"]]

    def empty(self) -> None:
        """Delete all that is there, so that it is as if nothing ever was."""
        if self.untouched():
            return
        index = f"/{self.name}-readers-default"
        self.cluster.request("POST", f"{index}/_refresh")
        found = self.cluster.request("POST", f"{index}/_search", body={"size": 10_000, "_source": False})
        lines = [{"delete": {"_id": hit["_id"], "routing": hit["_routing"]}} for hit in found["hits"]["hits"]]
        if lines:
            self.cluster.request("POST", f"{index}/_bulk", lines=lines, params={"refresh": True})

    def untouched(self) -> bool:
        return call(self.url, "GET", f"/{self.name}*/_settings?expand_wildcards=all") == {}


class Names:
    elastic = True

    def __init__(self, url: str) -> None:
        self.url = url
        self.cluster = Cluster(f"elasticsearch://{url.split('://')[1]}/unused", ElasticSettings(replicas=0))
        self._prefix = f"quire-test-{uuid.uuid4().hex[:12]}"
        self._given = 0
        self._examples = 0
        self._idle: list[Name] = []

    def enough(self, examples: int) -> bool:
        self._examples += 1
        return self._examples > examples

    def fresh(self) -> Name:
        self._given += 1
        return Name(self.url, self.cluster, f"{self._prefix}-{self._given}")

    def done(self) -> None:
        drop(self.url, self._prefix)

    @contextmanager
    def place(self) -> Iterator[Name]:
        place = self._idle.pop() if self._idle else self.fresh()
        yield place
        place.empty()  # which is quicker than to make another index
        self._idle.append(place)

    @contextmanager
    def store(self) -> Iterator[Readers]:
        with self.place() as place, place.open() as store:
            yield store
