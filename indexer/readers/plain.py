"""Plain text: paragraphs by empty lines, indents and long lines; chapter headings; lists; pages by form feed.

The text is kept as it is, so that offsets lead back to the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from indexer.document import Block
from indexer.readers.content import Content, Unreadable
from indexer.readers.decode import decode
from indexer.readers.options import ReadOptions

_LINE = re.compile(r"[^\n\r\f]*(?:\r\n|[\n\r\f]|\Z)")
_NUMBER = r"(?:[ivxlcdm]+|\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_CHAPTER = re.compile(
    rf"(?P<part>part|book|volume)\s+{_NUMBER}\b.{{0,80}}"
    rf"|(?P<chapter>chapter|appendix)\s+(?:{_NUMBER}|[a-z])\b.{{0,80}}"
    rf"|(?P<section>section)\s+{_NUMBER}\b.{{0,80}}"
    r"|第[零〇一二三四五六七八九十百千两\d]{1,8}(?:(?P<zh_part>[卷部篇编])|(?P<zh_chapter>[章回])|(?P<zh_section>节))"
    r"(?:[\s:：、].{0,40})?",
    re.IGNORECASE,
)
_LEVELS = {"part": 1, "zh_part": 1, "chapter": 2, "zh_chapter": 2, "section": 3, "zh_section": 3}
_ITEM = re.compile(r"([-*+•·‣▪]|\(?\d{1,3}[.)])[ \t]+\S")
_LONG_LINE = 120
_MAX_HEADING = 120


def read_plain(data: bytes, options: ReadOptions) -> Content:
    """Return the content of a text file.

    Raises:
        Unreadable: it is binary, in an unknown encoding, blank, or too long.
    """
    return structured(checked_text(data, options))


def checked_text(data: bytes, options: ReadOptions) -> str:
    """Return the decoded text of a file whose text is kept as it is.

    Raises:
        Unreadable: see `read_plain`.
    """
    text = decode(data)
    if len(text) > options.max_text_chars:
        raise Unreadable(
            f"has {len(text):,} characters of text, more than {options.max_text_chars:,}: "
            "split it, or raise max_text_chars"
        )
    if not text.strip():
        raise Unreadable("holds nothing but white space: there is nothing to index")
    return text


def structured(text: str) -> Content:
    """Return `text` with the blocks and pages that plain text shows."""
    blocks: list[Block] = []
    pages: list[int] = [0] if "\f" in text else []
    group: list[tuple[int, int]] = []
    for start, end in _lines(text):
        if _stripped(text, start, end) is None:
            blocks.extend(_group_blocks(text, group))
            group = []
        else:
            group.append((start, end))
        if end and text[end - 1] == "\f":
            blocks.extend(_group_blocks(text, group))
            group = []
            if end < len(text):
                pages.append(end)
    blocks.extend(_group_blocks(text, group))
    return Content(text, blocks=tuple(blocks), pages=tuple(pages))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    for match in _LINE.finditer(text):
        if match.end() > match.start():
            yield match.start(), match.end()


def _stripped(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the span without white space at its ends, or None where nothing is left."""
    line = text[start:end]
    bare = line.strip()
    if not bare:
        return None
    lead = len(line) - len(line.lstrip())
    return start + lead, start + lead + len(bare)


def _group_blocks(text: str, group: list[tuple[int, int]]) -> Iterator[Block]:
    """Yield the blocks of lines that no empty line parts."""
    if heading := _heading(text, group):
        yield heading
        group = group[2:]
    if not group:
        return
    long_lines = group[-1][1] - group[0][0] > _LONG_LINE * len(group)
    begun, in_item = 0, _is_item(text, *group[0])
    for number, (start, end) in enumerate(group[1:], 1):
        item = _is_item(text, start, end)
        if item or long_lines or text[start] == "\u3000":
            yield _block(text, group[begun][0], group[number - 1][1], in_item)
            begun, in_item = number, item
    yield _block(text, group[begun][0], group[-1][1], in_item)


def _is_item(text: str, start: int, end: int) -> bool:
    return _ITEM.match(text[start : min(end, start + 80)].lstrip()) is not None


def _block(text: str, start: int, end: int, is_item: bool) -> Block:
    span = _stripped(text, start, end) or (start, end)
    return Block("list", *span, 1) if is_item else Block("paragraph", *span)


def _heading(text: str, group: list[tuple[int, int]]) -> Block | None:
    """Return the heading that a group of lines begins with, where it does: an underlined line, or a chapter's."""
    span = _stripped(text, *group[0]) if group else None
    if span is None or span[1] - span[0] > _MAX_HEADING:
        return None
    if len(group) > 1:
        rule = text[slice(*group[1])].strip()
        if len(rule) >= 3 and rule[0] in "=-~" and rule == rule[0] * len(rule):
            return Block("heading", *span, 1 if rule[0] == "=" else 2)
    elif match := _CHAPTER.fullmatch(text[slice(*span)]):
        return Block("heading", *span, _LEVELS[match.lastgroup or "chapter"])
    return None
