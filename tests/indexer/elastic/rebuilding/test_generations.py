"""Generations on a real server: which counts, switching, rolling back, dropping; who may write when."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from elastic_books import Books, some_books

from indexer.elastic.rebuilding import turns
from indexer.elastic.rebuilding.generations import Generation, Generations
from indexer.elastic.rebuilding.layout import Layout, Wanted, layout_of
from indexer.elastic.rebuilding.rebuild import rebuild
from indexer.elastic.rebuilding.turns import Lease, where_to_go_on
from indexer.errors import FingerprintMismatch, IndexExists, IndexLocked, IndexNotFound
from small_corpus import CountingEncoder, make_document


@pytest.fixture
def books(elasticsearch_address: Callable[[], str]) -> Iterator[Books]:
    with some_books(elasticsearch_address(), numbered=5) as found:
        yield found


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(turns, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(turns, "_UNSURE_SECONDS", 0.1)


def layout(current: Generation) -> Layout:
    return layout_of(current, Wanted(), 0)


def begun(books: Books) -> Generation:
    """Return a generation that a rebuild has begun and not filled."""
    current = books.generations.current()
    return books.generations.make(current.number + 1, layout(current).bodies())


def test_an_index_that_is_not_there(books: Books) -> None:
    other = Generations(books.cluster, books.name + "-other")
    assert other.all() == []
    with pytest.raises(IndexNotFound, match="-other"):
        other.current()
    with pytest.raises(IndexNotFound):
        other.delete_all()


def test_a_name_that_begins_alike_is_another_index(books: Books) -> None:
    for name in (f"{books.name}-passages", f"{books.name}-passages-extra"):
        other = Generations(books.cluster, name)
        other.make(1, layout(books.generations.current()).bodies())
    assert [each.number for each in books.generations.all()] == [1]


def test_what_was_begun_does_not_count(books: Books) -> None:
    new = begun(books)
    assert [(each.number, each.state) for each in books.generations.all()] == [
        (1, "current"),
        (2, "building"),
    ]
    assert books.generations.building() == new
    assert books.generations.before(books.generations.current()) is None
    with pytest.raises(IndexNotFound, match="no generation before 1"):
        books.generations.roll_back()
    with pytest.raises(IndexExists, match="another rebuild"):
        begun(books)
    assert books.held() == books.wanted


def test_closing_holds_writers_back_and_reopening_lets_them_in(books: Books) -> None:
    current = books.generations.current()
    books.generations.close(current)
    assert books.generations.current().blocked
    assert books.generations.current().closing
    assert books.generations.reopen(current)
    assert not books.generations.reopen(current)
    assert not books.generations.current().blocked
    books.put(make_document(1000))
    assert books.held() == books.wanted


def test_a_switch_asks_that_nobody_was_let_in(books: Books) -> None:
    current, new = books.generations.current(), begun(books)
    books.generations.close(current)
    books.generations.reopen(current)
    with pytest.raises(IndexLocked, match="too late"):
        books.generations.switch(current, new)
    assert books.generations.current().number == 1


def test_rolling_back_and_forth(books: Books) -> None:
    rebuild(books.cluster, books.name)
    before = books.generations.current()
    books.put(make_document(1000))
    left, counts = books.generations.roll_back()
    assert (left.number, counts.number) == (2, 1)
    assert books.generations.current().number == 1
    assert [each.blocked for each in books.generations.all()] == [False, True]
    assert books.index.reader().document_count == len(books.documents) - 1
    del books.documents["doc-1000"]
    assert books.held() == books.wanted
    books.put(make_document(1001))
    assert books.held() == books.wanted
    assert books.generations.before(before) == books.generations.current()


def test_readers_notice_a_roll_back(books: Books) -> None:
    rebuild(books.cluster, books.name)
    books.put(make_document(1000))
    newest = books.index.reader().generation
    books.generations.roll_back()
    reader = books.index.reader()
    assert reader.generation > newest
    assert reader.find("doc-1000") is None


def test_dropping(books: Books) -> None:
    rebuild(books.cluster, books.name)
    with pytest.raises(IndexLocked, match="counts"):
        books.generations.drop(2)
    with pytest.raises(IndexNotFound, match=r"no generation 7; there are: 1, 2"):
        books.generations.drop(7)
    books.generations.drop(1)
    assert [each.number for each in books.generations.all()] == [2]
    assert books.held() == books.wanted


def test_the_room_of_a_generation(books: Books) -> None:
    room = books.generations.room(books.generations.current())
    reader = books.index.reader()
    assert (room.documents, room.passages) == (reader.document_count, reader.passage_count)
    assert room.megabytes > 0


def test_a_lease_is_one_rebuild_s(books: Books) -> None:
    new = begun(books)
    with Lease(books.cluster, new) as lease:
        with pytest.raises(IndexLocked, match="another rebuild"), Lease(books.cluster, new, 5.0):
            pass
        lease.check()
    with Lease(books.cluster, new):
        pass


def test_a_lease_that_stands_still_is_taken_over(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    new = begun(books)
    monkeypatch.setattr(turns, "BEAT_SECONDS", 60.0)
    with Lease(books.cluster, new) as sleeping:
        with Lease(books.cluster, new, still_seconds=0.1) as lease:
            lease.check()
            with pytest.raises(IndexLocked, match="taken over"):
                sleeping._write(sleeping._place)
            lease.check()


def test_writers_go_on_where_nothing_is_closed(books: Books) -> None:
    current = books.generations.current()
    assert where_to_go_on(books.cluster, current) == current


def test_writers_open_what_a_dead_rebuild_has_closed(books: Books) -> None:
    current = books.generations.current()
    begun(books)
    books.generations.close(current)
    waited: list[float] = []
    found = where_to_go_on(books.cluster, current, still_seconds=0.2, waiting=waited.append)
    assert found.number == 1
    assert not found.blocked
    assert waited


def test_writers_wait_for_a_rebuild_that_lives(books: Books) -> None:
    current, new = books.generations.current(), begun(books)
    books.generations.close(current)
    polls = 0

    def waiting(seconds: float) -> None:
        nonlocal polls
        polls += 1
        if polls == 10:
            books.generations.switch(current, new)

    with Lease(books.cluster, new):
        # Far less than ten polls: the lease moves all the time.
        found = where_to_go_on(books.cluster, current, still_seconds=0.15, waiting=waiting)
    assert found.number == 2


def test_writers_do_not_open_what_a_hand_has_closed(books: Books) -> None:
    current = books.generations.current()
    books.cluster.request("PUT", f"/{current.both}/_block/write")
    with pytest.raises(IndexLocked, match=r"index\.blocks\.write"):
        where_to_go_on(books.cluster, current)
    assert books.generations.current().blocked


def test_writers_do_not_go_on_in_passages_of_another_making(books: Books) -> None:
    old = books.generations.current()
    rebuild(books.cluster, books.name, Wanted(encoder=CountingEncoder(16)))
    with pytest.raises(FingerprintMismatch, match="encoder"):
        where_to_go_on(books.cluster, old)


def test_a_switch_whose_answer_was_lost_is_found_to_be_done(books: Books) -> None:
    current, new = books.generations.current(), begun(books)
    books.generations.close(current)
    books.generations.switch(current, new)
    books.generations.switch(current, new)
    assert books.generations.current().number == 2
