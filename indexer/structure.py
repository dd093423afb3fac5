"""The structure that a plain text shows: of text files, of records, and of documents whose reader saw none.

Only what is sure: empty lines and form feeds part paragraphs, and so does every line where lines are long, begin
with a speaker's name, or are indented in the Chinese manner; bullets and numbers begin list items; lines
indented by four are code, unless they read as prose; headings are marked as such, underlined, in capitals, or
numbered, and those in capitals may stand right above lines that are all indented, as in manual pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from indexer.document import Block

_GAP = re.compile(r"\n(?:[^\S\n]*\n)+|\f")
_LINE = re.compile(r"\S[^\n]*")
_HUNG = re.compile(r"(?=\S)([^\n]{1,120})\n(?=[ \t])")  # a line at the margin, above an indented one
_BULLET = re.compile(r"[ \t]*(?:[-*+•·‣▪◦–]|\(?(?:\d{1,3}|[a-zA-Z])[.)])[ \t]+(?=\S)")
_INDENTED = re.compile(rf"^(?:(?P<item>{_BULLET.pattern})|\u3000+(?=\S))", re.MULTILINE)
_SPEAKER = re.compile(r"^[^\W\d_][\w .'()-]{0,40}[:：][ \t]*(?=\S)", re.MULTILINE)
_MARGIN = re.compile(r"^(?=\S)", re.MULTILINE)
_UNINDENTED = re.compile(r"^(?! {4}|\t|[^\S\n]*$)", re.MULTILINE)
_UNDERLINED = re.compile(r"\s*+(?=[^\n]{0,119}[^\W_])([^\n]{1,120})\n[ \t]*(=|-|~)\2{2,}[ \t]*(?:\n|\Z)")
_ROMAN = r"m{0,3}(?:c[md]|d?c{0,3})(?:x[cl]|l?x{0,3})(?:i[xv]|v?i{0,3})(?<!\s)"
_NUMBER = rf"(?i:{_ROMAN}|\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_MARKED = re.compile(
    r"(?P<hashes>\#{1,6})[ \t]+(?=.*\w)\S.*"
    rf"|(?P<part>(?i:part|book|volume)[ \t\u00a0]+{_NUMBER}\b(?!\))(?P<of_part>.{{0,80}}))"
    rf"|(?P<chapter>(?i:chapter|appendix|article)[ \t\u00a0]+(?:{_NUMBER}|[A-Z])\b(?!\))(?P<of_chapter>.{{0,80}}))"
    rf"|(?P<section>(?i:section)[ \t\u00a0]+{_NUMBER}\b(?!\))(?P<of_section>.{{0,80}}))"
    r"|第[零〇一二三四五六七八九十百千两\d]{1,8}"
    r"(?:(?P<zh_part>[卷部篇编編])|(?P<zh_chapter>[章回])|(?P<zh_section>[节節條条]))(?:[\s:：、].{0,40})?"
    r"|(?P<number>(?:\d{1,2}\.)+\d{1,2})\.?[ \t\u00a0]+[^\W\d_a-z].{0,80}"
)
_TITLE = re.compile(r"[ \t]*[-–—:]+[ \t]+(?:[^\s.]+[ \t]+){0,9}[^\s.]+\.")
_LEVELS = {"part": 1, "chapter": 2, "section": 3, "zh_part": 1, "zh_chapter": 2, "zh_section": 3}
_NUMBERED = re.compile(r"(?:\d{1,2}|[IVX]{1,5})[.)]?[ \t]+[A-Z\u00c0-\u00de][^\n]{2,79}")
_OPEN_END = re.compile(r"[.;,:!?。；，：！？…]\Z")
_PLAIN_WORD = re.compile(r"[(\"'“‘]?[^\W\d_]+(?:[-'’][^\W\d_]+)*[)\"'”’]?[.,;:!?]?[)\"'”’]?")
_UNBROKEN = re.compile(r"[!-~]{40,}")  # an address makes a line long that was wrapped by hand
_COLUMNS = re.compile(r"\S[ \t]{3,}\S")  # what stands in columns
# The head of a page: what stands left, and what right. Behind the number of a heading there may be such a gap.
_RUNNING = re.compile(r"(?!(?:\d{1,2}|[IVX]{1,5})[.)]?[ \t])[^\n]*?\S(?:[ \t]{3,}|\t)\S")
_PROSE_WORDS = 8
_MAX_HEADING = 120
_MAX_TITLE_WORDS = 10
_LONG = 150  # characters of what is surely text, so that a numbered line before it is no item of a list
_WRAPPED = 100  # no line of a text wrapped by hand is longer
_SHORT = 40  # lines shorter than this on the mean are verse, lists of words, or wrapped Chinese


def plain_blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a plain text in order: headings, paragraphs, list items, code. Linear.

    They hold every character that is not white space, but for the rules under headings, and begin and end with
    one (code with its indent). Lines may end in any manner.
    """
    if "\r" in text:
        text = text.replace("\r\n", " \n").replace("\r", "\n")  # every character in its place
    for block in _blocks(text):
        piece = text[block.start : block.end]
        end = block.start + len(piece.rstrip())
        lead = len(piece) - len(piece.lstrip())
        start = block.start + (piece.rfind("\n", 0, lead) + 1 if block.kind == "code" else lead)
        yield replace(block, start=start, end=end)


