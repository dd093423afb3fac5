"""Marked text is the text, every character in the marks that it lies in: against a plain version, letter by letter."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.service.box.page.marks import pieces

_SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=50), st.integers(0, 10), _SPANS, _SPANS)
def test_every_letter_has_the_marks_that_it_lies_in(
    text: str, start: int, words: list[tuple[int, int]], meaning: list[tuple[int, int]]
) -> None:
    def inside(place: int, spans: list[tuple[int, int]]) -> bool:
        return any(low <= place + start < high for low, high in spans)

    expected = [(letter, inside(at, words), inside(at, meaning)) for at, letter in enumerate(text)]
    made = [
        (letter, piece.word, run.meaning)
        for run in pieces(text, start, words, meaning, lines=True)
        for piece in run.pieces
        for letter in piece.text
    ]
    assert made == expected


@settings(deadline=None, max_examples=100)
@given(st.text(" \n\tab", max_size=30), _SPANS)
def test_white_space_becomes_single_spaces_and_nothing_else_changes(
    text: str, words: list[tuple[int, int]]
) -> None:
    shown = "".join(piece.text for run in pieces(text, 0, words) for piece in run.pieces)
    assert re.sub(r"\s+", "", shown) == re.sub(r"\s+", "", text)
    assert not re.search(r"[\n\t]", shown)


def test_a_run_is_as_long_as_it_can_be() -> None:
    before, inside = pieces("one two three", 0, [(4, 7)], [(4, 13)])
    assert not before.meaning
    assert inside.meaning
    assert [(piece.text, piece.word) for piece in inside.pieces] == [("two", True), (" three", False)]
