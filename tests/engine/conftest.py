"""A small corpus in a real index, shared by the tests that only read it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import SearchEngine, SearchSettings
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from indexer.splitter import SplitterSettings
from reranker.overlap import OverlapScorer

WORDS = (
    "turbine blade cooling boundary layer shock wave supersonic wing drag lift pressure engine nozzle heat "
    "transfer laminar turbulent flow plate cylinder cone jet vortex rotor stall flutter panel buckling shell"
).split()
ENCODER = HashingEncoder(32)
PASSAGES = SplitterSettings(tokens=16, overlap=0)


FIRST = SearchSettings(rerank_depth=0)
"""The first stage alone."""


def first_stage(**values: object) -> SearchSettings:
    """Return settings without a second stage."""
    return replace(FIRST, **values)  # type: ignore[arg-type]


def documents(count: int = 60) -> list[Document]:
    """Return documents of 1 to about 12 passages, every one the same at every run."""
    chance = random.Random(7)
    weights = [1 / rank for rank in range(1, len(WORDS) + 1)]
    made = []
    for n in range(count):
        sentences = [
            " ".join(chance.choices(WORDS, weights, k=chance.randint(4, 11))).capitalize() + "."
            for _ in range(chance.randint(1, 12))
        ]
        metadata = {
            "year": 1990 + n % 20,
            "lang": "en" if n % 3 else "de",
            "tags": (f"t{n % 4}", f"t{n % 7}"),
        }
        title = " ".join(chance.choices(WORDS, k=2)) if n % 4 else ""
        made.append(Document(f"d{n:02}", " ".join(sentences), title, metadata, source=f"made/{n}"))
    # The same text under two ids, so that equal scores happen.
    made.append(Document("zz", made[5].text, made[5].title))
    made.append(Document("aa", made[5].text, made[5].title))
    return made


def fill(index: Index, added: Iterable[Document] = (), deleted: Iterable[str] = ()) -> None:
    """Commit some changes."""
    with index.writer() as writer:
        for document in added:
            writer.add(document)
        for doc_id in deleted:
            writer.delete(doc_id)


@pytest.fixture(scope="session")
def corpus() -> list[Document]:
    """The documents of `index`."""
    return documents()


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, corpus: list[Document]) -> Index:
    """An index of the corpus. Only to be read."""
    made = Index.create(tmp_path_factory.mktemp("engine") / "index", encoder=ENCODER, passages=PASSAGES)
    fill(made, corpus)
    return made


@pytest.fixture(scope="session")
def search_engine(index: Index) -> SearchEngine:
    """An engine over `index` without a second stage. Only to be asked."""
    return SearchEngine(index, ENCODER, FIRST)


@pytest.fixture(scope="session")
def reranking_engine(index: Index) -> SearchEngine:
    """An engine over `index` with a second stage. Only to be asked."""
    return SearchEngine(index, ENCODER, reranker=OverlapScorer())


@pytest.fixture
def make_index(tmp_path: Path) -> Callable[..., Index]:
    """Make an index of some documents that the test may change."""

    def make(*added: Document) -> Index:
        made = Index.create(tmp_path / "index", encoder=ENCODER, passages=PASSAGES)
        if added:
            fill(made, added)
        return made

    return make


@pytest.fixture(autouse=True, scope="session")
def _no_tick() -> Iterator[None]:
    """Ages of events are counted to the last full year, so that no test runs over the end of a tick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.personal.profiles.TICK", 365 * 86400.0)
        yield
