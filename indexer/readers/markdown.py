"""Markdown: the source text, its blocks from the line numbers of markdown-it's tokens.

What a page made of it does not show (front matter, comments, scripts, link definitions) is blank: spaces stand in its
place, so that all else keeps the offset that it has in the file. A heading's block is its words, without the
marks around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from indexer.document import Block, BlockKind
from indexer.readers.content import Content, Unreadable
from indexer.readers.front_matter import front_matter
from indexer.readers.options import ReadOptions
from indexer.readers.plain import checked_text

if TYPE_CHECKING:
    from markdown_it.token import Token

_LINE_END = re.compile(r"\r\n|\n|\r")
_ATX = re.compile(r"\s*(?:>\s*|[-*+]\s+|\d+[.)]\s+)*#{1,6}(?:[ \t]+|$)")
_UNSHOWN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
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
    text = checked_text(data, options)
    metadata, body = front_matter(text)
    named = str(metadata.pop("title", ""))
    text, blocks = _structured(text, body)
    if not blocks and not named and not text.strip():
        raise Unreadable("holds only front matter, comments and link definitions: there is nothing to index")
    title = named or next((_words(text, b) for b in blocks if b.kind == "heading" and b.level == 1), "")
    return Content(text, title, tuple(blocks), (), metadata)


def _words(text: str, block: Block) -> str:
    return re.sub(r"[*_`]+", "", text[block.start : block.end]).strip()


def _structured(text: str, body: int) -> tuple[str, list[Block]]:
    """Return `text` with blanks in place of what is not shown, and its blocks, from offset `body` on."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    definitions: dict[str, Any] = {}
    tokens = parser.parse(text[body:], definitions)
    lines = [body, *(match.end() for match in _LINE_END.finditer(text, body)), len(text)]
    text = _blanked(text, [(0, body), *_unshown(text, lines, tokens, definitions)])
    return text, list(_blocks(text, lines, tokens))


def _unshown(
    text: str, lines: Sequence[int], tokens: Sequence[Token], definitions: Mapping[str, Any]
) -> Iterator[tuple[int, int]]:
    """Yield where comments and scripts are that stand as blocks, and link definitions; footnotes are none."""
    for token in tokens:
        if token.type == "html_block" and token.map is not None:
            start, end = _span(lines, token.map)
            yield from (found.span() for found in _UNSHOWN.finditer(text, start, end))
    for label, link in definitions.get("references", {}).items():
        if not label.startswith("^"):
            yield _span(lines, link["map"])
    for link in definitions.get("duplicate_refs", ()):
        if not link["label"].startswith("^"):
            yield _span(lines, link["map"])


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in sorted(spans):
        parts += [text[at:start], re.sub(r"\S", " ", text[max(at, start) : end])]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def _span(lines: Sequence[int], numbers: Sequence[int]) -> tuple[int, int]:
    return lines[numbers[0]], lines[min(numbers[1], len(lines) - 1)]


def _blocks(text: str, lines: Sequence[int], tokens: Sequence[Token]) -> Iterator[Block]:
    depth = 0
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            depth += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            depth -= 1
        elif token.map is not None and token.type in _KINDS:
            span = _trimmed(text, *_span(lines, token.map), token)
            if span[0] < span[1]:
                yield _block(token, span, depth)


def _trimmed(text: str, start: int, end: int, token: Token) -> tuple[int, int]:
    """Return the token's span without white space at its ends, a heading's without its marks."""
    source = text[start:end]
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
