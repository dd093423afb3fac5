"""Both backends behind one fixture, and an index of the corpus on each. See `corpus` and `plain`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from elasticsearch_server import drop

from indexer.document import Document
from indexer.encoding import Encoder
from indexer.opening import create_index, open_index
from indexer.protocol import IndexReader, Numbers

from .corpus import ENCODER, PASSAGES, documents
from .plain import Key, PlainIndex

if TYPE_CHECKING:
    from engine import SearchEngine
    from indexer.elastic.settings import ElasticSettings

SHARDS = 3
"""On a server, of the large indexes: what must not depend on shards is seen not to."""


@dataclass
class Backend:
    """One way to keep an index.

    Args:
        name: `local` or `elasticsearch`.
        at: A folder, or the server's address up to the name of an index.
        elastic: How the server is reached; None for folders.
    """

    name: str
    at: str
    elastic: ElasticSettings | None = None
    places: list[str] = field(default_factory=list)

    def place(self) -> str:
        """Return a place where no index is yet."""
        self.places.append(f"{self.at}{len(self.places)}")
        return self.places[-1]

    def create(
        self, *, encoder: Encoder = ENCODER, place: str = "", shards: int = 1, **choices: Any
    ) -> Opened:
        """Make an empty index; its attribute `place` says where."""
        place = place or self.place()
        elastic = replace(self.elastic, shards=shards) if self.elastic is not None else None
        choices.setdefault("passages", PASSAGES)
        return Opened(place, create_index(place, encoder=encoder, elastic=elastic, **choices), self)

    def open(self, place: str, encoder: Encoder | None = ENCODER) -> Opened:
        """Open an index that is there."""
        return Opened(place, open_index(place, encoder=encoder, elastic=self.elastic), self)

    def engine(self, place: str, **choices: Any) -> SearchEngine:
        """Return an engine over the index at a place."""
        from engine import SearchEngine

        choices.setdefault("encoder", ENCODER)
        return SearchEngine.open(place, elastic=self.elastic, **choices)


class Opened:
    """An index, with the place it is at."""

    def __init__(self, place: str, index: Any, backend: Backend) -> None:
        self.place = place
        self.index = index
        self.backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)


def fill(index: Any, added: Iterable[Document] = (), deleted: Iterable[str] = ()) -> None:
    """Commit some changes."""
    with index.writer() as writer:
        for document in added:
            writer.add(document)
        for doc_id in deleted:
            writer.delete(doc_id)


def elasticsearch(url: str) -> Backend:
    """Return the backend at a server; what is made on it begins with a name of its own."""
    from indexer.elastic.settings import ElasticSettings

    scheme, host = url.split("://")
    at = f"elasticsearch{'' if scheme == 'http' else '+https'}://{host}/quire-test-{uuid.uuid4().hex[:12]}-"
    return Backend("elasticsearch", at, ElasticSettings(replicas=0, timeout_seconds=30))


def clean(url: str, backend: Backend) -> None:
    """Remove all that was made on a server."""
    drop(url, backend.at.rsplit("/", 1)[1])


@pytest.fixture(
    scope="session", params=["local", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)]
)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Each backend in turn."""
    if request.param == "local":
        yield Backend("local", f"{tmp_path_factory.mktemp('conformance')}/index-")
        return
    url = request.getfixturevalue("elasticsearch_url")
    made = elasticsearch(url)
    yield made
    clean(url, made)


@pytest.fixture(scope="session")
def plain() -> PlainIndex:
    """The oracle."""
    return PlainIndex(documents(), ENCODER, PASSAGES)


@pytest.fixture(scope="session")
def home(backend: Backend) -> Iterator[Opened]:
    """An index of the corpus. Only to be read."""
    index = backend.create(shards=SHARDS)
    fill(index, documents())
    yield index
    index.close()


@pytest.fixture(scope="session")
def reader(home: Opened) -> IndexReader:
    """A reader of it."""
    return home.reader()


class Names:
    """Numbers of one reader, and names that last."""

    def __init__(self, numbers: Sequence[int], keys: Sequence[Key]) -> None:
        self.key_of = dict(zip(numbers, keys, strict=True))
        self.number_of = dict(zip(keys, numbers, strict=True))

    def keys(self, passages: Numbers) -> list[Key]:
        return [self.key_of[number] for number in passages.tolist()]

    def numbers(self, keys: Sequence[Key]) -> Numbers:
        return np.array([self.number_of[key] for key in keys], dtype=np.int64)


def names_of(reader: IndexReader) -> Names:
    """Return the names of all passages of a reader."""
    numbers, _ = reader.passages_of_all(reader.live_documents())
    keys = [(item.passage.doc_id, item.passage.ordinal) for item in reader.passages(numbers)]
    return Names(numbers.tolist(), keys)


@pytest.fixture(scope="session")
def names(reader: IndexReader) -> Names:
    """The names of the passages of `reader`."""
    return names_of(reader)


@pytest.fixture
def make(backend: Backend) -> Iterator[Callable[..., Opened]]:
    """Makes indexes of some documents, which the test may change."""
    opened: list[Opened] = []

    def made(*added: Document, **choices: Any) -> Opened:
        opened.append(backend.create(**choices))
        if added:
            fill(opened[-1], added)
        return opened[-1]

    yield made
    for index in opened:
        index.close()


@pytest.fixture(scope="session")
def both(
    tmp_path_factory: pytest.TempPathFactory, elasticsearch_url: str
) -> Iterator[tuple[Backend, Backend]]:
    """The two beside each other, for what has no oracle: the embedded one is it."""
    other = elasticsearch(elasticsearch_url)
    yield Backend("local", str(Path(tmp_path_factory.mktemp("both"), "index-"))), other
    clean(elasticsearch_url, other)
