"""What can go wrong while indexing.

    IndexingError
    ├── CorpusFormatError      a record or file that cannot be read; names path and line
    ├── InvalidDocument        a Document built with impossible values
    ├── InvalidFilter          a filter on an unknown field, or a value of the wrong type
    ├── InvalidSettings        a setting outside its range
    ├── IndexNotFound          nothing that looks like an index at the path
    ├── IndexExists            an index is already at the path
    ├── IndexCorrupt           a store fails its checksum or an invariant; names the store
    ├── IndexVersionMismatch   written by a newer or unsupported format version, or kept by such a server
    ├── FingerprintMismatch    written with another analyser or encoder; names both
    ├── IndexLocked            another writer is at work; names it
    ├── IndexFull              the disk is full; what was committed is safe
    ├── IndexUnavailable       the cluster that holds the index does not answer, or cannot now
    ├── IndexChanged           what a reader read is gone from the cluster: take a new reader and ask again
    └── ModelError             an encoder that cannot be found, read or run
        └── ModelNotFound      not at a path, in a package, in the cache, or on the hub

Every message says what was found, what was expected, and what to do.
"""

from __future__ import annotations

from pathlib import Path


class IndexingError(Exception):
    """Root of every error that this package raises."""


class CorpusFormatError(IndexingError):
    """A corpus file is not in the format that it claims.

    Args:
        path: The file.
        line: Its line, counted from 1, or None where lines mean nothing.
        reason: What was found, what was expected, and what to do.
    """

    def __init__(self, path: str | Path, line: int | None, reason: str) -> None:
        self.path = Path(path)
        self.line = line
        self.reason = reason
        where = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{where}: {reason}")


class InvalidDocument(IndexingError):
    """A Document was built with values that cannot be indexed."""


class InvalidFilter(IndexingError):
    """A filter names a field that no document has, or compares it with the wrong type."""


class InvalidSettings(IndexingError):
    """A setting is outside its range."""


class IndexNotFound(IndexingError):
    """There is no index at the path."""


class IndexExists(IndexingError):
    """There is an index at the path already."""


class IndexCorrupt(IndexingError):
    """A store of the index is damaged beyond what can be rebuilt from the others."""


class IndexVersionMismatch(IndexingError):
    """The index was written in a format version, or is kept by a server, that this release cannot work with."""


class FingerprintMismatch(IndexingError):
    """The index was made with another analyser or encoder.

    Args:
        part: `analyser` or `encoder`.
        stored: The fingerprint in the index.
        given: The fingerprint of what was to open it.
    """

    def __init__(self, part: str, stored: str, given: str) -> None:
        self.part = part
        self.stored = stored
        self.given = given
        super().__init__(
            f"the index was made with {part} {stored}, and was to be opened with {given}: "
            f"open it with the {part} it was made with, or index the documents again"
        )


class IndexLocked(IndexingError):
    """Another writer holds the index."""


class IndexFull(IndexingError):
    """The disk is full. What was committed before is safe."""


class IndexUnavailable(IndexingError):
    """The cluster that holds the index does not answer, or says that it cannot now; later it may.

    Args:
        message: Which cluster, what happened, and what to do.
        retry_after: In how many seconds it makes sense to ask again, where that is known.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class IndexChanged(IndexingError):
    """The generation that a reader read is gone from the cluster: a new reader answers the same question."""


class ModelError(IndexingError):
    """An encoder's files cannot be read or run."""


class ModelNotFound(ModelError):
    """An encoder is nowhere to be found."""
