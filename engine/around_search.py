"""What an engine does around a search: complete what is typed, mark and open what was found, show what is like it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from engine.errors import InvalidQuery
from engine.meaning import QueryEncoder
from engine.per_generation import PerGeneration
from engine.query import as_query, check_k
from engine.snapshot import Snapshot
from indexer.filters import Filter, filter_from_json
from indexer.protocol import IndexReader

if TYPE_CHECKING:
    from engine.completion import Completion, Completions
    from engine.document_text import DocumentText
    from engine.likeness import DocumentMatrix
    from engine.marking import Marker, Marks
    from engine.query import Query
    from engine.ranking import Hit
    from engine.similar import Similar

Answer = TypeVar("Answer")


class AroundSearch(ABC):
    """The part of `SearchEngine` that a page needs before a search, and after it."""

    _encoder: QueryEncoder

    def _prepare_around(self) -> None:
        """Make room for what is made of a generation: before there are threads, so that all of them share it."""
        self._document_vectors: PerGeneration[DocumentMatrix] = PerGeneration(_matrix_of)
        self._completions: PerGeneration[Completions] = PerGeneration(_completions_of)

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

    def similar(
        self, doc_id: str, *, k: int = 10, filters: Filter | Mapping[str, object] | None = None
    ) -> Similar:
        """Return the documents most like a given one, never itself; each says how near it is and what both are about.

        Args:
            doc_id: Which document.
            k: How many; fewer come back only when fewer are like it at all.
            filters: Which documents may come: a Filter, or its JSON form.

        Raises:
            NoSuchDocument: there is no such document.
            InvalidQuery: `k` or the filters cannot be used.
        """
        from engine.likeness import similar_documents

        def answer() -> Similar:
            chosen = filter_from_json(filters) if isinstance(filters, Mapping) else filters
            return similar_documents(self._current(), self._document_vectors, doc_id, k, chosen)

        return self._answered(answer)

    def complete(self, text: str, *, k: int = 8) -> tuple[Completion, ...]:
        """Return up to k queries that a text may become as it is typed, each with something to find.

        The first call makes what this needs of the index's titles and headings, which takes seconds for a large one:
        `prepare_completions` does it beforehand. After `refresh` found a newer generation it is made again; where that
        takes more than a second, the titles of the generation before are good enough for forty times as long.

        Args:
            text: What was typed so far. A word at its end is begun, unless a space or the like follows it.
            k: How many.

        Raises:
            InvalidQuery: `text` is no string, or `k` cannot be used.
        """
        if not isinstance(text, str):
            raise InvalidQuery(f"what is completed is a string, found {type(text).__name__}")
        check_k(k)
        return self._answered(lambda: self._completions.at_hand(self._current().reader)).complete(text, k)

    def prepare_completions(self) -> bool:
        """Make what `complete` needs of the current generation; until then it answers from the one before.

        For a thread in the background, at the start and again and again: it does nothing where there is nothing new, or
        where the last time took more than a second and twenty times as long has not gone by since.

        Returns:
            Whether it was made.
        """
        return self._answered(lambda: self._completions.renew(self._current().reader))

    def mark(self, query: str | Query, hits: Sequence[Hit], *, characters: int | None = None) -> Marks:
        """Return for each hit, for each of its passages, the sentence of the snippet that says most of what is asked.

        None where no sentence stands out by its meaning (`engine.marking` says when one does), and where a snippet was
        not looked at: the first passages of all hits are, then the second ones, up to so many characters.

        Args:
            query: What was asked.
            hits: Of an answer to it.
            characters: How much to read at most; None for `engine.marking.MOST_CHARACTERS`, which takes some 60 ms.

        Raises:
            InvalidQuery: the query or `characters` cannot be used.
            IndexOpenError: the encoder is not the one that the index was made with.
        """
        from engine.marking import MOST_CHARACTERS

        asked = as_query(query)
        most = check_k(MOST_CHARACTERS if characters is None else characters)
        return self._answered(lambda: self._marker.mark(self._current(), asked, hits, most))

    @cached_property
    def _marker(self) -> Marker:
        from engine.marking import Marker

        return Marker(self._encoder)


def _matrix_of(reader: IndexReader) -> DocumentMatrix:
    from engine.likeness import matrix_of

    return matrix_of(reader)


def _completions_of(reader: IndexReader) -> Completions:
    from engine.completion import build_completions

    return build_completions(reader)
