"""The same command lines on a folder and on a real Elasticsearch: the same answers, and screens that say where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from quire.cli import DONE, FAILED, PARTLY, USAGE

Quire = Callable[..., Result]
pytestmark = pytest.mark.elasticsearch
EVENTS = [
    {"user_id": "ann", "doc_id": "lighthouse.md", "kind": "read", "at": "2026-11-01T10:00:00Z"},
    {"user_id": "ann", "doc_id": "harbour.md", "kind": "like", "at": "2026-11-02T10:00:00Z"},
    {"user_id": "bob", "doc_id": "lighthouse.md", "kind": "read", "at": "2026-11-02T10:00:00Z"},
    {"user_id": "bob", "doc_id": "nowhere.md", "kind": "read", "at": "2026-11-02T10:00:00Z"},
]


@pytest.fixture
def address(elasticsearch_address: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An address where there is nothing yet; replicas would wait for a second node."""
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_REPLICAS", "0")
    return elasticsearch_address()


@pytest.fixture
def both(index: Path, folder: Path, quire: Quire, address: str) -> tuple[Path, str]:
    """The folder of documents, indexed in a folder and on Elasticsearch."""
    result = quire("index", folder, address, "-q")
    assert result.exit_code == DONE, result.output
    return index, address


def told(result: Result) -> Any:
    """Return the JSON that a command printed."""
    assert result.exit_code == DONE, result.output
    return json.loads(result.stdout)


def test_indexing_says_the_same(folder: Path, quire: Quire, address: str, tmp_path: Path) -> None:
    for change in (None, "A new text about tides.", None):
        if change:
            (folder / "harbour.md").write_text(change)
            (folder / "zh.md").unlink()
        reports = [
            told(quire("index", folder, where, "--json", "-q", "--delete-missing"))
            for where in (address, tmp_path / "index")
        ]
        for report in reports:
            report.pop("seconds")
        assert reports[0] == reports[1]


def test_an_index_keeps_what_it_was_made_with(both: tuple[Path, str], folder: Path, quire: Quire) -> None:
    refused = quire("index", folder, both[1], "--tokens", "64")
    assert refused.exit_code == USAGE
    assert "was made with tokens 256" in " ".join(refused.stderr.split())


def test_workers_fill_one_index(folder: Path, quire: Quire, address: str) -> None:
    reports = [told(quire("index", folder, address, "--shard", f"{n}/3", "--json", "-q")) for n in (3, 1, 2)]
    assert sum(report["added"] for report in reports) == 4
    assert reports[-1]["documents"] == 4
    last = told(quire("index", folder, address, "--shard", "2/3", "--delete-missing", "--json", "-q"))
    assert (last["deleted"], last["documents"]) == (0, 4), "a worker deletes nothing of the others"


@pytest.mark.parametrize(
    "words", [("tide",), ("lamp", "keeper"), ("灯塔",), ("+tide", "-ships"), ("nothing-like-it",)]
)
def test_searches_find_the_same(both: tuple[Path, str], quire: Quire, words: tuple[str, ...]) -> None:
    ours, theirs = (told(quire("search", where, "--json", "--explain", "--", *words)) for where in both)
    assert [hit["doc_id"] for hit in ours["hits"]] == [hit["doc_id"] for hit in theirs["hits"]]
    assert [hit["score"] for hit in ours["hits"]] == pytest.approx(
        [hit["score"] for hit in theirs["hits"]], abs=1e-4
    )
    assert ours["found"] == theirs["found"]


def test_filters_and_facets_find_the_same(records: Path, quire: Quire, address: str, tmp_path: Path) -> None:
    assert quire("index", tmp_path / "records.jsonl", address, "-q").exit_code == DONE
    for options in (
        ["--filter", "year=1999..2006"],
        ["--filter", "lang!=de", "--facet", "lang"],
        ["--facet", "year"],
    ):
        ours, theirs = (
            told(quire("search", where, "record", "--json", *options)) for where in (records, address)
        )
        assert [hit["doc_id"] for hit in ours["hits"]] == [hit["doc_id"] for hit in theirs["hits"]]
        assert ours["facets"] == theirs["facets"]
    unknown = quire("search", address, "record", "--filter", "colour=red")
    assert unknown.exit_code == USAGE
    assert "lang" in unknown.stderr


def test_a_page_follows_the_page_before(both: tuple[Path, str], quire: Quire) -> None:
    whole = told(quire("search", both[1], "the", "--json", "-k", "4"))["hits"]
    first = told(quire("search", both[1], "the", "--json", "-k", "2"))
    second = told(quire("search", both[1], "the", "--json", "-k", "2", "--cursor", first["cursor"]))
    assert [hit["doc_id"] for hit in first["hits"] + second["hits"]] == [hit["doc_id"] for hit in whole]


