"""Markdown: the source text, its blocks from the line numbers of markdown-it's tokens.

What a page made of it does not show is blank (`markdown_shown`): all else keeps the offset that it has in the file.
A heading's block is its words, without the marks around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from indexer.document import Block, BlockKind
from indexer.readers.content import Content, Unreadable
from indexer.readers.front_matter import front_matter
from indexer.readers.markdown_shown import definitions, shown_html, shown_inline, without
from indexer.readers.options import ReadOptions
from indexer.readers.plain import checked_text

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE_END = re.compile(r"\r\n|\n|\r")
_ATX = re.compile(r"\s*(?:>\s*|[-*+]\s+|\d+[.)]\s+)*#{1,6}(?:[ \t]+|$)")
_HTML_HEADING = re.compile(r"<h([1-6])\b[^<>]*>(.{0,2000}?)</h\1\s*>", re.DOTALL | re.IGNORECASE)
_MARKS = re.compile(r"\\(?P<char>[!-/:-@\[-`{-~])|(`+)(?P<code>.*?)\2|\*+|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
_MAX_NESTING = 100
_KINDS: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "html_block": "paragraph",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
}


def read_markdown(data: bytes, options: ReadOptions) -> Content:
    """Return the content of a Markdown file (CommonMark with tables).

    Raises:
        Unreadable: it is binary, in an unknown encoding, blank, too long, or of comments only.
    """
    source = checked_text(data, options)
    metadata, body = front_matter(source)
    named = str(metadata.pop("title", ""))
    text, blocks = _structured(source, body)
    if not named and not text.strip():
        raise Unreadable("holds only front matter, comments and pictures: there is nothing to index")
    return Content(text, named or _title(text, blocks), tuple(blocks), (), metadata)


def _title(text: str, blocks: Sequence[Block]) -> str:
    """Return the words of the first heading of level 1, if it is the only one or nothing stands before it."""
    titles = [block for block in blocks if block.kind == "heading" and block.level == 1]
    return _words(text, titles[0]) if len(titles) == 1 or (titles and titles[0] == blocks[0]) else ""


def _words(text: str, block: Block) -> str:
    words = " ".join(text[block.start : block.end].split())
    return _MARKS.sub(lambda found: found["char"] or found["code"] or "", words).strip()


def _structured(source: str, body: int) -> tuple[str, list[Block]]:
    """Return `source` with blanks in place of what is not shown, and its blocks, from offset `body` on."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    environment: dict[str, Any] = {}
    tokens = parser.parse(source[body:], environment)
    lines = [body, *(match.end() for match in _LINE_END.finditer(source, body)), len(source)]
    defined = definitions(environment)
    text = without(source, [(0, body), *(_span(lines, span) for spans in defined.values() for span in spans)])
    parts, at = [], 0
    for token in tokens:
        if token.map is not None and _KINDS.get(token.type, "code") != "code":
            start, end = _span(lines, token.map)
            is_html = token.type == "html_block"
            shown = shown_html(text[start:end]) if is_html else shown_inline(text[start:end], defined)
            parts += [text[at:start], shown]
            at = end
    text = "".join([*parts, text[at:]])
    return text, list(_blocks(source, text, lines, tokens))


def _span(lines: Sequence[int], numbers: Sequence[int]) -> tuple[int, int]:
    return lines[numbers[0]], lines[min(numbers[1], len(lines) - 1)]


def _blocks(source: str, text: str, lines: Sequence[int], tokens: Sequence[Token]) -> Iterator[Block]:
    depth = 0
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.map is not None and token.type in _KINDS:
            start, end = _span(lines, token.map)
            if token.type == "html_block":
                for found in _HTML_HEADING.finditer(source, start, end):
                    yield from _filled("paragraph", _bare(text, start, found.start()))
                    yield from _filled("heading", _bare(text, *found.span(2)), int(found[1]))
                    start = found.end()
            level = depth
            if token.type == "heading_open":
                start, end, level = *_without_marks(text, start, end, token.markup), int(token.tag[1:])
            kind = _KINDS[token.type]
            yield from _filled(
                "list" if kind == "paragraph" and depth else kind,
                _bare(text, start, end, "\r\n" if kind == "code" else None),
                level if kind in ("heading", "paragraph") else 0,
            )


def _without_marks(text: str, start: int, end: int, markup: str) -> tuple[int, int]:
    """Return where the words of a heading are."""
    source = text[start:end]
    if markup in ("=", "-"):
        source = source.rstrip()
        source = source[: max(source.rfind("\n"), source.rfind("\r"))]
    elif match := _ATX.match(source):
        start, source = start + match.end(), source[match.end() :]
        source = re.sub(r"(?:^|[ \t]+)#+\s*\Z", "", source)
    return start, start + len(source)


def _bare(text: str, start: int, end: int, edges: str | None = None) -> tuple[int, int]:
    """Return a span without white space at its end, nor these characters (or any white space) at its beginning."""
    source = text[start:end].rstrip()
    return start + len(source) - len(source.lstrip(edges)), start + len(source)


def _filled(kind: BlockKind, span: tuple[int, int], level: int = 0) -> Iterator[Block]:
    if span[0] < span[1]:
        yield Block(kind, *span, level)
