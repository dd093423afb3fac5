"""What the engine says is said in Chinese on a Chinese page: its real sentences, as searches bring them about."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from engine import SearchSettings
from engine.service.asking import FEWER, NONE
from engine.service.box.words.told import Told, told

from .conftest import Box

QUERIES = (
    "bridge winter load",
    "masonry -bridge",
    "-bridge",
    "kind:stone",
    '+quokka "no such words"',
    "!!!",
    'an "open quotation',
    "knid:stone bridge",
    "masonxry",
    "长江大桥",
)
SEARCHES = (
    SearchSettings(),
    SearchSettings(reranker="overlap"),
    SearchSettings(alpha=0.0),
    SearchSettings(alpha=1.0),
    SearchSettings(diversity=0.5, rerank_depth=3, reranker="overlap"),
)


@pytest.mark.parametrize("search", SEARCHES, ids=range(len(SEARCHES)))
def test_a_chinese_page_has_no_english_of_the_engine(
    make_box: Callable[..., Box], search: SearchSettings
) -> None:
    box = make_box(search)
    left = set()
    for query in QUERIES:
        page = box.page("/?" + urlencode({"q": query, "lang": "zh"}))
        left |= {node.text() for node in page.css(".notices [lang=en], .ledger [lang=en]")}
    assert left == set()


def test_what_load_takes_is_said_in_chinese() -> None:
    assert not told(FEWER, "zh").foreign
    assert not told(NONE, "zh").foreign
    assert told(NONE, "zh") != told(FEWER, "zh")


def test_what_is_not_known_stays_as_it_is_and_says_so() -> None:
    assert told("Something new, × 2", "zh") == Told("Something new, × 2", foreign=True)
    assert told("Something new", "en") == Told("Something new")


def test_values_stay_in_the_sentence() -> None:
    assert (
        told("BM25 2.591 of at most 3.255, passage 3 by words", "zh").text
        == "BM25 为 2.591，最高 3.255，按词语第 3 段"
    )
    assert "{0}" in told("Nothing matches 'a {0} b'; these are the results for 'c'.", "zh").text
