"""quire rebuild and quire generations: on a folder, and on a real Elasticsearch."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result

from indexer.elastic.rebuilding.rebuild import RebuildReport
from quire.cli import DONE, FAILED, INTERRUPTED, USAGE
from quire.rebuild_lines import RebuildLine, describe

Quire = Callable[..., Result]


@pytest.fixture
def address(
    elasticsearch_address: Callable[[], str], folder: Path, quire: Quire, monkeypatch: pytest.MonkeyPatch
) -> str:
    """An index of the folder on the server."""
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_REPLICAS", "0")
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_TIMEOUT_SECONDS", "60")
    found = elasticsearch_address()
    result = quire("index", folder, found, "-q")
    assert result.exit_code == DONE, result.output
    return found


def generations(quire: Quire, address: str) -> list[tuple[int, str, int]]:
    result = quire("generations", address, "--json")
    assert result.exit_code == DONE, result.output
    return [(each["number"], each["state"], each["documents"]) for each in json.loads(result.stdout)]


def test_rebuilding_rolling_back_and_dropping(address: str, quire: Quire) -> None:
    before = quire("search", address, "lamp", "--json", "--lexical")
    rebuilt = quire("rebuild", address, "--quantisation", "none", "--shards", "2")
    assert rebuilt.exit_code == DONE, rebuilt.output
    assert "Generation 2 counts now: 4 documents" in rebuilt.stdout
    assert "--rollback" in rebuilt.stdout
    assert "copying" in rebuilt.stderr
    assert generations(quire, address) == [(1, "old", 4), (2, "current", 4)]
    after = quire("search", address, "lamp", "--json", "--lexical")
    hits = [
        [(hit["doc_id"], hit["score"]) for hit in json.loads(each.stdout)["hits"]] for each in (before, after)
    ]
    assert hits[0] == hits[1]
    shown = quire("generations", address).stdout
    assert "current" in shown
    assert "none" in shown

    assert quire("delete", address, "zh.md").exit_code == DONE
    back = quire("generations", address, "--rollback")
    assert back.exit_code == DONE, back.output
    assert "Generation 1 counts again" in back.stdout
    assert "0 documents came or changed and 1 document went" in back.stdout
    assert generations(quire, address) == [(1, "current", 4), (2, "old", 3)]

    assert quire("generations", address, "--drop", "1").exit_code == FAILED
    assert quire("generations", address, "--drop", "2").exit_code == DONE
    report = quire("rebuild", address, "--drop-old", "--json", "-q")
    assert json.loads(report.stdout)["dropped"] == [1]
    assert report.stderr == ""
    assert generations(quire, address) == [(2, "current", 4)]


def test_other_passages(address: str, quire: Quire) -> None:
    rebuilt = quire("rebuild", address, "--tokens", "24", "--overlap", "4", "--language", "german")
    assert rebuilt.exit_code == DONE, rebuilt.output
    [old, new] = json.loads(quire("generations", address, "--json").stdout)
    assert new["passages"] > old["passages"]
    assert (old["made"]["language"], new["made"]["language"]) == ("english", "german")
    assert quire("verify", address).exit_code == DONE


def test_a_rebuild_that_is_stopped_says_how_to_go_on(
    address: str, quire: Quire, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    @contextmanager
    def at_once(line: object):  # type: ignore[no-untyped-def]
        yield lambda: True

    with monkeypatch.context() as patch:
        patch.setattr("quire.commands.rebuild.stopping_politely", at_once)
        stopped = quire("rebuild", address)
    assert stopped.exit_code == INTERRUPTED
    assert "go on where it stopped" in stopped.stderr
    assert generations(quire, address) == [(1, "current", 4), (2, "building", 0)]
    assert json.loads(quire("rebuild", address, "--json").stdout)["resumed"]


def test_an_index_is_deleted_by_its_name_alone(address: str, quire: Quire) -> None:
    name = address.rpartition("/")[2]
    refused = quire("generations", address, "--delete-index", name + "x")
    assert refused.exit_code == USAGE
    assert "nothing was deleted" in refused.stderr
    assert quire("generations", address, "--delete-index", name).exit_code == DONE
    assert quire("generations", address).exit_code == FAILED
    assert quire("rebuild", address).exit_code == FAILED


def test_one_thing_at_a_time(quire: Quire) -> None:
    result = quire("generations", "elasticsearch://localhost/books", "--rollback", "--drop", "1")
    assert result.exit_code == USAGE


def test_a_folder_is_rebuilt_as_it_was_made(index: Path, quire: Quire) -> None:
    result = quire("rebuild", index)
    assert result.exit_code == DONE, result.output
    assert quire("verify", index).exit_code == DONE
    refused = quire("rebuild", index, "--shards", "3", "--language", "german")
    assert refused.exit_code == USAGE
    assert "--shards and --language" in refused.stderr
    assert quire("generations", index).exit_code == USAGE


def test_the_line_shows_phases_and_goes_away() -> None:
    stream = StringIO()
    now = 0.0
    line = RebuildLine(stream=stream, clock=lambda: now)
    report = RebuildReport(new=2, phase="copying", total=1000, passes=1)
    line(report)
    report.documents, report.seconds = 250, 30.0
    line(report)
    now = 100.0
    line(report)
    report.phase, report.passes = "last pass", 3
    line(report)
    line.clear()
    assert stream.getvalue().splitlines() == [
        "generation 2: copying, 0 of 1,000 documents",
        "generation 2: copying, 250 of 1,000 documents, about 1 min 30 s left",
        "generation 2: last pass, pass 3, 250 documents copied",
    ]
    assert "looking" in describe(RebuildReport(new=2, phase="copying", resumed=True, passes=1))
