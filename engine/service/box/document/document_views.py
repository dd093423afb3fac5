"""A document as it is read: which stretch of it is shown, in which parts, and what leads elsewhere in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise
from urllib.parse import urlsplit

from engine.document_text import DocumentText
from engine.service.box.document.blocks import Block, Kind, blocks
from engine.service.box.page.marks import Run, pieces
from engine.service.box.page.naming import LONGEST_LABEL, OPENING, name_of, shortened
from engine.service.box.page.scripts import language_of
from engine.service.box.search.around import day, field_name, shown, written
from engine.service.box.urls.place import Place
from engine.service.box.words.words import Words
from indexer.document import MetadataValue

STRETCH, BEFORE, SLACK = 10_000, 1_500, 1_500
"""Characters that are shown together, before the passage among them, and by how many more or fewer for a good cut."""
_LEAST_REST = 2_500  # a rest shorter than this is shown along
_LONGEST_VALUE = 300
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?]\s+|[。！？；]"), re.compile(r"\s+"))


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two gaps of a text: a block of it, or the beginning of a page.

    Args:
        kind: How it is shown; `page` for the beginning of one.
        level: Of a heading, from 2: how large it is.
        rank: The same with none left out on the way down, for those who go from heading to heading.
        runs: The text; those that are of the passage are `meaning`.
        marked: How much of it is of the passage.
        first: Whether the passage begins here.
        anchor: What a link into the text leads to; empty for none.
        page: The number of the page that begins.
    """

    kind: Kind | str
    level: int = 0
    rank: int = 0
    runs: tuple[Run, ...] = ()
    marked: str = ""
    first: bool = False
    anchor: str = ""
    page: int = 0


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known of a document, and the search for all that share it (empty for none)."""

    label: str
    values: tuple[tuple[str, str], ...]


def window(start: int | None, end: int | None, at: int | None, length: int) -> tuple[int, int]:
    """Return about which stretch of a document is shown.

    Args:
        start: Where the passage begins; None for none.
        end: Where it ends.
        at: Where the stretch is to begin; None for around the passage.
        length: Of the document.
    """
    low = at if at is not None else max(0, (start or 0) - BEFORE)
    low = max(0, min(low, length - 1))
    high = low + STRETCH
    if at is None and end is not None:
        high = max(high, min(end + BEFORE, low + 4 * STRETCH))
    return low, length if length - high < _LEAST_REST else high


def cut(text: str, offset: int, low: int, high: int, length: int) -> tuple[int, int]:
    """Return where a stretch begins and ends: between paragraphs, or else lines, sentences, words.

    Args:
        text: The text from `offset` on, with `SLACK` on both sides where there is so much.
        offset: Where it begins in the document.
        low: About where to begin.
        high: About where to end.
        length: Of the document.
    """
    begin = 0 if low <= 0 else _break_before(text, offset, low)
    finish = length if high >= length else _break_before(text, offset, high)
    return begin, max(finish, begin)


def _break_before(text: str, offset: int, wished: int) -> int:
    """Return the last good place to cut at or before `wished`, no farther away than `SLACK`."""
    earliest, latest = max(0, wished - SLACK - offset), wished - offset
    for pattern in _BREAKS:
        places = [match.end() for match in pattern.finditer(text, earliest, latest)]
        if places:
            return offset + places[-1]
    return wished


def parts_of(
    found: DocumentText,
    start: int,
    end: int,
    place: Place,
    words: Sequence[tuple[int, int]],
) -> tuple[Part, ...]:
    """Return the text from `start` to `end` as the page shows it.

    Args:
        found: Has it.
        start: Where to begin.
        end: Where to end.
        place: Which passage is marked.
        words: Spans of what was searched for.
    """
    edges = [start, *(page for page in found.pages if start < page < end), end]
    marks = _Marks(
        anchors={one.start: f"at-{one.start}" for one in found.passages if one.start >= start},
        headings={one.headings[-1].strip(): len(one.headings) for one in found.passages if one.headings},
        passage=[(place.start, place.end)] if place.start is not None and place.end is not None else [],
        words=words,
    )
    parts: list[Part] = []
    for low, high in pairwise(edges):
        if low in found.pages:
            parts.append(Part("page", page=bisect_right(found.pages, low)))
        text = found.text[low - found.start : high - found.start]
        parts += (_part(block, found, marks) for block in blocks(text, low))
    if not start and parts and _is_title(parts[0], found.title):
        del parts[0]
    first = next((at for at, part in enumerate(parts) if part.marked), None)
    if first is not None:
        parts[first] = replace(parts[first], first=True)
    return tuple(_ranked(parts))


def _is_title(part: Part, title: str) -> bool:
    """Whether a part says no more than the title, which the page has said already."""
    said = "".join(piece.text for run in part.runs for piece in run.pieces)
    return part.kind == "heading" and " ".join(said.split()) == " ".join(title.split())


def _ranked(parts: Iterable[Part]) -> Iterator[Part]:
    above = 1
    for part in parts:
        if part.level:
            above = min(part.level, above + 1)
        yield replace(part, rank=above) if part.level else part


@dataclass(frozen=True, slots=True)
class _Marks:
    """What is known of places in a text: anchors, lines that are headings and how deep, the passage, words."""

    anchors: Mapping[int, str]
    headings: Mapping[str, int]
    passage: Sequence[tuple[int, int]]
    words: Sequence[tuple[int, int]]


def _part(block: Block, found: DocumentText, marks: _Marks) -> Part:
    text = found.text[block.start - found.start : block.end - found.start]
    near = [(low, high) for low, high in marks.words if low < block.end and high > block.start]
    runs = pieces(text, block.start, near, marks.passage, lines=True)
    before = range(block.start - 8, block.start + 1)  # where marks of a heading may stand
    anchor = next((marks.anchors[at] for at in before if at in marks.anchors), "")
    meant = [run.meaning for run in runs]
    marked = "" if not any(meant) else "all" if all(meant) else "some"
    kind, level = block.kind, block.level
    if kind == "text" and anchor and text.strip() in marks.headings:
        kind, level = "heading", marks.headings[text.strip()]
    return Part(kind, min(level + 1, 6) if level else 0, runs=runs, marked=marked, anchor=anchor)


def facts(metadata: Mapping[str, MetadataValue], place: Place, words: Words) -> tuple[Fact, ...]:
    """Return what is known of a document, each value with the search for all documents that share it."""
    found = []
    for field, value in metadata.items():
        values = []
        for one in value if isinstance(value, tuple) else (value,):
            name = written(one)
            if isinstance(one, date):
                values.append((day(one.date() if isinstance(one, datetime) else one, words), ""))
            elif name.strip():
                href = "" if len(name) > LONGEST_LABEL else _sharing(place, field, name)
                values.append((shown(name, words, field) if href else shortened(name, _LONGEST_VALUE), href))
        if values:
            found.append(Fact(field_name(field, words), tuple(values)))
    return tuple(found)


def _sharing(place: Place, field: str, value: str) -> str:
    """Return the URL of the search with a value chosen; empty without a search, which chooses nothing."""
    if not place.asked.text:
        return ""
    return place.asked.bare.with_choice(field, value).url


def title_of(found: DocumentText) -> str:
    """Return what a document is called: its title, or how its text begins where that is at hand, or its id."""
    return name_of(found.title, found.doc_id, "" if found.start else found.text[:OPENING])[0]


def address_of(found: DocumentText) -> str:
    """Return where a document is on the web; the empty string of any other source, such as a path of this machine."""
    try:
        parts = urlsplit(found.source)
    except ValueError:
        return ""
    return found.source if parts.scheme in ("http", "https") and parts.hostname else ""


def written_in(found: DocumentText) -> str:
    """Return the language of a document, as far as it is known."""
    return language_of(found.text[:400], found.metadata)
