"""Snippets: exact offsets, highlights that are query terms, the densest window, sensible cuts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ranking import Snippet
from engine.snippet import snippet, window, without_headings
from indexer.analyser import Analyser, Token

ANALYSER = Analyser()
_words = st.sampled_from(
    ["turbine", "turbines", "blade.", "Cooling", "the", "of", "机器学习", "Zürich", "x" * 50, "\n\n"]
)


def terms_of(text: str) -> dict[str, float]:
    return dict.fromkeys(ANALYSER.query_terms(text), 1.0)


@given(
    words=st.lists(_words, max_size=60),
    query=st.lists(_words, max_size=3),
    limit=st.integers(20, 200),
    offset=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=150)
def test_offsets_are_exact_and_highlights_hold_only_query_terms(
    words: list[str], query: list[str], limit: int, offset: int
) -> None:
    passage = " ".join(words)
    weights = terms_of(" ".join(query))
    shown = snippet(passage, offset, weights, ANALYSER, limit)
    assert shown.text == passage[shown.start - offset : shown.end - offset]
    assert len(shown.text) <= max(limit, max((len(word) for word in words), default=0))
    last = shown.start
    for start, end in shown.highlights:
        assert last <= start < end <= shown.end
        last = end
        stream = ANALYSER.phrases(passage[start - offset : end - offset])[0]
        covered = "".join(sorted(weights))
        assert all(term in weights or term in covered for term in stream)


@given(words=st.lists(_words, min_size=1, max_size=60), limit=st.integers(60, 200))
@settings(deadline=None, max_examples=80)
def test_a_word_that_occurs_is_shown(words: list[str], limit: int) -> None:
    passage = " ".join([*words, "needle", *words])
    shown = snippet(passage, 0, terms_of("needle"), ANALYSER, limit)
    assert [passage[start:end] for start, end in shown.highlights] == ["needle"]


@given(
    places=st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from("abc")),
        min_size=1,
        max_size=12,
        unique_by=lambda p: p[0],
    ),
    limit=st.integers(20, 100),
)
@settings(deadline=None, max_examples=150)
def test_no_window_holds_more_distinct_weight(places: list[tuple[int, str]], limit: int) -> None:
    weights = {"a": 1.0, "b": 2.0, "c": 4.0}
    matches = [Token(term, at, at + 1) for at, term in sorted(places)]
    start, end = window("." * 301, matches, weights, limit)

    def weight(low: int, high: int) -> float:
        return sum(weights[term] for term in {t.term for t in matches if low <= t.start and t.end <= high})

    best = max(weight(token.start, token.start + limit) for token in matches)
    # Repeats count a tenth, so a window of fewer distinct words can win only over one worth little more.
    repeats = 0.1 * sum(weights[token.term] for token in matches)
    assert weight(start, end) >= best - repeats - 1e-9


def test_cuts_at_sentences_where_there_are_some_near() -> None:
    text = "One thing is this. Another thing is that. The needle lies here. More follows after it. And more."
    shown = snippet(text, 0, terms_of("needle"), ANALYSER, 60)
    assert "The needle lies here." in shown.text
    assert shown.text[0].isupper()
    assert shown.cut_before
    assert shown.cut_after


def test_a_passage_without_the_words_shows_its_start() -> None:
    shown = snippet("Alpha beta gamma. " * 30, 7, terms_of("needle"), ANALYSER, 50)
    assert shown.start == 7
    assert shown.highlights == ()
    assert not shown.cut_before
    assert shown.cut_after


def test_an_empty_passage_shows_nothing() -> None:
    assert snippet("", 3, terms_of("needle"), ANALYSER, 50) == Snippet("", 3, 3)


def test_chinese_highlights_are_merged() -> None:
    text = "我们研究机器学习的方法。"
    shown = snippet(text, 0, terms_of("机器学习"), ANALYSER, 50)
    assert [text[start:end] for start, end in shown.highlights] == ["机器学习"]


@pytest.mark.parametrize("ending", ["turbine", "turbine" * 40])
def test_text_without_a_space_is_cut_hard(ending: str) -> None:
    shown = snippet("x" * 500 + " " + ending, 0, terms_of("turbine"), ANALYSER, 40)
    assert len(shown.text) <= 40 or shown.text == ending


def test_rendering() -> None:
    shown = Snippet("a <b>\nneedle & c", 10, 26, ((16, 22),), cut_before=True, cut_after=False)
    assert shown.render() == "…a <b> **needle** & c"
    assert shown.render("[", "]", ellipsis="... ") == "... a <b> [needle] & c"
    assert shown.to_html() == "…a &lt;b&gt; <mark>needle</mark> &amp; c"


@pytest.mark.parametrize(
    ("text", "headings", "shown"),
    [
        ("# Tides\n\n## The *moon*\n\nIt pulls.", ["Tides", "The moon"], "It pulls."),
        ("## The moon\n\n### Its pull\n\nIt pulls.", ["Tides", "The moon"], "    Its pull\n\nIt pulls."),
        ("It pulls.\n\n## The moon\n\nAgain.", ["The moon"], "It pulls.\n\n   The moon\n\nAgain."),
        ("```py\ntide()\n```", ["Tides"], "     \ntide()\n   "),
        ("# Tides", ["Tides"], "  Tides"),
        ("#tides and C# rise", ["tides"], "#tides and C# rise"),
    ],
)
def test_what_stands_above_a_snippet_is_not_shown_again(text: str, headings: list[str], shown: str) -> None:
    body, start = without_headings(text, 100, headings)
    assert body == shown
    assert start - 100 == len(text) - len(body)


@given(
    st.lists(st.sampled_from(["# Tides\n", "## Moon\n", "word ", "\n", "```\n", "#"]), max_size=12).map(
        "".join
    )
)
def test_what_is_shown_keeps_its_offsets(text: str) -> None:
    body, start = without_headings(text, 0, ["Tides", "Moon"])
    assert len(body) == len(text) - start
    assert all(one in (other, " ") for one, other in zip(body, text[start:], strict=True))
