"""Files of the service's own: nobody else's to read, whole or not there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.service.access.errors import AccessFileError
from engine.service.access.keys import KeyRing
from engine.service.access.private_files import Watched, locked, write_private
from engine.service.access.tokens import Tokens
from engine.service.settings import ServiceSettings


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"
    before = os.umask(0)
    try:
        KeyRing(state).create(["search"])
        Tokens(state, ServiceSettings(), environ={})
    finally:
        os.umask(before)
    assert mode(state) == 0o700
    assert {path.name: mode(path) for path in state.iterdir()} == {
        "keys.json": 0o600,
        "keys.lock": 0o600,
        "secret": 0o600,
        "secret.lock": 0o600,
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files that are somebody else's")
def test_what_root_adds_the_service_can_read(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    os.chown(tmp_path / "index", 12345, 12346)
    KeyRing(tmp_path / "index" / "service").create(["search"])
    for path in (tmp_path / "index" / "service", *(tmp_path / "index" / "service").iterdir()):
        assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346), path


def test_a_write_that_fails_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_private(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AccessFileError, match="cannot be written: No space left on device"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_is_written_is_synced_before_it_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr("os.fsync", lambda at: (steps.append("sync"), sync(at))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (steps.append("replace"), replace(self, to))[1])
    write_private(tmp_path / "file", b"new")
    assert steps == ["sync", "replace", "sync"], "the file, its name, the folder"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(AccessFileError, match="cannot be written"),
        locked(tmp_path / "file" / "state", "lock"),
    ):
        pytest.fail("that is no folder")
    ring = KeyRing(tmp_path / "file")
    with pytest.raises(AccessFileError, match="cannot be read"):
        ring.list()


def test_a_file_is_read_when_it_changes_and_not_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "file"
    read: list[bytes | None] = []
    watched = Watched(path, lambda content: (read.append(content), content)[1])
    for content in (None, b"one", b"two", None, b"one"):
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_private(path, content)
        assert [watched.value() for _ in range(3)] == [content] * 3
    assert read == [None, b"one", b"two", None, b"one"]


def test_what_a_file_cannot_mean_is_said_each_time(tmp_path: Path) -> None:
    def parse(content: bytes | None) -> bytes:
        if content != b"good":
            raise AccessFileError("bad")
        return content

    watched = Watched(tmp_path / "file", parse)
    write_private(tmp_path / "file", b"good")
    assert watched.value() == b"good"
    write_private(tmp_path / "file", b"evil")
    for _ in range(2):
        with pytest.raises(AccessFileError):
            watched.value()
    write_private(tmp_path / "file", b"good")
    assert watched.value() == b"good"
