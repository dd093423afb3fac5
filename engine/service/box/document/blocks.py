"""Plain text as it is read: paragraphs, headings and code, each a span of the text, so that nothing is lost or made up.

Nothing here believes that a text is Markdown: where something looks like a heading or like code it is shown as such,
and what does not is a paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["text", "lines", "heading", "code"]
"""`text` may be wrapped anew, the line breaks of `lines` and `code` are kept."""

_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FRONT = re.compile(
    r"---[ \t]*\n(?:[\w.-]+[ \t]*:.*\n)(?:(?:[\w.-]+[ \t]*:.*|[ \t#-].*)?\n)*?---[ \t]*(?:\n|\Z)"
)
_HEADING = re.compile(r"(#{1,6})[ \t]+(?=\S)")
_INDENTED = re.compile(r"(?: {4}|\t)\s*\S")
_CODE = re.compile(r"\s*(?:\|.*\||>>> |\.\.\. |\$ )")
_WIDTH = range(40, 121)  # of lines that somebody's editor has broken


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text that belongs together.

    Args:
        kind: How it is shown.
        start: First character, counted as the caller counts; what marks a heading or a fence is not in it.
        end: One past the last.
        level: Of a heading: 1 for the highest; otherwise 0.
    """

    kind: Kind
    start: int
    end: int
    level: int = 0


@dataclass(slots=True)
class _Line:
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text.rstrip())


def blocks(text: str, offset: int = 0) -> tuple[Block, ...]:
    """Return the blocks of a text, in order; between them is white space, and the marks of headings and fences.

    What a Markdown file says of itself before its text is not in any: it is metadata, and shown as that.

    Args:
        text: The text.
        offset: Where it begins.
    """
    front = _FRONT.match(text) if not offset else None
    skipped = front.end() if front else 0
    return tuple(_merged(_blocks(_lines(text[skipped:], offset + skipped))))


def _lines(text: str, offset: int) -> Iterator[_Line]:
    for match in _LINE.finditer(text):
        if match.group():
            yield _Line(match.group(), offset + match.start())


def _blocks(lines: Iterator[_Line]) -> Iterator[Block]:
    group: list[_Line] = []
    fence, fenced = "", list[_Line]()
    for line in lines:
        opening = _FENCE.match(line.text)
        if fence:
            if opening and opening[1].startswith(fence) and not line.text[opening.end() :].strip():
                yield from _code(fenced)
                fence, fenced = "", []
            else:
                fenced.append(line)
            continue
        heading = _HEADING.match(line.text)
        if opening or heading or not line.text.strip():
            yield from _paragraph(group)
            group = []
        if opening:
            fence = opening[1]
        elif heading:
            yield Block("heading", line.start + heading.end(), line.end, len(heading[1]))
        elif line.text.strip():
            group.append(line)
    yield from _code(fenced)
    yield from _paragraph(group)


def _code(lines: Sequence[_Line]) -> Iterator[Block]:
    full = [at for at, line in enumerate(lines) if line.text.strip()]
    if full:
        yield Block("code", lines[full[0]].start, lines[full[-1]].end)


def _paragraph(lines: Sequence[_Line]) -> Iterator[Block]:
    if not lines:
        return
    if all(_INDENTED.match(line.text) for line in lines) or all(_CODE.match(line.text) for line in lines):
        yield from _code(lines)
        return
    start = lines[0].start + len(lines[0].text) - len(lines[0].text.lstrip())
    yield Block("text" if _wrapped([line.text for line in lines]) else "lines", start, lines[-1].end)


def _wrapped(lines: Sequence[str]) -> bool:
    """Return whether lines are one text that was broken to a width: no next line's first word would have fitted."""
    if len(lines) == 1:
        return True
    said = [line.rstrip() for line in lines]
    width = max(map(len, said))
    if width not in _WIDTH:
        return False
    return all(
        len(line) + 1 + len(after.split(maxsplit=1)[0]) > width and not after[:1].isspace()
        for line, after in pairwise(said)
    )


def _merged(found: Iterator[Block]) -> Iterator[Block]:
    """Yield blocks, pieces of code that only an empty line parts made one."""
    last: Block | None = None
    for block in found:
        if last is not None and last.kind == block.kind == "code" and block.start - last.end < 12:
            last = Block("code", last.start, block.end)
            continue
        if last is not None:
            yield last
        last = block
    if last is not None:
        yield last
