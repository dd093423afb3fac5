"""`quire profile`: a reader's interests, seen and corrected; and erased, to the last byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.event import Event
from engine.personal.store import ReaderStore
from quire.cli import cli

Quire = Callable[..., Result]
NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
WHO = "ann@example.org"


@pytest.fixture
def known(index: Path) -> Path:
    """An index with a reader who likes two documents, dislikes one, and met one that is not there."""
    with ReaderStore.open(index) as store:
        store.add(
            [
                Event(WHO, "harbour.md", "like", NOON),
                Event(WHO, "harbour.md", "read", NOON - timedelta(days=1)),
                Event(WHO, "lighthouse.md", "read", NOON - timedelta(days=2)),
                Event(WHO, "zh.md", "dislike", NOON - timedelta(days=2)),
                Event(WHO, "gone.md", "like", NOON - timedelta(days=3)),
                Event("bob", "harbour.md"),
            ]
        )
    return index


def shown(quire: Quire, index: Path) -> dict[str, dict[str, object]]:
    """Return the interests that are shown, by name."""
    profile = json.loads(quire("profile", "show", index, WHO, "--json").stdout)
    return {one["name"]: one for one in profile["interests"]}


def test_interests_are_shown_with_what_they_rest_on(quire: Quire, known: Path) -> None:
    result = quire("profile", "show", known, WHO)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"{WHO}: 5 events with 4 documents, last on 2024-05-04"
    assert any(line.endswith("Harbour") and line.startswith(" 1.") for line in lines)
    assert "Disliked: zh.md" in lines
    assert "Not in the index, so without a part in this: gone.md" in lines
    assert all(len(line) <= 80 for line in lines)
    profile = json.loads(quire("profile", "show", known, WHO, "--json").stdout)
    assert profile["unknown_documents"] == ["gone.md"]
    assert sum(one["weight"] for one in profile["interests"]) == pytest.approx(1)
    assert {doc for one in profile["interests"] for doc in one["documents"]} == {
        "harbour.md",
        "lighthouse.md",
    }
    assert max(one["last"] for one in profile["interests"]) == NOON.isoformat()


def test_an_interest_is_turned_off_and_on(quire: Quire, known: Path) -> None:
    assert quire("profile", "mute", known, WHO, "harbour.md").stdout == "harbour.md is off now.\n"
    assert quire("profile", "mute", known, WHO, "harbour.md").stdout == "harbour.md was off already.\n"
    off = shown(quire, known)["harbour.md"]
    assert (off["muted"], off["weight"]) == (True, 0)
    assert "harbour.md · turned off" in quire("profile", "show", known, WHO).stdout
    assert quire("profile", "unmute", known, WHO, "harbour.md").stdout == "harbour.md is on again.\n"
    assert quire("profile", "unmute", known, WHO, "harbour.md").stdout == "harbour.md was not off.\n"
    assert not shown(quire, known)["harbour.md"]["muted"]
    result = quire("profile", "mute", known, WHO, "harbor.md")
    assert result.exit_code == 2
    assert "has met no document and declared no interest 'harbor.md'" in result.stderr


def test_an_interest_is_declared_and_taken_back(quire: Quire, index: Path) -> None:
    result = quire("profile", "declare", index, WHO, "storms ", "at sea", "--weight", "2")
    assert result.stdout == f"{WHO} is interested in: storms at sea\n"
    [only] = shown(quire, index).values()
    assert (only["name"], only["declared"], only["weight"]) == ("storms at sea", True, 1)
    assert "“storms at sea”" in quire("profile", "show", index, WHO).stdout
    assert (
        quire("profile", "undeclare", index, WHO, "storms", "at sea").stdout == "Taken back: storms at sea\n"
    )
    assert "declared no interest in these words" in quire("profile", "undeclare", index, WHO, "storms").stdout
    assert quire("profile", "show", index, WHO).stdout == f"Nothing is kept of {WHO}.\n"
    result = quire("profile", "declare", index, WHO, "sea", "--weight", "0")
    assert (result.exit_code, "a number over 0" in result.stderr) == (2, True)


def test_one_document_is_forgotten(quire: Quire, known: Path) -> None:
    result = quire("profile", "forget", known, WHO, "harbour.md", "nothing.md")
    assert result.stdout == "harbour.md: 2 events forgotten.\nnothing.md: nothing to forget.\n"
    assert set(shown(quire, known)) == {"lighthouse.md"}
    with ReaderStore.open(known) as store:
        assert store.history("bob").doc_ids == ("harbour.md",)


def test_all_that_is_kept_can_be_taken_along(quire: Quire, known: Path, tmp_path: Path) -> None:
    quire("profile", "declare", known, WHO, "sea")
    kept = json.loads(quire("profile", "export", known, WHO).stdout)
    assert {name: len(kept[name]) for name in ("events", "declared", "muted")} == {
        "events": 5,
        "declared": 1,
        "muted": 0,
    }
    result = quire("profile", "export", known, WHO, tmp_path / "ann.json")
    assert result.stdout == f"All that is kept of {WHO} is in {tmp_path / 'ann.json'}.\n"
    assert json.loads((tmp_path / "ann.json").read_text()) == kept


def test_after_erasing_no_byte_is_left(quire: Quire, known: Path) -> None:
    quire("profile", "declare", known, WHO, "zymurgy", "among quokkas")
    quire("search", known, "tide", "--user", WHO)
    result = quire("profile", "erase", known, WHO)
    assert result.exit_code == 2
    assert "erasing cannot be undone; where nobody can be asked, say --yes" in result.stderr
    result = quire("profile", "erase", known, WHO, "--yes")
    assert (
        result.stdout
        == "Erased: 1 reader, 5 events, 1 declared interest; 3 documents that nobody else had met.\n"
    )
    found = b"".join(path.read_bytes() for path in known.rglob("*") if path.is_file())
    for trace in (WHO.encode(), b"zymurgy", b"gone.md"):
        assert trace not in found
    assert quire("profile", "erase", known, WHO, "--yes").stdout == f"Nothing was kept of {WHO}.\n"
    assert quire("profile", "show", known, WHO).stdout == f"Nothing is kept of {WHO}.\n"
    with ReaderStore.open(known) as store:
        assert list(store.readers()) == ["bob"]


@pytest.mark.parametrize(("answer", "left"), [("n\n", 2), ("\n", 2), ("y\n", 1)])
def test_on_a_terminal_it_asks(
    quire: Quire, known: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    runner = CliRunner()
    with runner.isolation(answer) as (out, _, _):
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        with pytest.raises(SystemExit):
            cli.main(["profile", "erase", str(known), WHO])
        text = out.getvalue().decode()
    assert f"{WHO}: 5 events with 4 documents, 0 declared interests" in text
    assert ("Nothing was erased." in text) == (left == 2)
    with ReaderStore.open(known) as store:
        assert len(list(store.readers())) == left


def test_who_is_unknown_has_no_profile(quire: Quire, index: Path, tmp_path: Path) -> None:
    assert json.loads(quire("profile", "show", index, "nobody", "--json").stdout) == {
        "user_id": "nobody",
        "events": 0,
    }
    assert json.loads(quire("profile", "export", index, "nobody").stdout)["events"] == []
    assert not (index / "readers").exists()
    result = quire("profile", "show", tmp_path / "nowhere", "nobody")
    assert (result.exit_code, "is not a folder; name the folder of an index" in result.stderr) == (3, True)


def test_names_from_logs_do_not_reach_the_terminal_raw(quire: Quire, index: Path) -> None:
    with ReaderStore.open(index) as store:
        store.add([Event("a\x1b[2Jb", "x\x1b[31m.md"), Event("a\x1b[2Jb", "harbour.md")])
    result = quire("profile", "show", index, "a\x1b[2Jb")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
