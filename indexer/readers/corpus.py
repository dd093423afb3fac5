"""The corpus: files and folders in, documents and failures out. Nothing here raises for what a file holds."""

from __future__ import annotations

import io
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

from indexer.document import MAX_DOC_ID, Document, ReadFailure
from indexer.errors import InvalidDocument
from indexer.readers.archive import GuardedGzip, gunzip
from indexer.readers.beir import corpus_file, read_beir
from indexer.readers.content import Unreadable
from indexer.readers.formats import DOCUMENTS, RECORDS, UNREAD_DOCUMENTS, Reader, stem_of, suffix_of
from indexer.readers.jsonl import read_jsonl
from indexer.readers.options import ReadOptions
from indexer.readers.sniff import sniffed
from indexer.readers.table import read_table
from indexer.readers.walk import Found, walk
from indexer.sharding import WHOLE, Shard

_BUFFER = 1 << 20
_MAX_TITLE = 1000


def read_corpus(
    path: str | Path | Sequence[str | Path], options: ReadOptions | None = None, shard: Shard = WHOLE
) -> CorpusReader:
    """Read a file, a folder, or several of them.

    A file's `doc_id` is its path relative to the root that was given, with `/` between the parts (a file given by
    itself: its name); a record's is its own. Files of many records are streamed.

    Args:
        path: What to read. A folder is walked as `walk.walk` says.
        options: How; the defaults where None.
        shard: Leave out, unopened, the files of one document each that are not of this shard. Records come all the
            same, since their ids are inside.

    Returns:
        An iterator of documents, and of failures for what could not be read: a missing path, a damaged file, a
        malformed line. After it, `skipped` counts the files of other kinds.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    return CorpusReader([Path(each) for each in paths], options or ReadOptions(), shard)


class CorpusReader(Iterator[Document | ReadFailure]):
    """The documents of a corpus, one after the other.

    Args:
        roots: Files and folders.
        options: How they are read.
        shard: Which of the files of one document each to read.
    """

    def __init__(self, roots: Sequence[Path], options: ReadOptions, shard: Shard = WHOLE) -> None:
        self._options = options
        self._shard = shard
        self._skipped: Counter[str] = Counter()
        self._names: set[str] | None = set() if len(roots) > 1 else None
        self._items = self._read(roots)

    def __iter__(self) -> CorpusReader:
        return self

    def __next__(self) -> Document | ReadFailure:
        return next(self._items)

    @property
    def skipped(self) -> Mapping[str, int]:
        """Files passed over so far because they are of no kind that is read: suffix (or other reason) to count."""
        return MappingProxyType(self._skipped)

    def _read(self, roots: Sequence[Path]) -> Iterator[Document | ReadFailure]:
        for root in roots:
            if root.is_dir():
                for found in walk(root, self._options):
                    if isinstance(found, ReadFailure):
                        yield found
                    elif found.skipped:
                        self._skipped[found.skipped] += 1
                    else:
                        yield from self._guarded(found, walked=True)
            else:
                beir = corpus_file({root.name}) != ""
                yield from self._guarded(Found(root, root.name, beir), walked=False)

    def _guarded(self, found: Found, walked: bool) -> Iterator[Document | ReadFailure]:
        """Yield what a file holds, and a failure for whatever goes wrong."""
        source = str(found.path)
        try:
            yield from self._file(found, walked)
        except (Unreadable, InvalidDocument) as error:
            yield ReadFailure(source, str(error))
        except OSError as error:
            yield ReadFailure(source, f"cannot be opened: {error.strerror or error}")
        except (RecursionError, MemoryError):
            yield ReadFailure(source, "is nested too deep or too large to be read in the memory there is")
        except Exception as error:
            yield ReadFailure(
                source, f"made its reader fail ({type(error).__name__}: {str(error)[:200]}): please report it"
            )

    def _file(self, found: Found, walked: bool) -> Iterator[Document | ReadFailure]:
        suffix, packed = suffix_of(found.name)
        if suffix in RECORDS:
            yield from self._records(found, suffix, packed)
        elif found.name not in self._shard:
            return
        elif suffix in DOCUMENTS:
            yield self._document(found, DOCUMENTS[suffix], packed)
        elif suffix in UNREAD_DOCUMENTS:
            yield ReadFailure(
                str(found.path),
                f"is a {suffix} file, which Quire does not read: convert it to {UNREAD_DOCUMENTS[suffix]}",
            )
        elif walked and (suffix or packed):
            self._skipped[suffix + (".gz" if packed else "")] += 1
        elif reader := sniffed(found.path, walked):
            yield self._document(found, reader, packed=False)
        elif walked:
            self._skipped["(no suffix)"] += 1
        else:
            yield ReadFailure(
                str(found.path),
                f"is of a kind that Quire does not read; it reads {', '.join(sorted([*DOCUMENTS, *RECORDS]))}",
            )

    def _document(self, found: Found, reader: Reader, packed: bool) -> Document:
        self._claim(found.name)
        data = self._whole(found.path)
        if packed:
            data = gunzip(data, self._options)
        if not data:
            raise Unreadable("is empty: there is nothing to index")
        content = reader(data, self._options)
        title = (content.title or stem_of(found.name))[:_MAX_TITLE]
        return Document(
            found.name, content.text, title, content.metadata, str(found.path), content.blocks, content.pages
        )

    def _claim(self, name: str) -> None:
        if len(name) > MAX_DOC_ID:
            raise Unreadable(
                f"has a path of {len(name):,} characters, more than the {MAX_DOC_ID:,} of a document's name"
            )
        if self._names is None:
            return
        if name in self._names:
            raise Unreadable(
                f"has the name {name}, as a file in another of the given folders has: read them one at a time"
            )
        self._names.add(name)

    def _whole(self, path: Path) -> bytes:
        size = _regular(path).st_size
        limit = self._options.max_file_bytes
        if size <= limit:
            with path.open("rb") as file:
                data = file.read(limit + 1)
            size = len(data)
        if size > limit:
            raise Unreadable(
                f"has {size:,} bytes, more than {limit:,}: raise max_file_bytes if it is to be read"
            )
        return data

    def _records(self, found: Found, suffix: str, packed: bool) -> Iterator[Document | ReadFailure]:
        source = str(found.path)
        if not _regular(found.path).st_size:
            raise Unreadable("is empty: there is nothing to index")
        with found.path.open("rb") as file:
            raw = GuardedGzip(file, self._options) if packed else file
            stream = cast(io.BufferedReader, io.BufferedReader(cast(io.RawIOBase, raw), _BUFFER))
            if found.beir:
                yield from read_beir(stream, source, self._options)
            elif suffix in (".jsonl", ".ndjson"):
                yield from read_jsonl(stream, source, self._options)
            else:
                yield from read_table(stream, source, self._options, "\t" if suffix == ".tsv" else None)


def _regular(path: Path) -> os.stat_result:
    """Return a file's status.

    Raises:
        Unreadable: it is a pipe, a device or the like, which could be read for ever.
        OSError: it is not there, or not to be looked at.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("is no ordinary file")
    return status
