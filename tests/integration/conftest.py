"""An index on three real nodes that tests kill, pause and wake."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import cycle

import pytest
from elasticsearch_server import Cluster, call, drop, wait_until

from engine import Ranking, SearchEngine, SearchError, SearchSettings
from indexer.backend import DocumentIndex
from indexer.document import Document
from indexer.elastic.settings import ElasticSettings
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import IndexingError
from indexer.opening import create_index, open_index
from small_corpus import make_document

ENCODER = HashingEncoder(32)
# Lists of words and meaning; a list that lacks nothing is the same every time.
ASKED = SearchSettings(depth=200)
QUESTIONS = ("harbour lantern", "granite meadow thunder", "number7", "copper violet -saddle")


@dataclass
class Three:
    """Three nodes, and what is made on them.

    Args:
        cluster: The nodes.
        name: Begins the name of every index.
    """

    cluster: Cluster
    name: str
    made: int = 0
    settings: ElasticSettings = field(
        default_factory=lambda: ElasticSettings(shards=3, replicas=1, timeout_seconds=8, connect_seconds=1)
    )

    def place(self) -> str:
        """Return the address of an index that is not there yet, by all three nodes."""
        self.made += 1
        hosts = ",".join(url.removeprefix("http://") for url in self.cluster.urls)
        return f"elasticsearch://{hosts}/{self.name}-{self.made}"

    def create(self, place: str) -> DocumentIndex:
        """Make an index, with a replica of each shard."""
        made = create_index(place, encoder=ENCODER, elastic=self.settings)
        self.cluster.wait_for("green")
        return made

    def indexes(self, place: str) -> list[str]:
        """Return the names of what makes up an index."""
        return list(call(self.cluster.url, "GET", f"/{place.rsplit('/', 1)[1]}-*/_settings"))

    def open(self, place: str) -> DocumentIndex:
        """Open an index."""
        return open_index(place, encoder=ENCODER, elastic=self.settings)

    def engine(self, place: str, settings: ElasticSettings | None = None) -> SearchEngine:
        """Return an engine over an index."""
        return SearchEngine.open(place, encoder=ENCODER, elastic=settings or self.settings, settings=ASKED)

    def repair(self) -> None:
        """Wake and start whatever is not running, and wait until every shard has its copies."""
        with ThreadPoolExecutor(3) as each:
            list(each.map(self.cluster.resume, range(3)))
        self.cluster.wait_for("green")


@pytest.fixture
def three(elasticsearch_cluster: Cluster) -> Iterator[Three]:
    """Three sound nodes."""
    made = Three(elasticsearch_cluster, f"quire-test-{uuid.uuid4().hex[:12]}")
    yield made
    made.repair()
    drop(elasticsearch_cluster.url, made.name)


class Loading(threading.Thread):
    """Writes documents until it is told to stop; knows which were acknowledged by a commit.

    A clear error of the index is one of its ends for a writer: it takes another one and goes on.
    """

    def __init__(self, three: Three, place: str) -> None:
        super().__init__(name="loading")
        self.acknowledged: dict[str, Document] = {}
        self.errors: list[IndexingError] = []
        self.wrong: list[BaseException] = []
        self._three, self._place = three, place
        self._stop_it = threading.Event()
        self._number = 1000

    def run(self) -> None:
        """Write."""
        try:
            with self._three.open(self._place) as index:
                while not self._stop_it.is_set():
                    try:
                        self._write(index)
                    except IndexingError as error:
                        self.errors.append(error)
        except BaseException as error:
            self.wrong.append(error)

    def _write(self, index: DocumentIndex) -> None:
        with index.writer() as writer:
            while not self._stop_it.is_set():
                batch = [make_document(self._number + n, words=60) for n in range(20)]
                for document in batch:
                    writer.put(document)
                writer.commit()
                self._number += len(batch)
                refused = {one.doc_id for one in writer.settled() if one.outcome == "refused"}
                self.acknowledged.update((d.doc_id, d) for d in batch if d.doc_id not in refused)

    def stop(self) -> None:
        """Let it finish what it is at."""
        self._stop_it.set()
        self.join(timeout=90)
        assert not self.is_alive()
        assert not self.wrong, self.wrong


@dataclass
class Asking:
    """Asks questions whose answers are known, and counts what came.

    Args:
        engine: Whom to ask.
        expected: The right answers.
        whole: How many were right and said nothing.
        partial: How many said that something is missing.
        errors: Clear errors.
    """

    engine: SearchEngine
    expected: dict[str, Ranking]
    whole: int = 0
    partial: int = 0
    errors: list[SearchError] = field(default_factory=list)

    @classmethod
    def of(cls, engine: SearchEngine) -> Asking:
        """Return one that has heard the right answers of a sound cluster."""
        expected = {text: engine.search(text, k=10) for text in QUESTIONS}
        assert all(answer.hits and not answer.notices for answer in expected.values())
        return cls(engine, expected)

    def ask(self) -> None:
        """Ask the next question: the answer is right, says what it lacks, or is a clear error."""
        text, right = next(self._turns)
        try:
            found = self.engine.search(text, k=10)
        except SearchError as error:
            self.errors.append(error)
            return
        if found.notices:
            assert any("missing" in notice for notice in found.notices), found.notices
            self.partial += 1
            return
        assert [hit.doc_id for hit in found.hits] == [hit.doc_id for hit in right.hits]
        assert [hit.score for hit in found.hits] == pytest.approx([hit.score for hit in right.hits], abs=1e-5)
        self.whole += 1

    @cached_property
    def _turns(self) -> Iterator[tuple[str, Ranking]]:
        return cycle(self.expected.items())

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Ask one question after the other until something holds."""

        def looked() -> bool:
            if holds():
                return True
            self.ask()
            return False

        wait_until(looked, seconds, what)


def everything_is_there(index: DocumentIndex, expected: dict[str, Document]) -> None:
    """Check that no acknowledged document is lost, and that the index is sound."""
    reader = index.reader()
    numbers = reader.find_all(list(expected))
    assert [doc_id for doc_id, number in zip(expected, numbers.tolist(), strict=True) if number < 0] == []
    stored = reader.documents(numbers)
    texts = reader.texts([(one.number, 0, one.length) for one in stored])
    assert texts == [document.text for document in expected.values()]
    assert index.verify().problems == ()
