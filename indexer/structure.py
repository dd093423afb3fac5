"""The structure that a plain text shows, for documents whose reader saw none (records, mostly).

Only what is sure: empty lines part paragraphs, and so does every line where lines are long or begin with
a speaker's name; bullets and numbers begin list items; lines indented by four are code; headings are
marked as such, underlined, in capitals, or numbered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.document import Block

_GAP = re.compile(r"\n(?:[^\S\n]*\n)+|\f")
_LINE = re.compile(r"\S[^\n]*")
_ITEM = re.compile(r"^[ \t]*(?:[-*+•·‣▪◦–]|\(?(?:\d{1,3}|[a-zA-Z])[.)])[ \t]+(?=\S)", re.MULTILINE)
_SPEAKER = re.compile(r"^[^\W\d_][\w .'()-]{0,40}[:：][ \t]*(?=\S)", re.MULTILINE)
_UNINDENTED = re.compile(r"^(?! {4}|\t|[^\S\n]*$)", re.MULTILINE)
_UNDERLINED = re.compile(r"\s*([^\n]{1,120})\n[ \t]*(=|-|~)\2{2,}\s*")
_MARKED = re.compile(
    r"(?P<hashes>\#{1,6})[ \t]+\S.*"
    r"|(?P<part>(?i:part|book|volume)[ \t]+(?:[ivxlcIVXLC]+|\d+)\b.{0,80})"
    r"|(?P<chapter>(?i:chapter|appendix|article)[ \t]+(?:[ivxlcIVXLC]+|\d+|[A-Z])\b.{0,80})"
    r"|第[零〇一二三四五六七八九十百千两\d]{1,8}[卷部篇编章回节條条](?:[\s:：、].{0,40})?"
    r"|(?P<number>(?:\d{1,2}\.)+\d{1,2})\.?[ \t]+[^\W\d_a-z].{0,80}"
)
_NUMBERED = re.compile(r"(?:\d{1,2}|[IVX]{1,5})[.)]?[ \t]+[A-Z\u00c0-\u00de][^\n]{2,79}")
_OPEN_END = re.compile(r"[.;,:!?。；，：！？…]\Z")
_MAX_HEADING = 120
_MAX_TITLE_WORDS = 10
_LONG = 150  # characters of what is surely text, so that a numbered line before it is no item of a list
_WRAPPED = 100  # no line of a text wrapped by hand is longer
_SHORT = 40  # lines shorter than this on the mean are verse, lists of words, or wrapped Chinese


def plain_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a plain text in order: headings, paragraphs, list items, code. Linear."""
    capitals = not text[:4096].isupper()  # mean something
    start = 0
    held: tuple[int, int] | None = None
    for end, after in _group_ends(text):
        if not text[start:end].isspace() and start < end:
            if held is not None:
                yield from _group_blocks(text, *held, capitals, end - start >= _LONG)
            held = (start, end)
        start = after
    if held is not None:
        yield from _group_blocks(text, *held, capitals, False)


def _group_ends(text: str) -> Iterator[tuple[int, int]]:
    for gap in _GAP.finditer(text):
        yield gap.span()
    yield len(text), len(text)


def _group_blocks(text: str, start: int, end: int, capitals: bool, before_long: bool) -> Iterator[Block]:
    group = text[start:end]
    lines = group.strip().count("\n") + 1
    if not _UNINDENTED.search(group):
        yield Block("code", start, end)
    elif lines == 1:
        yield _line_block(text, start, end, capitals, before_long)
    elif lines == 2 and (rule := _UNDERLINED.fullmatch(group)):
        yield Block("heading", start, end, "=-~".index(rule.group(2)) + 1)
    elif _every_line_a_paragraph(group, lines):
        found = [(line.start(), line.end()) for line in _LINE.finditer(text, start, end)]
        for (first, last), following in zip(found, [*found[1:], None], strict=True):
            long_next = following is not None and following[1] - following[0] >= _LONG
            yield _line_block(text, first, last, capitals, long_next)
    else:
        yield from _items(text, start, end)


def _every_line_a_paragraph(group: str, lines: int) -> bool:
    if len(group) < lines * _SHORT:
        # Counting speakers is worth it for lines that are not single words.
        return len(group) >= lines * _SHORT // 4 and len(_SPEAKER.findall(group)) * 4 >= lines * 3
    return len(_SPEAKER.findall(group)) * 4 >= lines * 3 or max(map(len, group.split("\n"))) > _WRAPPED


def _items(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield a wrapped group: list items from each bullet on, a paragraph before the first."""
    at = start
    is_item = False
    for bullet in _ITEM.finditer(text, start, end):
        if not text[at : bullet.start()].isspace() and at < bullet.start():
            yield _paragraph_or_item(at, bullet.start(), is_item)
        at, is_item = bullet.start(), True
    yield _paragraph_or_item(at, end, is_item)


def _paragraph_or_item(start: int, end: int, is_item: bool) -> Block:
    return Block("list", start, end, 1) if is_item else Block("paragraph", start, end)


def _line_block(text: str, start: int, end: int, capitals: bool, before_long: bool) -> Block:
    if end - start <= 4 * _MAX_HEADING:
        line = text[start:end].strip()
        level = _heading_level(line, capitals, before_long) if len(line) <= _MAX_HEADING else 0
        if level:
            return Block("heading", start, end, level)
    if _ITEM.match(text, start, min(end, start + 80)):
        return Block("list", start, end, 1)
    return Block("paragraph", start, end)


def _heading_level(line: str, capitals: bool, before_long: bool) -> int:
    if marked := _MARKED.fullmatch(line):
        if hashes := marked.group("hashes"):
            return len(hashes)
        if not _OPEN_END.search(line):
            return _marked_level(marked)
    if _OPEN_END.search(line) or len(line.split()) > _MAX_TITLE_WORDS:
        return 0
    if capitals and line.isupper() and sum(map(str.isalpha, line)) >= 4:
        return 3
    if before_long and _NUMBERED.fullmatch(line) and not _SPEAKER.match(line):
        return 3
    return 0


def _marked_level(marked: re.Match[str]) -> int:
    if number := marked.group("number"):
        return 3 + number.count(".")
    if marked.group("part"):
        return 1
    return 2 if marked.group("chapter") or not re.search("[节條条]", marked.group()) else 3
