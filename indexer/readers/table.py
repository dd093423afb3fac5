"""CSV and TSV: a header row, then one record a row, streamed. A row that cannot be read costs only itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from indexer.document import Document, ReadFailure
from indexer.errors import InvalidDocument
from indexer.readers.content import Unreadable
from indexer.readers.decode import stream_encoding
from indexer.readers.options import ReadOptions
from indexer.readers.record import to_document

_SAMPLE = 1 << 16
_DELIMITERS = ",;\t|"


def read_table(
    stream: io.BufferedReader, source: str, options: ReadOptions, delimiter: str | None = None
) -> Iterator[Document | ReadFailure]:
    """Yield a document or a failure for each row below the header.

    Fields may be quoted with `"` (doubled inside), and then hold line breaks. Failures are named `source:line`,
    the line where the row begins.

    Args:
        stream: The file.
        source: Its name.
        options: The names of the columns, and the limits.
        delimiter: What stands between fields; None to take whichever of comma, semicolon, tab and bar the header
            has most of.

    Raises:
        Unreadable: the file is binary or has no usable header.
    """
    sample = stream.peek(_SAMPLE)[:_SAMPLE]
    encoding = stream_encoding(sample)
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    csv.field_size_limit(max(csv.field_size_limit(), options.max_record_bytes))
    with io.TextIOWrapper(
        stream, encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors=errors, newline=""
    ) as text:
        first = sample.decode(encoding, errors="replace").partition("\n")[0]
        separator = delimiter or max(_DELIMITERS, key=first.count)
        rows = csv.reader(_bounded(text, options.max_record_bytes), delimiter=separator, strict=True)
        header = _header(rows, options)
        yield from _records(rows, header, source, options)


def _bounded(text: io.TextIOWrapper, limit: int) -> Iterator[str]:
    while line := text.readline(limit + 1):
        if len(line) > limit:
            raise Unreadable(f"has a line longer than {limit:,} characters: raise max_record_bytes")
        yield line


def _header(rows: Iterator[list[str]], options: ReadOptions) -> list[str]:
    try:
        header = [name.strip() for name in next(rows, [])]
    except csv.Error as error:
        raise Unreadable(f"has a header that cannot be read ({error})") from error
    if not set(header) & set(options.id_fields):
        raise Unreadable(
            f"has no column for the id among {', '.join(header)[:200]}; expected one of "
            f"{', '.join(options.id_fields)}: name the right one in id_fields"
        )
    return header


def _records(
    rows: Iterator[list[str]], header: list[str], source: str, options: ReadOptions
) -> Iterator[Document | ReadFailure]:
    while True:
        line = rows.line_num + 1  # type: ignore[attr-defined]
        where = f"{source}:{line}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield ReadFailure(where, f"is no row of the table, up to line {rows.line_num} ({error})")  # type: ignore[attr-defined]
            continue
        if row is None:
            return
        if not any(row):
            continue
        yield _document(row, header, where, options)


def _document(row: list[str], header: list[str], where: str, options: ReadOptions) -> Document | ReadFailure:
    if len(row) != len(header):
        return ReadFailure(where, f"has {len(row)} fields, where the header has {len(header)}")
    if any("\udc80" <= char <= "\udcff" for value in row for char in value):
        return ReadFailure(where, "is not UTF-8 as the rest of the file is")
    try:
        return to_document(dict(zip(header, row, strict=True)), where, options)
    except (Unreadable, InvalidDocument) as error:
        return ReadFailure(where, str(error))