def test_why_not_and_summaries_say_the_same(both: tuple[Path, str], quire: Quire) -> None:
    for command in (["why-not", "{}", "zh.md", "tide", "-k", "1"], ["summarise", "{}", "lighthouse.md"]):
        ours, theirs = (quire(*(word.format(where) for word in command)) for where in both)
        assert ours.exit_code == theirs.exit_code == DONE
        assert ours.stdout == theirs.stdout


def test_stats_verify_compact_and_delete(both: tuple[Path, str], quire: Quire) -> None:
    index, address = both
    ours, theirs = (told(quire("stats", where, "--json")) for where in both)
    same = ("documents", "passages", "vectors", "encoder", "analyser", "fields", "token_vectors")
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
    shown = quire("stats", address).stdout
    assert "all copies included" in shown
    assert "documents  4" in shown
    sound = quire("verify", address)
    assert sound.exit_code == DONE
    assert sound.stdout.startswith(f"{address} is sound: 4 documents")
    gone = quire("delete", address, "harbour.md", "nowhere.md")
    assert gone.exit_code == PARTLY
    assert gone.stdout == "1 document deleted.\n"
    assert "there is no document 'nowhere.md'" in gone.stderr
    assert told(quire("stats", address, "--json"))["documents"] == 3
    assert told(quire("stats", index, "--json"))["documents"] == 4


def test_documents_move_between_both(both: tuple[Path, str], quire: Quire, tmp_path: Path) -> None:
    files = [tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl.gz"]
    for where, file in zip(both, files, strict=True):
        assert f"4 documents written to {file}" in quire("export", where, file).stdout
    lines = [sorted(quire("export", where).stdout.splitlines()) for where in both]
    assert lines[0] == lines[1]
    assert told(quire("import", files[1], tmp_path / "copy", "--json", "-q"))["added"] == 4
    again = told(quire("import", files[0], both[1], "--json", "-q"))
    assert again["unchanged"] == 4


def test_readers_are_kept_beside_the_index(both: tuple[Path, str], quire: Quire, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    screens: list[list[str]] = []
    for where in both:
        shown = [quire("profile", "show", where, "ann").stdout]
        imported = told(quire("events", "import", where, log, "--json", "-q"))
        assert imported == {
            "added": 4,
            "duplicates": 0,
            "future": 0,
            "flooding": [],
            "unknown_documents": ["nowhere.md"],
        }
        for command in (
            ["profile", "declare", where, "ann", "storms", "at", "sea"],
            ["profile", "mute", where, "ann", "harbour.md"],
            ["profile", "show", where, "ann"],
            ["profile", "export", where, "ann"],
            ["recommend", where, "ann", "-k", "2"],
            ["events", "export", where],
            ["profile", "unmute", where, "ann", "harbour.md"],
            ["profile", "forget", where, "ann", "harbour.md"],
            ["profile", "undeclare", where, "ann", "storms", "at", "sea"],
        ):
            result = quire(*command)
            assert result.exit_code == DONE, result.output
            shown.append(result.stdout)
        assert told(quire("learn", where, "--json"))["readers"] == 2
        found = told(quire("search", where, "the", "--user", "ann", "--json"))
        shown.append(str([hit["doc_id"] for hit in found["hits"]]))
        shown.append(quire("profile", "erase", where, "ann", "bob", "--yes").stdout)
        shown.append(quire("profile", "show", where, "ann").stdout)
        screens.append(shown)
    assert screens[0] == screens[1]


def test_curves_take_an_address(both: tuple[Path, str], quire: Quire, tmp_path: Path) -> None:
    topics = tmp_path / "topics.tsv"
    topics.write_text("q1\ttide\nq2\tlamp\n")
    options = ("-p", "depth", "--values", "2,5", "--timed", "1", "--json")
    curve = told(quire("eval", "curves", both[1], topics, *options))
    assert [point["value"] for point in curve["points"]][:2] == [2, 5]
    refused = quire("eval", "curves", both[1], topics, "-p", "ef", "--values", "10")
    assert refused.exit_code == USAGE
    assert "on Elasticsearch depth is what to vary" in refused.stderr


def test_what_is_not_there(quire: Quire, address: str) -> None:
    for command in (["stats", address], ["search", address, "tide"], ["export", address]):
        result = quire(*command)
        assert result.exit_code == FAILED
        assert "there is no index" in result.stderr


def test_quire_open_and_the_environment(
    both: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import quire as package
    from engine import SearchError
    from indexer.elastic.settings import ElasticSettings
    from indexer.encoder import HashingEncoder

    encoder = HashingEncoder(32)
    with package.open(both[1], encoder=encoder, elastic=ElasticSettings(retries=0)) as engine:
        assert engine.search("tide").hits[0].doc_id == "notes/tide.txt"
    with package.open(both[1], encoder=encoder) as engine:
        assert engine.search("tide").hits[0].doc_id == "notes/tide.txt"
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_USERNAME", "ann")
    with pytest.raises(SearchError, match="password"):
        package.open(both[1], encoder=encoder)
    with package.open(both[0], encoder=encoder) as engine:
        assert engine.search("tide").hits[0].doc_id == "notes/tide.txt"
