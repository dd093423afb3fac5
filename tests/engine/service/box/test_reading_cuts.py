"""A long document is shown in stretches that join up, each with the passage that it was opened at."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.document_text import DocumentPassage, DocumentText
from engine.service.box.document.contents import contents
from engine.service.box.document.document_views import SLACK, address_of, cut, parts_of, window
from engine.service.box.urls.place import Place

TEXTS = st.lists(
    st.sampled_from(
        ["word " * 60, "sentence. " * 40, "桥墩很深。" * 80, "x" * 900, "line\n" * 50, "\n\n", "# H\n"]
    ),
    min_size=1,
    max_size=120,
).map("".join)


def document(text: str, passages: tuple[DocumentPassage, ...] = (), **values: object) -> DocumentText:
    known = {
        "doc_id": "d", "title": "", "source": "", "metadata": {}, "length": len(text), "pages": (),
        "passage_count": len(passages), "start": 0, "end": len(text), "text": text, "passages": passages,
    }  # fmt: skip
    return DocumentText(**{**known, **values})  # type: ignore[arg-type]


def stretch(text: str, start: int | None, end: int | None, at: int | None) -> tuple[int, int]:
    low, high = window(start, end, at, len(text))
    offset = max(0, low - SLACK)
    return cut(text[offset:high], offset, low, high, len(text))


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_going_on_reads_all_of_it(text: str) -> None:
    at, seen = 0, []
    while True:
        start, end = stretch(text, None, None, at)
        assert start <= at
        seen.append(text[at:end])
        if end >= len(text):
            break
        assert end > at
        at = end
    assert "".join(seen) == text


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.data())
def test_the_passage_is_in_what_is_shown(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = min(len(text), start + data.draw(st.integers(1, 3000)))
    low, high = stretch(text, start, end, None)
    assert low <= start < end <= high


@settings(deadline=None, max_examples=60)
@given(TEXTS, st.data())
def test_parts_say_the_words_of_the_text_and_mark_the_passage_alone(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = min(len(text), start + data.draw(st.integers(1, 500)))
    parts = parts_of(document(text), 0, len(text), Place("d", start, end), [])
    shown = "".join(piece.text for part in parts for run in part.runs for piece in run.pieces)
    assert "".join(shown.split()).replace("#", "") == "".join(text.split()).replace("#", "")
    marked = "".join(piece.text for part in parts for run in part.runs if run.meaning for piece in run.pieces)
    assert "".join(marked.split()).replace("#", "") == "".join(text[start:end].split()).replace("#", "")
    assert sum(part.first for part in parts) == bool(marked)


def test_pages_begin_where_they_do() -> None:
    text = "First page.\n\nSecond page.\n\nThird."
    parts = parts_of(document(text, pages=(0, 13, 27)), 0, len(text), Place("d"), [])
    assert [part.page or part.runs[0].pieces[0].text for part in parts] == [
        1, "First page.", 2, "Second page.", 3, "Third."
    ]  # fmt: skip


def test_a_line_that_the_index_knows_as_a_heading_is_one() -> None:
    text = "Masonry\n\nMortar has washed out."
    passages = (DocumentPassage(0, 0, len(text), ("Masonry",), None),)
    parts = parts_of(document(text, passages), 0, len(text), Place("d"), [])
    assert [(part.kind, part.anchor) for part in parts] == [("heading", "at-0"), ("text", "")]


def headed(*paths: tuple[str, ...]) -> list[DocumentPassage]:
    return [DocumentPassage(at, 100 * at, 100 * at + 90, path, None) for at, path in enumerate(paths)]


def test_contents_tell_each_heading_once_and_not_the_title() -> None:
    passages = headed(
        ("T",), ("T", "A"), ("T", "A", "a"), ("T", "A", "b"), ("T", "A"), ("T", "B"), ("b", "cut")
    )
    found = contents(passages, "T", Place("d", 310, 320), 0, 350)
    assert [(one.depth, one.text) for one in found] == [
        (0, "A"), (1, "a"), (1, "b"), (0, "B"), (1, "b"), (2, "cut")
    ]  # fmt: skip
    assert [one.href for one in found][:4] == [
        "#at-100",
        "#at-200",
        "#at-300",
        "/document?id=d&start=310&end=320&at=500#at-500",
    ]
    assert [one.text for one in found if one.here] == ["b"]


def test_many_headings_are_told_where_one_reads() -> None:
    passages = headed(*((f"{month}", f"{month}.{day}") for month in range(12) for day in range(30)))
    found = contents(passages, "", Place("d", at=100 * 95), 9500, 9900)
    assert [one.text for one in found if not one.depth] == [str(month) for month in range(12)]
    assert [one.text for one in found if one.depth] == [f"3.{day}" for day in range(30)]


def test_only_addresses_on_the_web_are_told() -> None:
    for source, told in (
        ("https://example.org/a?b#c", True), ("http://example.org", True), ("javascript:alert(1)//http://x", False),
        ("/srv/books/a.pdf", False), ("file:///etc/passwd", False), ("https:///x", False), ("http://[", False),
    ):  # fmt: skip
        assert address_of(document("", source=source)) == (source if told else "")
