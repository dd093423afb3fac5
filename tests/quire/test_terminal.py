"""What reaches a terminal: widths in cells, wrapped lines, colours, harmless text; and how far indexing has come."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.document import Document, ReadFailure
from indexer.pipeline import IndexingReport
from quire.progress import ProgressLine, duration, plural, total_bytes
from quire.results import ordinal
from quire.terminal import Screen, cells, cut, harmless, runs_of, typed

TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs", "Mn"]), max_size=200)


@given(TEXT, st.integers(30, 120), st.sampled_from(["", "    "]))
@settings(max_examples=80)
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: int, indent: str) -> None:
    lines = list(Screen(width).wrap([(text, False)], indent))
    assert all(cells(line) <= width for line in lines)
    assert all(line.startswith(indent) for line in lines)

    def squeezed(some: str) -> str:
        return re.sub(r"\s+", "", some)

    assert squeezed("".join(lines)) == squeezed(harmless(text))


@given(st.text(st.sampled_from("ab 中文。"), max_size=80), st.data())
@settings(max_examples=80)
def test_marks_stand_around_what_is_highlighted_and_nothing_else(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    spans = [(a + 50, b + 50) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if b > a]
    runs = runs_of(text, 50, spans)
    assert "".join(piece for piece, _ in runs) == text
    marked = [at for at, _ in enumerate(text) if any(a <= at + 50 < b for a, b in spans)]
    at, found = 0, []
    for piece, highlighted in runs:
        found += list(range(at, at + len(piece))) if highlighted else []
        at += len(piece)
    assert found == marked


@given(TEXT, st.integers(2, 60))
def test_what_is_cut_fits_and_says_so(text: str, width: int) -> None:
    short = cut(text, width)
    assert cells(short) <= width
    assert short == text or short.endswith("…")


@given(st.text(max_size=100))
def test_harmless_text_has_no_control_characters(text: str) -> None:
    clean = harmless(text)
    assert not [c for c in clean if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert harmless(clean) == clean


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("灯塔", 4), ("e\u0301", 1), ("", 0), ("ｆ", 2), ("a\u200b", 1)]
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


def test_colours_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Screen.of(Terminal()).colours
    assert not Screen.of(io.StringIO()).colours
    monkeypatch.setenv("TERM", "dumb")
    assert not Screen.of(Terminal()).colours
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Screen.of(Terminal()).colours


def test_a_highlight_is_coloured_and_counts_as_its_text() -> None:
    [line] = Screen(40, colours=True).wrap([("the ", False), ("lamp", True), (" turns", False)])
    assert line == "the \x1b[1;33mlamp\x1b[0m turns"


def test_a_line_never_ends_inside_a_word_of_which_a_part_is_highlighted() -> None:
    runs = [("some words here about ", False), ("item", True), ("! More", False)]
    for width in range(30, 40):
        assert not [line for line in Screen(width, colours=True).wrap(runs) if line.startswith("!")]
        assert not [line for line in Screen(width).wrap(runs) if line.startswith("!")]


def test_typed_reads_utf8_that_the_locale_could_not() -> None:
    assert typed("天气".encode().decode("ascii", "surrogateescape")) == "天气"
    assert typed("天气") == "天气"
    assert typed("plain") == "plain"
    assert typed("\udcff") == "\ufffd"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h 0 min"),
        (12_000, "3 h 20 min"),
    ],
)
def test_duration(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_counts_and_ordinals() -> None:
    assert plural(1, "document") == "1 document"
    assert plural(2000, "passage") == "2,000 passages"
    said = [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 101, 111, 1003)]
    assert said == "1st 2nd 3rd 4th 11th 12th 13th 21st 101st 111th 1,003rd".split()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_guesses_the_time_left_by_bytes(tmp_path: Path) -> None:
    for name, size in (("a.txt", 100), ("b.txt", 300)):
        (tmp_path / name).write_text("x" * size)
    assert total_bytes([tmp_path]) == total_bytes([tmp_path / "a.txt", tmp_path / "b.txt"]) == 400
    clock, stream = Clock(), io.StringIO()
    line = ProgressLine(total_bytes([tmp_path]), stream, clock)
    items = [
        Document("a", "x" * 100, source=str(tmp_path / "a.txt")),
        ReadFailure(str(tmp_path / "b.txt"), "broken"),
    ]
    watched = line.watch(items)
    next(watched)
    clock.now = 5.0
    report = IndexingReport(added=1, encoded=50)
    line(report)
    assert stream.getvalue() == ""
    clock.now = 10.0
    line(report)
    assert stream.getvalue() == "1 document, 50 passages encoded, 5/s, about 30 s left\n"
    next(watched)
    assert line.seconds_left(10.0) is None


def test_progress_counts_records_by_their_own_size(tmp_path: Path) -> None:
    line = ProgressLine(1000, io.StringIO(), Clock())
    records = [Document(str(n), "x" * 100, source=f"{tmp_path}/c.jsonl:{n}") for n in range(5)]
    assert len(list(line.watch(records))) == 5
    assert line.seconds_left(10.0) == 10.0


def test_on_a_terminal_one_line_is_redrawn_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    clock, stream = Clock(), Terminal()
    line = ProgressLine(0, stream, clock)
    list(line.watch([Document("a", "x", source="folder/" + "long" * 40)]))
    for now in (0.1, 0.5, 0.6, 1.0):
        clock.now = now
        line(IndexingReport(added=int(now * 10)))
    drawn = stream.getvalue().split("\r\x1b[2K")[1:]
    assert [text.split(",")[0].split("  ")[0] for text in drawn] == ["5 documents", "10 documents"]
    assert all(cells(text) < 60 for text in drawn)
    line.clear()
    assert stream.getvalue().endswith("\r\x1b[2K")
