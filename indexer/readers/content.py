"""What a format's reader hands back, and the builder that makes text and blocks together.

`Content` is a document without a name; `TextBuilder` is how formats whose text is rendered (HTML, DOCX, EPUB,
PDF, reStructuredText) write it; `Unreadable` is how any of them says why not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.document import Block, BlockKind, MetadataValue
from indexer.errors import IndexingError


class Unreadable(IndexingError):
    """A file cannot be read. Its message is the reason, without the file's name."""


@dataclass(frozen=True, slots=True)
class Content:
    """What was found in one file.

    Args:
        text: Its text.
        title: Its title, or the empty string where the format names none.
        blocks: Its structure, ordered, not overlapping.
        pages: Where each page starts.
        metadata: Author, date, language and the like.
    """

    text: str
    title: str = ""
    blocks: tuple[Block, ...] = ()
    pages: tuple[int, ...] = ()
    metadata: dict[str, MetadataValue] = field(default_factory=dict)


class TextBuilder:
    """Collects blocks into one text: an empty line between blocks, one line break between list items.

    Args:
        max_chars: The most characters that the text may have.
    """

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []
        self._pages: list[int] = []
        self._pages_due = 0

    def add(self, kind: BlockKind, text: str, level: int = 0) -> None:
        """Append a block, or nothing when `text` is blank.

        Raises:
            Unreadable: the text has grown past the limit.
        """
        self.add_across_pages(kind, [text], level)

    def add_across_pages(self, kind: BlockKind, pieces: list[str], level: int = 0) -> None:
        """Append one block; each of `pieces` after the first begins a new page."""
        stripped = self._stripped(kind, pieces)
        if not any(stripped):
            self._pages_due += len(pieces) - 1
            return
        if self._length:
            both_items = kind == "list" and self.blocks[-1].kind == "list"
            self._append("\n" if both_items else "\n\n")
        start = self._length
        self._pages.extend([start] * self._pages_due)
        self._pages_due = 0
        for number, piece in enumerate(stripped):
            if number:
                self._pages.append(self._length)
            self._append(piece)
        self.blocks.append(Block(kind, start, self._length, level))

    def begin_page(self) -> None:
        """Say that the next block is the first of a new page."""
        self._pages_due += 1

    def pages(self) -> tuple[int, ...]:
        """Return where each page starts; pages of no text start where the next text does."""
        return (*self._pages, *[self._length] * self._pages_due)

    def _stripped(self, kind: BlockKind, pieces: list[str]) -> list[str]:
        edges = "\n\r" if kind == "code" else " \t\n\r\f\v"
        whole = "".join(pieces)
        if not whole.strip():
            return [""]
        first, last = len(whole) - len(whole.lstrip(edges)), len(whole.rstrip(" \t\n\r\f\v"))
        cut, at = [], 0
        for piece in pieces:
            cut.append(piece[max(first - at, 0) : max(last - at, 0)])
            at += len(piece)
        return cut

    def _append(self, text: str) -> None:
        self._length += len(text)
        if self._length > self._max_chars:
            raise Unreadable(
                f"has more than {self._max_chars:,} characters of text: split it, or raise max_text_chars"
            )
        self._parts.append(text)

    @property
    def length(self) -> int:
        """How many characters have been written."""
        return self._length

    def text(self) -> str:
        """Return all that was written."""
        return "".join(self._parts)
