"""quire recommend and quire learn, as they are typed and as they are seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from engine.event import Event
from engine.personal.store import ReaderStore

Quire = Callable[..., Result]


@pytest.fixture
def read(index: Path) -> Path:
    """The index, with readers."""
    with ReaderStore.open(index) as store:
        store.add(
            [
                Event("ann", "lighthouse.md", "like"),
                *(Event(user, doc) for user in ("bob", "eve") for doc in ("lighthouse.md", "harbour.md")),
                Event("eve", "notes/tide.txt"),
            ]
        )
    return index


def test_learn_says_what_it_learnt(quire: Quire, read: Path) -> None:
    first = quire("learn", read)
    assert first.exit_code == 0
    assert "Learnt from 3 readers, who read 3 documents (6 times in all): 3 of these" in " ".join(
        first.output.split()
    )
    assert "3 documents gone over" in first.output
    assert "0 documents gone over" in quire("learn", read).output
    told = json.loads(quire("learn", read, "--anew", "--least", "2", "--json").output)
    assert (told["readers"], told["with_neighbours"], told["refreshed"]) == (3, 2, 3)
    assert "from 2 common readers on" in quire("learn", read, "--least", "2").output


def test_recommend_says_why(quire: Quire, read: Path) -> None:
    quire("learn", read)
    shown = quire("recommend", read, "ann", "-k", "1")
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert lines[0].startswith(" 1. Harbour")
    assert all(len(line) <= 80 for line in lines)
    assert "because you liked" in shown.output
    assert "its readers read this too" in shown.output
    found = json.loads(quire("recommend", read, "ann", "-k", "1", "--json").output)
    assert [item["doc_id"] for item in found["items"]] == ["harbour.md"]
    assert found["items"][0]["because"][0]["doc_id"] == "lighthouse.md"
    assert "lighthouse.md" not in quire("recommend", read, "ann", "-k", "9").output.replace("“", "")[:400]


def test_recommend_says_what_stands_in(quire: Quire, read: Path) -> None:
    before = quire("recommend", read, "nobody")
    assert before.exit_code == 0
    assert "Nothing is known of what 'nobody' likes." in before.output
    assert "quire learn" in before.output
    assert "Nothing to recommend." in before.output
    quire("learn", read)
    after = quire("recommend", read, "nobody", "-k", "2").output
    assert "read by 3 readers" in after
    assert "2 of these are what most readers read." in after


def test_filters_and_mistakes(quire: Quire, records: Path, read: Path) -> None:
    with ReaderStore.open(records) as store:
        store.add(Event(who, name) for who in ("ann", "bob") for name in ("r1", "r2", "r3"))
    quire("learn", records)
    found = json.loads(quire("recommend", records, "nobody", "--filter", "lang=en", "--json").output)
    assert [item["doc_id"] for item in found["items"]] == ["r1", "r3"]
    for wrong, says in (
        (("recommend", records, "ann", "--filter", "lnag=en"), "did you mean"),
        (("recommend", records, "ann", "--diversity", "2"), "diversity"),
        (("recommend", records, "ann", "-k", "-2"), "k is"),
        (("learn", records, "--least", "0"), "least"),
        (("learn", records, "--tenant", "../x"), "tenant"),
    ):
        result = quire(*wrong)
        assert result.exit_code == 2, wrong
        assert says in result.output
    assert quire("learn", records.parent / "nowhere").exit_code == 3


def test_nobody_has_read_anything(quire: Quire, index: Path) -> None:
    assert "nothing to learn" in quire("learn", index).output
    assert not (index / "readers").exists()
    assert quire("recommend", index, "ann").exit_code == 0
    assert not (index / "readers").exists()
