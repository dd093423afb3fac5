"""One index for all tenants; newer generations are taken up while searches run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import Event, Query, SearchError, SearchSettings
from engine.errors import InvalidProfileChange, NoSuchIndex
from engine.service.engines import Engines
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from reranker.overlap import OverlapScorer


class CountingEncoder(HashingEncoder):
    """Counts how often it is asked for a query."""

    def __init__(self) -> None:
        super().__init__(32)
        self.queries = 0

    def encode_query(self, text: str):  # type: ignore[no-untyped-def]
        self.queries += 1
        return super().encode_query(text)


@pytest.fixture
def place(tmp_path: Path, make_index: Callable[..., Index], corpus: list[Document]) -> Path:
    make_index(*corpus).close()
    return tmp_path / "index"


def test_tenants_share_everything_but_their_readers(place: Path) -> None:
    encoder = CountingEncoder()
    engines = Engines.open(place, encoder=encoder, reranker=OverlapScorer())
    try:
        first, second = engines.of("default"), engines.of("other")
        assert engines.of("other") is second
        assert first is engines.shared
        for engine in (first, second):
            assert engine.search("turbine blade").hits
        assert encoder.queries == 2
        assert first._current() is second._current()
        assert first._document_vectors is second._document_vectors
        assert first._completions is second._completions
        assert first._marker is second._marker
        first.record([Event("ann", "d05", "like")])
        second.record([Event("ann", "d07", "like")])
        assert first.readers.history("ann").doc_ids == ("d05",)
        assert second.readers.history("ann").doc_ids == ("d07",)
        first.forget("ann")
        assert second.readers.version("ann")
    finally:
        engines.close()
    with pytest.raises(SearchError, match="closed"):
        second.search("turbine")


@pytest.mark.parametrize("name", ["", "../other", "a/b", "x" * 65, "tenant\x00"])
def test_no_tenant_leads_out_of_its_folder(place: Path, name: str) -> None:
    engines = Engines.open(place, encoder=HashingEncoder(32))
    try:
        with pytest.raises(InvalidProfileChange):
            engines.of(name)
    finally:
        engines.close()


def test_there_has_to_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(NoSuchIndex):
        Engines.open(tmp_path / "nowhere")


def test_refresh_takes_up_what_was_committed_for_every_tenant(place: Path) -> None:
    engines = Engines.open(place, encoder=HashingEncoder(32))
    try:
        other = engines.of("other")
        before = engines.generation
        assert other.search("+zebra").hits == ()
        assert not engines.refresh()
        with engines.index.writer() as writer:
            writer.add(Document("new", "A zebra crossing."))
        assert engines.generation == before
        assert engines.refresh()
        assert engines.generation > before
        assert not engines.refresh()
        assert [hit.doc_id for hit in other.search("+zebra").hits] == ["new"]
        assert engines.titles(["new", "nothing", "d01"]).keys() == {"new", "d01"}
        engines.check()
    finally:
        engines.close()


def test_searches_go_on_while_a_writer_commits(place: Path) -> None:
    """Each search sees one generation whole: as many documents of the marked word as that generation has."""
    engines = Engines.open(place, search=SearchSettings(rerank_depth=0), encoder=HashingEncoder(32))
    commits, wrong = 8, []
    held: dict[int, int] = {engines.generation: 0}
    done = threading.Event()

    def ask(tenant: str) -> None:
        while not done.is_set():
            try:
                ranking = engines.of(tenant).search(Query("+xylophone"), k=50)
            except SearchError as error:
                wrong.append(error)
                return
            seen.append((ranking.generation, len(ranking.hits)))

    seen: list[tuple[int, int]] = []
    threads = [threading.Thread(target=ask, args=(tenant,)) for tenant in ("default", "other", "third")]
    for thread in threads:
        thread.start()
    try:
        for number in range(commits):
            with engines.index.writer() as writer:
                for copy in range(3):
                    writer.add(Document(f"x{number}-{copy}", f"A xylophone, the {number}th."))
            held[engines.index.reader().generation] = 3 * (number + 1)
            assert engines.refresh()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not wrong
    assert seen
    assert all(held[generation] == count for generation, count in seen)
    assert len(engines.of("default").search("+xylophone", k=50).hits) == 3 * commits
    engines.close()


def test_a_search_in_flight_keeps_its_generation(place: Path) -> None:
    engines = Engines.open(place, search=SearchSettings(rerank_depth=0), encoder=HashingEncoder(32))
    engine = engines.of("default")
    before = engine.generation
    stages = 0

    def between() -> bool:
        nonlocal stages
        stages += 1
        if stages == 2:  # in the midst of the search, the index changes and is taken up
            with engines.index.writer() as writer:
                writer.delete_all([f"d{n:02}" for n in range(60)])
            assert engines.refresh()
        return False

    ranking = engine.search("turbine blade", k=50, cancelled=between)
    assert stages > 3
    assert ranking.generation == before
    assert len(ranking.hits) > 20
    assert engine.generation > before
    assert {hit.doc_id for hit in engine.search("turbine blade", k=50).hits} <= {"aa", "zz"}
    engines.close()
