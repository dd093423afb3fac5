"""Blocks lose no word of a text, overlap nowhere, and look like what they are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.service.box.document.blocks import blocks

LINES = st.sampled_from(
    [
        "", " ", "# One", "### Three", "plain words that go on", "    indented()", "\tmore()", "| a | b |",
        ">>> call()", "- item", "```", "~~~python", "#hashtag", "长江大桥的建造用了两年。", "---", "  two",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(LINES, max_size=30), st.integers(0, 5000))
def test_blocks_ascend_and_hold_every_word(lines: list[str], offset: int) -> None:
    text = "\n".join(lines)
    found = blocks(text, offset)
    ends = [offset, *(one.end for one in found)]
    assert all(
        before <= one.start < one.end <= offset + len(text) for before, one in zip(ends, found, strict=False)
    )
    kept = "\n".join(text[one.start - offset : one.end - offset] for one in found)
    marks = {
        "#",
        "###",
        "```",
        "~~~python",
        "---",
    }  # of headings, of fences, around what a file says of itself
    assert [word for word in kept.split() if word not in marks] == [
        word for word in text.split() if word not in marks
    ]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in blocks(text)]


def test_headings_code_and_paragraphs() -> None:
    text = "## Use  \n\nSome words.\n\n```sh\nls -l\n\ncd\n```\nAfter.\n\n    x = 1\n\n    y = 2\n\nEnd\n"
    assert kinds(text) == [
        ("heading", "Use"),
        ("text", "Some words."),
        ("code", "ls -l\n\ncd"),
        ("text", "After."),
        ("code", "    x = 1\n\n    y = 2"),
        ("text", "End"),
    ]
    assert [one.level for one in blocks(text)][:2] == [2, 0]


def test_a_fence_that_is_never_closed_goes_to_the_end() -> None:
    assert kinds("~~~\na\n# b\n") == [("code", "a\n# b")]


def test_what_a_file_says_of_itself_is_no_text_of_it() -> None:
    text = "---\ntitle: Tea\ntags:\n  - green\n\nyear: 2020\n---\n# Tea\n\n---\n\nWords"
    assert kinds(text) == [("heading", "Tea"), ("text", "---"), ("text", "Words")]
    assert blocks(text)[0].start == text.index("Tea\n\n")


@pytest.mark.parametrize(
    "text",
    [
        "---\nA rule, then words.\n---\nMore",
        "---\nkey: never closed\n\nWords",
        "---\n---\nWords",
        "x: y\n---\nz",
    ],
)
def test_a_rule_at_the_beginning_hides_nothing(text: str) -> None:
    shown = " ".join(text[block.start : block.end] for block in blocks(text))
    assert all(word in shown for word in text.split())


def test_lines_broken_to_a_width_are_one_paragraph_and_others_are_lines() -> None:
    wrapped = (
        "Returns a list of pairs containing each of the decoded\n"
        "parts of the header, where charset is None for encoded\n"
        "parts of it.\n"
    )
    assert kinds(wrapped)[0][0] == "text"
    assert kinds("Ann: Yes.\nBob: No, I do not think that it is so.\nAnn: Well.")[0][0] == "lines"
    assert kinds("- one\n- two")[0][0] == "lines"


def test_a_table_keeps_its_columns() -> None:
    assert kinds("| a | b |\n|---|---|\n| 1 | 2 |")[0][0] == "code"
