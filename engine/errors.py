"""What can go wrong while searching.

    SearchError                  500
    ├── InvalidQuery             422  a query, filter, k or facet that cannot be answered; may carry a suggestion
    │   ├── InvalidCursor        422  a page token that is damaged, or belongs to another query
    │   └── NoSuchDocument       404  an id that no document of the index has
    ├── InvalidEvent             422  an event of a log that cannot be used (engine.event)
    ├── InvalidSearchSettings    422  a setting outside its range
    ├── InvalidProfileChange     422  a reader's id, a tenant, or what a reader asks of the profile, that cannot be used
    ├── NothingToLearn           422  clicks that tell no document from another (engine.personal.fitting)
    ├── ReaderStoreError         500  the file or index of readers is damaged, not one, or cannot be written
    │   └── ReaderStoreBusy      503  another process is at work in it
    ├── IndexOpenError           500  the index cannot be opened or read
    │   └── NoSuchIndex          404  nothing that looks like an index at the path
    ├── BackendUnavailable       503  the index or the encoder cannot answer now
    └── SearchCancelled          499  the caller gave up before the answer was ready

`status` is the HTTP status that a service answers with. Errors of the indexer are translated at this
package's border by `translated()`; `__cause__` keeps the original.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from indexer import errors as indexing


class SearchError(Exception):
    """Root of every error that this package raises."""

    status: ClassVar[int] = 500


class InvalidQuery(SearchError):
    """The question cannot be answered as it was put.

    Args:
        message: What was found, what was expected, and what to do.
        suggestion: What was probably meant, or the empty string.
    """

    status: ClassVar[int] = 422

    def __init__(self, message: str, suggestion: str = "") -> None:
        self.suggestion = suggestion
        super().__init__(message)


class InvalidCursor(InvalidQuery):
    """A page token is damaged, or was given out for another query, filter or settings."""


class NoSuchDocument(InvalidQuery):
    """The index has no document of this id."""

    status: ClassVar[int] = 404


class InvalidSearchSettings(SearchError):
    """A search setting is of the wrong type or outside its range."""

    status: ClassVar[int] = 422


class IndexOpenError(SearchError):
    """The index cannot be opened or read."""


class NoSuchIndex(IndexOpenError):
    """There is no index at the path."""

    status: ClassVar[int] = 404


class InvalidProfileChange(SearchError):
    """A reader's id, a tenant's name, or a change that a reader asks for, cannot be used."""

    status: ClassVar[int] = 422


class ReaderStoreError(SearchError):
    """What keeps what readers did, a file or an index, is damaged, is something else, or cannot be written."""


class ReaderStoreBusy(ReaderStoreError):
    """Another process is at work on what is kept of readers; the same may be done later."""

    status: ClassVar[int] = 503


class BackendUnavailable(SearchError):
    """The index or the encoder cannot answer now; the same question may be answered later."""

    status: ClassVar[int] = 503


class SearchCancelled(SearchError):
    """The caller gave up before the answer was ready."""

    status: ClassVar[int] = 499


TRANSLATION: dict[type[indexing.IndexingError], type[SearchError]] = {
    indexing.IndexingError: SearchError,
    indexing.CorpusFormatError: SearchError,
    indexing.InvalidDocument: SearchError,
    indexing.InvalidFilter: InvalidQuery,
    indexing.InvalidSettings: InvalidSearchSettings,
    indexing.IndexNotFound: NoSuchIndex,
    indexing.IndexExists: IndexOpenError,
    indexing.IndexCorrupt: IndexOpenError,
    indexing.IndexVersionMismatch: IndexOpenError,
    indexing.FingerprintMismatch: IndexOpenError,
    indexing.IndexLocked: BackendUnavailable,
    indexing.IndexFull: BackendUnavailable,
    indexing.IndexUnavailable: BackendUnavailable,
    indexing.IndexChanged: BackendUnavailable,
    indexing.ModelError: BackendUnavailable,
    indexing.ModelNotFound: BackendUnavailable,
}
"""Which search error stands for which indexing error; a test holds that none is missing."""


def search_error(error: indexing.IndexingError) -> SearchError:
    """Return the search error that stands for an indexing error, with the same message."""
    for kind in type(error).__mro__:
        if kind in TRANSLATION:
            return TRANSLATION[kind](str(error))
    return SearchError(str(error))


@contextmanager
def translated() -> Iterator[None]:
    """Turn indexing errors raised inside into search errors."""
    try:
        yield
    except indexing.IndexingError as error:
        raise search_error(error) from error
