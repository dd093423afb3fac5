"""Plain text: decoded, its pages by form feeds; its blocks are those that `indexer.structure` finds.

The text is kept as it is, so that offsets lead back to the file.
"""

from __future__ import annotations

import re
from dataclasses import replace

from indexer.readers.content import Content, Unreadable
from indexer.readers.decode import decode
from indexer.readers.options import ReadOptions
from indexer.structure import plain_blocks

_RULE = re.compile(r"[ \t]*(?:\r\n|\n|\r)[ \t]*={3}")


def read_plain(data: bytes, options: ReadOptions) -> Content:
    """Return the content of a text file.

    Raises:
        Unreadable: it is binary, in an unknown encoding, blank, or too long.
    """
    content = structured(checked_text(data, options))
    return replace(content, title=_title(content))


def _title(content: Content) -> str:
    """Return the first line, where it is underlined as a title is."""
    first = next(iter(content.blocks), None)
    underlined = first is not None and first.kind == "heading" and _RULE.match(content.text, first.end)
    return " ".join(content.text[first.start : first.end].split()) if first and underlined else ""


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
    """Return `text` with the blocks that plain text shows, and a page up to each form feed."""
    starts = [found.end() for found in re.finditer("\f", text) if found.end() < len(text)]
    pages = (0, *starts) if "\f" in text else ()
    return Content(text, blocks=tuple(plain_blocks(text)), pages=pages)
