"""Markdown: the source text as it is, its blocks from the line numbers of markdown-it's tokens.

A heading's block is its words, without the marks around them. Comments, link definitions and the front matter
belong to no block.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from indexer.document import Block, BlockKind
from indexer.readers.content import Content
from indexer.readers.front_matter import front_matter
from indexer.readers.options import ReadOptions
from indexer.readers.plain import checked_text

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE_END = re.compile(r"\r\n|\n|\r")
_ATX = re.compile(r"\s*(?:>\s*|[-*+]\s+|\d+[.)]\s+)*#{1,6}(?:[ \t]+|$)")
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
        Unreadable: it is binary, in an unknown encoding, blank, or too long.
    """
    text = checked_text(data, options)
    metadata, body = front_matter(text)
    blocks = _blocks(text, body)
    named = metadata.pop("title", "")
    title = (
        str(named)
        if named
        else next((_words(text, b) for b in blocks if b.kind == "heading" and b.level == 1), "")
    )
    return Content(text, title, tuple(blocks), (), metadata)


def _words(text: str, block: Block) -> str:
    return re.sub(r"[*_`]+", "", text[block.start : block.end]).strip()


def _blocks(text: str, body: int) -> list[Block]:
    """Return the blocks of `text` from offset `body` on."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    starts = [body, *(match.end() for match in _LINE_END.finditer(text, body)), len(text)]
    blocks: list[Block] = []
    depth = 0
    for token in parser.parse(text[body:]):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.map is not None and token.type in _KINDS:
            last = min(token.map[1], len(starts) - 1)
            span = _trimmed(text, starts[token.map[0]], starts[last], token)
            if span[0] < span[1]:
                blocks.append(_block(token, span, depth))
    return blocks


def _trimmed(text: str, start: int, end: int, token: Token) -> tuple[int, int]:
    """Return the token's span without white space at its ends, a heading's without its marks."""
    source = text[start:end]
    if token.type == "html_block" and source.lstrip().startswith("<!--"):
        return start, start
    if token.type == "heading_open":
        if token.markup in ("=", "-"):
            source = source.rstrip()
            source = source[: max(source.rfind("\n"), source.rfind("\r"))]
        elif match := _ATX.match(source):
            start, source = start + match.end(), source[match.end() :]
            source = re.sub(r"(?:^|[ \t]+)#+\s*\Z", "", source)
    end = start + len(source.rstrip())
    kept = source.lstrip("\r\n") if token.type in ("code_block", "fence") else source.lstrip()
    return min(start + len(source) - len(kept), end), end


def _block(token: Token, span: tuple[int, int], depth: int) -> Block:
    kind = _KINDS[token.type]
    if kind == "heading":
        return Block(kind, *span, int(token.tag[1:]))
    if kind == "paragraph" and depth:
        return Block("list", *span, depth)
    return Block(kind, *span)
