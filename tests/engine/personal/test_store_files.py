"""The file of readers: what is no such file, what is damaged, what cannot be written, each said in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.errors import InvalidProfileChange, ReaderStoreBusy, ReaderStoreError
from engine.event import Event
from engine.personal.store import ReaderStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with a few thousand events."""
    with ReaderStore.open(tmp_path) as store:
        store.add(Event(f"reader-{number % 50}", f"document-{number}") for number in range(3000))
    return tmp_path / "readers" / "default.db"


@pytest.mark.parametrize("tenant", ["", "a b", "../other", "a/b", "a.b", "ü", "x" * 65, "a\n", None, 7])
def test_a_tenant_is_a_plain_name(tmp_path: Path, tenant: str) -> None:
    with pytest.raises(InvalidProfileChange, match="name is 1 to 64 letters") as caught:
        ReaderStore.open(tmp_path, tenant)
    assert caught.value.status == 422
    assert not list(tmp_path.iterdir())


def test_only_the_owner_may_read_it(file: Path) -> None:
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in file.parent.iterdir()} == {"default.db"}


def test_it_belongs_into_the_folder_of_an_index(tmp_path: Path) -> None:
    with (
        ReaderStore.open(tmp_path / "nowhere") as store,
        pytest.raises(
            ReaderStoreError, match="nowhere is not a folder; readers are kept in the folder of an index"
        ),
    ):
        store.add([Event("ann", "d1")])
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_tenant_is_refused(tmp_path: Path, file: Path) -> None:
    file.rename(file.with_name("other.db"))
    with pytest.raises(ReaderStoreError, match="holds the readers of tenant 'default', not of 'other'"):
        ReaderStore.open(tmp_path, "other")


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("PRAGMA application_id = 0", "but none of Quire's readers"),
        ("UPDATE store SET format = 9", "has format 9; this version of Quire reads format 1"),
        ("DELETE FROM store", "has format nothing"),
        ("DROP TABLE store", "cannot be read as Quire's readers .no such table: store"),
        ("DROP TABLE erasures", "cannot be read as Quire's readers .no such table: erasures"),
    ],
)
def test_another_kind_of_database_is_refused(tmp_path: Path, file: Path, statement: str, says: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(statement)
    connection.close()
    with pytest.raises(ReaderStoreError, match=says) as caught:
        ReaderStore.open(tmp_path)
    assert caught.value.status == 500


@pytest.mark.parametrize(
    "content", [b"", b"not a database, but text of some length, more than its header has" * 40]
)
def test_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "readers").mkdir()
    (tmp_path / "readers" / "default.db").write_bytes(content)
    with pytest.raises(ReaderStoreError, match=r"default\.db"):
        ReaderStore.open(tmp_path)


def test_damage_is_said_wherever_it_is(tmp_path: Path, file: Path) -> None:
    """With page after page overwritten, every call answers, or says that the file is damaged."""
    whole = file.read_bytes()
    said = []
    for page in range(0, len(whole) // 4096, 5):
        file.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        try:
            with ReaderStore.open(tmp_path) as store:
                for user_id in ("reader-1", "reader-30"):
                    store.history(user_id)
                    store.export(user_id)
                for _ in store.reads():
                    pass
                for _ in store.events():
                    pass
        except ReaderStoreError as error:
            said.append(str(error))
    assert len(said) > 3
    for words in said:
        assert str(file) in words
        assert "restore it from a copy" in words or "none of Quire's readers" in words


def test_a_kind_that_nobody_wrote_is_damage(tmp_path: Path, file: Path) -> None:
    with ReaderStore.open(tmp_path) as store:
        with store.write() as connection:
            connection.execute("UPDATE events SET kind = 99 WHERE reader = 1")
        with pytest.raises(ReaderStoreError, match="kind number 99"):
            store.history("reader-0")


def test_it_waits_no_longer_than_it_is_told(tmp_path: Path, file: Path) -> None:
    with ReaderStore.open(tmp_path) as one, ReaderStore.open(tmp_path, wait=0.01) as other, one.write():
        with pytest.raises(ReaderStoreBusy, match="another process is changing it") as caught:
            other.add([Event("ann", "d1")])
        assert caught.value.status == 503
        assert len(other.history("reader-1")) == 60  # reading does not wait for writing


def test_a_change_that_fails_changes_nothing(tmp_path: Path, file: Path) -> None:
    with ReaderStore.open(tmp_path) as store:
        before = (store.version("reader-1"), list(store.events()))
        with pytest.raises(RuntimeError, match="in the middle"):
            _fail_halfway(store)
        assert (store.version("reader-1"), list(store.events())) == before


def _fail_halfway(store: ReaderStore) -> None:
    with store.write() as connection:
        connection.execute("DELETE FROM events")
        raise RuntimeError("in the middle")


def test_a_full_disk_is_said_and_what_was_there_stays(tmp_path: Path, file: Path) -> None:
    with ReaderStore.open(tmp_path) as store:
        with store.borrowed() as connection:  # the connection that is lent again below
            connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(ReaderStoreError, match=r"the disk is full .* what was added before is safe"):
            store.add(Event("ann", f"{'long' * 100}-{number}") for number in range(500))
        assert store.version("ann") == 0
        assert len(store.history("reader-1")) == 60


def test_a_folder_that_cannot_be_written_to_is_read(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with ReaderStore.open(tmp_path) as store:
        assert len(store.history("reader-1")) == 60
        with pytest.raises(ReaderStoreError, match="cannot be written to"):
            store.add([Event("ann", "d1")])
