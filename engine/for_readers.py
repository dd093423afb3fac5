"""What an engine does for readers besides answering queries: remember, show, forget, and sum up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from engine.around_search import AroundSearch
from engine.readership import Readership
from indexer.filters import filter_from_json

if TYPE_CHECKING:
    from engine.event import Event
    from engine.personal.history import Forgotten, Recorded
    from engine.personal.interests import Interests
    from engine.personal.readers import Readers
    from engine.recommendations import Recommendations
    from engine.summary import Keyphrase, Summariser, Summary
    from indexer.filters import Filter

SUMMARY_LENGTH = 600


class ForReaders(AroundSearch):
    """The part of `SearchEngine` that knows readers and sums up documents."""

    _readership: Readership

    @property
    def readers(self) -> Readers:
        """What readers did, declared and turned off: of this engine's tenant.

        Raises:
            SearchError: the index has no place for readers, or the store cannot be opened.
        """
        return self._readership.store

    def record(self, events: Iterable[Event]) -> Recorded:
        """Remember what readers did; the next search of each of them counts it.

        Raises:
            SearchError: the store cannot be written.
        """
        return self.readers.add(events)

    def interests(self, user_id: str) -> Interests | None:
        """Return what a reader is interested in, as the next search of theirs counts it; None for an unknown reader.

        Raises:
            SearchError: the store cannot be read.
        """
        return self._answered(lambda: self._readership.interests(user_id, self._current().reader))

    def forget(self, user_id: str) -> Forgotten:
        """Erase a reader: everything that the store holds of them, and what this engine made of it.

        Raises:
            SearchError: the store cannot be written.
        """
        self._readership.drop(user_id)
        return self.readers.forget(user_id)

    def recommend(
        self,
        user_id: str,
        k: int = 10,
        *,
        filters: Filter | Mapping[str, object] | None = None,
        diversity: float | None = None,
        include_read: bool = False,
    ) -> Recommendations:
        """Return documents that a reader may want to read next, with no query; each says what it rests on.

        Of a reader of whom nothing is known the list has what most readers read, then what is newest, and says so.

        Args:
            user_id: Who.
            k: How many.
            filters: Which documents may come: a Filter, or its JSON form.
            diversity: From 0 (each for itself) to 1: how much less a document is worth for being like those above it;
                None for a little (`engine.recommend.DIVERSITY`).
            include_read: Whether documents that the reader has met may come again; those they hid or disliked
                never do.

        Raises:
            InvalidQuery: `k`, the filters or the diversity cannot be used.
            SearchError: the store cannot be read.
        """
        from engine.recommend import DIVERSITY, Past, recommend

        past = Past(
            self.interests(user_id),
            self.readers if self._readership.known else None,
            self._readership.settings.dislikes,
        )

        def answer() -> Recommendations:
            return recommend(
                self._current().reader,
                user_id,
                past,
                k,
                filters=filter_from_json(filters) if isinstance(filters, Mapping) else filters,
                diversity=DIVERSITY if diversity is None else diversity,
                include_read=include_read,
            )

        return self._answered(answer)

    def summarise(
        self,
        doc_id: str,
        *,
        query: str = "",
        user_id: str | None = None,
        length: int = SUMMARY_LENGTH,
        sentences: int | None = None,
    ) -> Summary:
        """Return the sentences of a document that together say most of it, or most of what a query asks.

        Args:
            doc_id: Which document.
            query: What the summary is to answer; empty for the whole document.
            user_id: Whose interests it leans to; None for nobody's.
            length: Characters that the sentences may have together.
            sentences: How many there may be at most; None for as many as fit.

        Raises:
            NoSuchDocument: there is no such document.
            InvalidQuery: `length` or `sentences` cannot be used.
        """
        interests = None if user_id is None else self.interests(user_id)
        return self._answered(
            lambda: self._summariser.summarise(
                self._current(),
                doc_id,
                query=query,
                tilt=None if interests is None else interests.vectors,
                length=length,
                sentences=sentences,
            )
        )

    def keyphrases(self, doc_ids: Sequence[str], n: int = 8) -> tuple[Keyphrase, ...]:
        """Return the phrases that name some documents together, best first.

        Raises:
            InvalidQuery: `n` cannot be used.
            NoSuchDocument: the index has none of the documents.
        """
        return self._answered(lambda: self._summariser.keyphrases(self._current(), doc_ids, n))

    @cached_property
    def _summariser(self) -> Summariser:
        from engine.summary import Summariser

        return Summariser(self._encoder.loaded)
