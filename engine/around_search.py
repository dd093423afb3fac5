"""What an engine does around a search: open a document where it was found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from engine.meaning import QueryEncoder
from engine.snapshot import Snapshot

if TYPE_CHECKING:
    from engine.document_text import DocumentText

Answer = TypeVar("Answer")


class AroundSearch(ABC):
    """The part of `SearchEngine` that a page needs before a search, and after it."""

    _encoder: QueryEncoder

    @abstractmethod
    def _current(self) -> Snapshot:
        """Return the generation of the index that is searched."""

    @abstractmethod
    def _answered(self, answer: Callable[[], Answer]) -> Answer:
        """Return an answer from the index, its errors translated."""

    def document(self, doc_id: str, *, start: int = 0, end: int | None = None) -> DocumentText:
        """Return a stretch of a document's text, with what is known of it and the passages there.

        Args:
            doc_id: Which document.
            start: The first character wanted; offsets outside the text are clamped to it.
            end: One past the last; None for as far as one answer goes, `engine.document_text.LONGEST_TEXT`
                characters.

        Raises:
            NoSuchDocument: there is no such document.
            InvalidQuery: `start` or `end` is no whole number.
        """
        from engine.document_text import read_document

        return self._answered(lambda: read_document(self._current().reader, doc_id, start=start, end=end))
