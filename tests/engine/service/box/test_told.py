"""What the engine says is said in Chinese on a Chinese page: its real sentences, as searches bring them about."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize(
    "sentence",
    [
        "1 document that you have met is left out.",
        "1,200 documents that you have met are left out.",
        "No passage of it holds a word of the query, the whole document has BM25 0.000 (the highest is 5.171), "
        "and meaning had no say.",
        "Its best passage by words has BM25 1.250 (the highest is 9.100), and its best by meaning has cosine -0.010 "
        "(the highest is 0.577).",
        "No passage of it holds a word of the query, and none of its passages has a vector.",
        "None of its passages was among the best 200 that each index proposed.",
        "It is at rank 12 of 80, below the 10 results asked for.",
        "The time budget of 300 ms ended when 4 of 20 documents were reranked; the others follow in the order before.",
        "The document has no vectors, so words alone decide.",
    ],
)
def test_what_searches_here_do_not_bring_about_is_said_in_chinese_too(sentence: str) -> None:
    said = told(sentence, "zh")
    assert not said.foreign
    assert [number for number in re.findall(r"[\d.,]*\d", sentence) if number not in said.text] == []


@pytest.mark.parametrize("query", ["bridge", "+quokka", "bridge -masonry", "长江"])
def test_why_a_document_is_not_there_is_said_in_chinese(box: Box, query: str) -> None:
    for doc_id in ("zh/桥.md", "notes/untitled thing.txt", "long.txt"):
        page = box.page("/why-not?" + urlencode({"q": query, "id": doc_id, "lang": "zh"}))
        assert [node.text() for node in page.css(".sentences [lang=en], .detail[lang=en]")] == []


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
