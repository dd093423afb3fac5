"""What a reader may try first reads like something one would ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine import SearchEngine
from engine.service.box.search.examples import EXAMPLES, asks
from engine.service.box.search.holdings import look
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index

ENCODER = HashingEncoder(32)


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        ("Compound statements", "Compound statements"),
        ("csv: CSV parsing and writing", "CSV parsing and writing"),
        ("on heat transfer in slip .", "on heat transfer in slip"),
        ("战国无双的历史", "战国无双的历史"),
        ("Related Work", ""),
        ("json", ""),
        ("class csv.Sniffer()", ""),
        ("a title of so many words that nobody would write it down", ""),
        ("2023 report 17", ""),
        ("<script>alert(1)</script> and more", ""),
        ("股票行情快报：天龙股份（603266）8月11日主力资金净卖出", ""),
        ("", ""),
    ],
)
def test_titles_that_read_like_a_question_are_asked_for(title: str, asked: str) -> None:
    assert asks(title) == asked


def test_titles_come_before_headings_and_phrases_and_say_different_things(
    make_index: Callable[..., Index],
) -> None:
    titles = (
        "Boundary layers",
        "Layers of paint",
        "def f(x)",
        "Roman stone bridges",
        "Heat in thin films",
        "x",
    )
    documents = [Document(f"d{n}", f"Some words about {title}.", title, {}) for n, title in enumerate(titles)]
    with make_index(*documents) as index, SearchEngine(index, ENCODER) as engine:
        found = look(engine, index.reader(), "").examples
    assert set(found[:3]) < set(titles)
    assert len(found) <= EXAMPLES
    assert not {"Boundary layers", "Layers of paint"} <= set(found)
    assert "def f(x)" not in found
