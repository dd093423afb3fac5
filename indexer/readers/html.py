"""HTML: the main content of a page as text, with its headings, lists, tables and code as blocks.

Parsed by lexbor (selectolax), as a browser would. `html_main` chooses the content, `html_blocks` renders it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from indexer.document import MetadataValue
from indexer.readers.content import Content, TextBuilder, Unreadable
from indexer.readers.dates import to_date
from indexer.readers.decode import decode
from indexer.readers.html_blocks import plain_text, render
from indexer.readers.html_main import find_main
from indexer.readers.options import ReadOptions

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_DEPTH = 2_000
_MAX_ATTRIBUTES = 2_000

_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE)
# Elements whose nesting costs the parser quadratic time, and whose end tags are not left out.
_DEEP = re.compile(
    r"<(/?)(?:div|ul|ol|dl|section|article|blockquote|main|aside|center|pre|details|menu)\b", re.IGNORECASE
)
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{16000,}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_AUTHOR = ("author", "dc.creator", "dc.author", "article:author", "citation_author")
_DATE = (
    "article:published_time",
    "date",
    "dc.date",
    "dc.date.issued",
    "dcterms.date",
    "citation_publication_date",
    "pubdate",
)


def read_html(data: bytes, options: ReadOptions) -> Content:
    """Return the content of an HTML page.

    Raises:
        Unreadable: it is binary, nested so deep that only an attack would be, without text, or too long.
    """
    tree = parse(decode(data, declared_charset(data)))
    builder = TextBuilder(options.max_text_chars)
    body = tree.body
    if body is not None:
        root, skip = find_main(body)
        render(root, skip, builder)
    if not builder.length:
        raise Unreadable("is a page without text: there is nothing to index")
    text = builder.text()
    headings = [
        text[block.start : block.end]
        for block in builder.blocks
        if block.kind == "heading" and block.level == 1
    ]
    return Content(text, _title(tree, headings), tuple(builder.blocks), (), _metadata(tree))


def declared_charset(data: bytes) -> str | None:
    """Return the encoding that the head of a page names."""
    match = _CHARSET.search(data[:4096])
    return match.group(1).decode("ascii") if match else None


def parse(source: str) -> LexborHTMLParser:
    """Parse a page.

    Raises:
        Unreadable: it is nested thousands of elements deep, or has an element of thousands of attributes.
    """
    from selectolax.lexbor import LexborHTMLParser

    depth = 0
    for match in _DEEP.finditer(source):
        depth = max(depth - 1, 0) if match.group(1) else depth + 1
        if depth > MAX_DEPTH:
            raise Unreadable(
                f"is nested more than {MAX_DEPTH:,} elements deep: it looks made to break readers"
            )
    for match in _LONG_TAG.finditer(source):
        if len(_QUOTED.sub("", match.group()).split()) > _MAX_ATTRIBUTES:
            raise Unreadable(
                f"has an element of more than {_MAX_ATTRIBUTES:,} attributes: it looks made to break readers"
            )
    return LexborHTMLParser(source.encode("utf-8", errors="replace"))


def _title(tree: LexborHTMLParser, headings: list[str]) -> str:
    """Return the page's title: its only h1 where <title> merely adds the site's name to it, else <title>."""
    node = tree.css_first("head > title") or tree.css_first("title")
    title = " ".join(plain_text(node).split()) if node is not None else ""
    first = " ".join(headings[0].split()) if headings else ""
    if first and (not title or first.casefold() in title.casefold()):
        return first
    return title


def _metadata(tree: LexborHTMLParser) -> dict[str, MetadataValue]:
    metadata: dict[str, MetadataValue] = {}
    root = tree.root
    language = (root.attributes.get("lang") or root.attributes.get("xml:lang")) if root is not None else None
    if language:
        metadata["language"] = language.strip()
    found: dict[str, str] = {}
    for node in tree.css("meta"):
        name, content = _name(node), (node.attributes.get("content") or "").strip()
        if name and content:
            found.setdefault(name, content)
    if author := next((found[name] for name in _AUTHOR if name in found), None):
        metadata["author"] = author
    if written := next((day for name in _DATE if name in found and (day := to_date(found[name]))), None):
        metadata["date"] = written
    return metadata


def _name(node: LexborNode) -> str:
    attributes = node.attributes
    return (attributes.get("name") or attributes.get("property") or "").strip().lower()