def _blocks(text: str) -> Iterator[Block]:
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
    if (rule := _UNDERLINED.match(text, start, end)) and not _RUNNING.match(rule.group(1)):
        yield Block("heading", *rule.span(1), "=-~".index(rule.group(2)) + 1)
        start = rule.end()
    elif (hung := _HUNG.match(text, start, end)) and _stands_above(hung, text[hung.end() : end], capitals):
        yield Block("heading", *hung.span(1), 3)
        start = hung.end()
    group = text[start:end]
    if not group.strip():
        return
    lines = group.strip().count("\n") + 1
    if not (_UNINDENTED.search(group) or _BULLET.match(group) or _reads_as_prose(group)):
        yield Block("code", start, end)
    elif lines == 1:
        yield _line_block(text, start, end, capitals, before_long)
    elif _every_line_a_paragraph(group, lines):
        found = [(line.start(), line.end()) for line in _LINE.finditer(text, start, end)]
        for (first, last), following in zip(found, [*found[1:], None], strict=True):
            long_next = following is not None and following[1] - following[0] >= _LONG
            said = _SPEAKER.match(text, first, last) is not None
            yield _line_block(text, first, last, capitals and not said, long_next)
    else:
        yield from _items(text, start, end)


def _stands_above(line: re.Match[str], group: str, capitals: bool) -> bool:
    """Whether a line in capitals is the heading of the group below it, all of which is indented."""
    said = line.group(1).rstrip()
    return (
        _in_capitals(said)
        and _heading_level(said, capitals, False) == 3
        and not _BULLET.match(said)
        and not _MARGIN.search(group)
    )


def _reads_as_prose(group: str) -> bool:
    """Whether an indented group is words, as in novels and manual pages, and no code, table or drawing."""
    words = group.split()
    plain = sum(map(bool, map(_PLAIN_WORD.fullmatch, words)))
    return (
        len(words) >= _PROSE_WORDS
        and plain >= len(words) * 0.85
        and len(_COLUMNS.findall(group)) * 20 < len(words)
    )


def _every_line_a_paragraph(group: str, lines: int) -> bool:
    if len(group) < lines * _SHORT:
        # Counting speakers is worth it for lines that are not single words.
        return len(group) >= lines * _SHORT // 4 and len(_SPEAKER.findall(group)) * 4 >= lines * 3
    if len(_SPEAKER.findall(group)) * 4 >= lines * 3:
        return True
    return max(map(len, _UNBROKEN.sub("", group).split("\n"))) > _WRAPPED


def _items(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield a wrapped group: list items from each bullet on, paragraphs before and from each indent on."""
    at = start
    is_item = False
    for found in _INDENTED.finditer(text, start, end):
        if not text[at : found.start()].isspace() and at < found.start():
            yield _paragraph_or_item(at, found.start(), is_item)
        at, is_item = found.start(), found.group("item") is not None
    yield _paragraph_or_item(at, end, is_item)


def _paragraph_or_item(start: int, end: int, is_item: bool) -> Block:
    return Block("list", start, end, 1) if is_item else Block("paragraph", start, end)


def _line_block(text: str, start: int, end: int, capitals: bool, before_long: bool) -> Block:
    if end - start <= 4 * _MAX_HEADING:
        line = text[start:end].strip()
        level = _heading_level(line, capitals, before_long) if len(line) <= _MAX_HEADING else 0
        if level:
            return Block("heading", start, end, level)
    if _BULLET.match(text, start, min(end, start + 80)):
        return Block("list", start, end, 1)
    return Block("paragraph", start, end)


def _heading_level(line: str, capitals: bool, before_long: bool) -> int:
    if marked := _MARKED.fullmatch(line):
        if hashes := marked.group("hashes"):
            return len(hashes)
        if not _OPEN_END.search(line) or _is_a_title(marked):
            return _marked_level(marked)
    if _OPEN_END.search(line) or len(line.split()) > _MAX_TITLE_WORDS:
        return 0
    if capitals and _in_capitals(line) and not _RUNNING.match(line):
        return 3
    if before_long and _NUMBERED.fullmatch(line) and not _SPEAKER.match(line):
        return 3
    return 0


def _in_capitals(line: str) -> bool:
    """Whether most letters are capitals, and none is small: a Chinese line has none, but for a name in it."""
    capitals = sum(map(str.isupper, line))
    return capitals >= 4 and line.isupper() and 3 * capitals > 2 * sum(map(str.isalpha, line))


def _is_a_title(marked: re.Match[str]) -> bool:
    """Whether a line that ends with a stop is a heading all the same: `CHAPTER IV.`, or `Section 2 -- Scope.`."""
    found = (marked.group(name) for name in ("of_part", "of_chapter", "of_section"))
    rest = next((each for each in found if each is not None), "and more")
    return not rest.strip(" \t.:") or rest.isupper() or _TITLE.fullmatch(rest) is not None


def _marked_level(marked: re.Match[str]) -> int:
    if number := marked.group("number"):
        return 3 + number.count(".")
    return next(level for name, level in _LEVELS.items() if marked.group(name))
