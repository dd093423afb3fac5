"""`quire search --user`: the list that a reader gets, why, and how much of it is theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from engine import Event, Query, SearchEngine
from indexer.encoder import HashingEncoder
from quire.prompt import Prompt
from quire.terminal import Screen

Quire = Callable[..., Result]


@pytest.fixture
def read(index: Path) -> Path:
    """The index, in which ann has read two documents and bob has none."""
    with SearchEngine.open(index, encoder=HashingEncoder(32)) as engine:
        engine.record(
            [Event("ann", "notes/tide.txt", "like"), Event("ann", "zh.md"), Event("ann", "gone", "save")]
        )
    return index


def hits(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["hits"]  # type: ignore[no-any-return]


def test_a_reader_sees_why_and_where_it_was_without_them(quire: Quire, read: Path) -> None:
    result = quire("search", read, "tide", "--user", "ann")
    assert result.exit_code == 0, result.output
    assert re.search(r"interest\s+-?\d", result.stdout)
    assert re.search(r"for you: \d(st|nd|rd|th) without you", result.stdout)
    found = hits(quire("search", read, "tide", "--user", "ann", "--json"))
    with SearchEngine.open(read, encoder=HashingEncoder(32)) as engine:
        same = engine.search(Query("tide", user_id="ann")).hits
    assert [hit["doc_id"] for hit in found] == [hit.doc_id for hit in same]
    ledger = found[0]["ledger"]
    assert isinstance(ledger, dict)
    assert ledger["ranks"]["anonymous"] == same[0].ledger.anonymous_rank
    assert [one["doc_id"] for one in ledger["because"]] == [one.doc_id for one in same[0].ledger.because]


def test_strength_0_and_a_stranger_get_everyones_list(quire: Quire, read: Path) -> None:
    everyone = hits(quire("search", read, "tide", "--json"))
    assert hits(quire("search", read, "tide", "--user", "ann", "--strength", "0", "--json")) == everyone
    assert hits(quire("search", read, "tide", "--user", "bob", "--json")) == everyone
    assert hits(quire("search", read, "tide", "--user", "ann", "--tenant", "other", "--json")) == everyone
    assert hits(quire("search", read, "tide", "--user", "ann", "--json")) != everyone


def test_what_was_read_can_be_left_out(quire: Quire, read: Path) -> None:
    result = quire("search", read, "tide", "--user", "ann", "--hide-read", "--json")
    assert not {"notes/tide.txt", "zh.md"} & {str(hit["doc_id"]) for hit in hits(result)}
    assert "that you have met are left out" in str(json.loads(result.stdout)["notices"])
    nobody = hits(quire("search", read, "tide", "--json", "--hide-read"))
    assert "notes/tide.txt" in {hit["doc_id"] for hit in nobody}


def test_a_page_goes_on_for_its_reader(quire: Quire, read: Path) -> None:
    whole = hits(quire("search", read, "tide", "--user", "ann", "--json", "-k", "9"))
    first = quire("search", read, "tide", "--user", "ann", "--json", "-k", "2")
    cursor = json.loads(first.stdout)["cursor"]
    rest = hits(quire("search", read, "tide", "--user", "ann", "--json", "-k", "7", "--cursor", cursor))
    assert hits(first) + rest == whole
    foreign = quire("search", read, "tide", "--user", "bob", "--json", "--cursor", cursor)
    assert foreign.exit_code == 2
    assert "another query" in foreign.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--strength", "11"], "strength is a number from 0 to 10"),
        (["--tenant", "no/such"], "tenant"),
    ],
)
def test_what_cannot_be_used_is_named(quire: Quire, read: Path, arguments: list[str], said: str) -> None:
    result = quire("search", read, "tide", "--user", "ann", *arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_the_prompt_asks_as_a_reader(read: Path) -> None:
    with SearchEngine.open(read, encoder=HashingEncoder(32)) as engine:
        prompt = Prompt(engine, 3)
        screen = Screen(80, colours=False)
        nobody = "\n".join(prompt.answer("tide", screen))
        ann = "\n".join(prompt.answer(":user ann", screen))
        why = "\n".join(prompt.answer(":why 1", screen))
        back = "\n".join(prompt.answer(":user", screen))
    assert "for you" not in nobody
    assert ann.startswith("From now on as ann.")
    assert "for you" in ann
    assert "interest: " in why
    assert back.startswith("From now on as nobody in particular.")
    assert "for you" not in back


def test_why_not_asks_of_the_readers_own_list(quire: Quire, read: Path) -> None:
    asked = ("why-not", read, "notes/tide.txt", "tide", "--user", "ann", "--json")
    own = json.loads(quire(*asked).stdout)
    with SearchEngine.open(read, encoder=HashingEncoder(32)) as engine:
        assert own == engine.why_not(Query("tide", user_id="ann"), "notes/tide.txt").to_json()
        assert own != engine.why_not("tide", "notes/tide.txt").to_json()
