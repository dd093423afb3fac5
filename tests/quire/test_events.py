"""`quire events`: logs in and out, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from engine.event import Event
from engine.personal.store import ReaderStore
from eval.personal import read_events, write_events

Quire = Callable[..., Result]
NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
EVENTS = [
    Event("ann", "harbour.md", "like", NOON, 2.0, "e-1"),
    Event("ann", "zh.md", at=NOON - timedelta(hours=1)),
    Event("bob", "harbour.md", "a kind of his own"),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write_events(EVENTS, tmp_path / "log.jsonl")
    return tmp_path / "log.jsonl"


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv.gz", ".parquet"])
def test_what_goes_in_comes_out(quire: Quire, index: Path, tmp_path: Path, suffix: str) -> None:
    write_events(EVENTS, tmp_path / f"in{suffix}")
    result = quire("events", "import", index, tmp_path / f"in{suffix}")
    assert (result.exit_code, result.stdout[:17]) == (0, "3 events added, i")
    result = quire("events", "export", index, tmp_path / f"out{suffix}")
    assert result.stdout == f"3 events of 2 readers written to {tmp_path / f'out{suffix}'}.\n"
    assert sorted(read_events(tmp_path / f"out{suffix}"), key=repr) == sorted(EVENTS, key=repr)
    lines = [json.loads(line) for line in quire("events", "export", index).stdout.splitlines()]
    assert sorted(map(Event.from_record, lines), key=repr) == sorted(EVENTS, key=repr)


def test_the_same_again_adds_nothing(quire: Quire, index: Path, log: Path) -> None:
    quire("events", "import", index, log)
    assert (
        "0 events added, 6 known already"
        in quire("events", "import", index, log, log.parent / "log.jsonl").stdout
    )
    report = json.loads(quire("events", "import", index, log, "--json").stdout)
    assert report == {"added": 0, "duplicates": 3, "future": 0, "flooding": [], "unknown_documents": []}


def test_what_is_odd_is_said(
    quire: Quire, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.personal.admission.HOUR_LIMIT", 3)
    monkeypatch.setattr("engine.personal.admission.HOUR_LIMIT", 3)
    ahead = datetime.now(UTC) + timedelta(days=3)
    events = [Event("cat", "harbour.md", "like", ahead), Event("dan", "gone.md", at=NOON)]
    events += [Event("eve", f"d{number}", at=NOON + timedelta(seconds=number)) for number in range(7)]
    write_events(events, tmp_path / "odd.csv")
    result = quire("events", "import", index, tmp_path / "odd.csv")
    assert result.exit_code == 1
    assert "8 events added" in result.stdout
    assert "1 event refused: the clock is over a day ahead (cat, harbour.md, " in result.stdout
    assert "1 reader with more events than a person makes: eve. Nothing is learnt from them" in result.stdout
    assert (
        "8 documents are not in the index: gone.md, d0, d1, d2, d3 and 3 more. What was done" in result.stdout
    )
    report = json.loads(quire("events", "import", index, tmp_path / "odd.csv", "--json").stdout)
    assert (report["future"], report["flooding"], len(report["unknown_documents"])) == (1, ["eve"], 8)


def test_what_stands_before_a_malformed_line_is_kept(quire: Quire, index: Path, log: Path) -> None:
    log.write_text(log.read_text() + '{"user": "dan"}\n{"user": "dan", "item": "d1"}\n')
    result = quire("events", "import", index, log)
    assert result.exit_code == 2
    assert "What was added before this is kept: 3 events." in result.stderr
    assert f"quire: {log}:4: no doc_id" in result.stderr
    assert len(quire("events", "export", index).stdout.splitlines()) == 3


def test_interrupted_it_keeps_what_was_committed(
    quire: Quire, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quire.commands.events_import.BATCH", 4)
    write_events([Event("ann", f"d{number}") for number in range(10)], tmp_path / "log.csv")
    add = ReaderStore.add

    def interrupted(store: ReaderStore, events: list[Event]) -> object:
        if events[0].doc_id == "d8":
            raise KeyboardInterrupt
        return add(store, events)

    with monkeypatch.context() as patch:
        patch.setattr(ReaderStore, "add", interrupted)
        result = quire("events", "import", index, tmp_path / "log.csv")
    assert result.exit_code == 130
    assert "What was added before this is kept: 8 events." in result.stderr
    assert "2 events added, 8 known already" in quire("events", "import", index, tmp_path / "log.csv").stdout


def test_tenants_are_apart(quire: Quire, index: Path, log: Path) -> None:
    quire("events", "import", index, log, "--tenant", "north")
    assert quire("events", "export", index).stdout == ""
    assert len(quire("events", "export", index, "--tenant", "north").stdout.splitlines()) == 3
    result = quire("events", "export", index, "--tenant", "../north")
    assert (result.exit_code, "a tenant's name is 1 to 64 letters" in result.stderr) == (2, True)


def test_logs_belong_to_an_index(quire: Quire, tmp_path: Path, log: Path) -> None:
    for command in (["import", tmp_path, log], ["import", tmp_path / "no", log], ["export", tmp_path / "no"]):
        result = quire("events", *command)
        assert result.exit_code == 3
        assert str(tmp_path) in result.stderr
    assert not (tmp_path / "readers").exists()


def test_the_log_of_a_data_set(quire: Quire, index: Path, datasets: Path) -> None:
    report = json.loads(
        quire("events", "import", index, datasets / "se_small" / "events.jsonl.gz", "--json").stdout
    )
    events = {
        (event.user_id, event.identity) for event in read_events(datasets / "se_small" / "events.jsonl.gz")
    }
    assert report["added"] == len(events)
    assert report["added"] + report["duplicates"] == 3853
    assert report["flooding"] == []
