"""JSON Lines: one object a line, streamed. A line that cannot be read costs only itself."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import BinaryIO

from indexer.document import Document, ReadFailure
from indexer.errors import InvalidDocument
from indexer.readers.content import Unreadable
from indexer.readers.decode import stream_encoding
from indexer.readers.options import ReadOptions
from indexer.readers.record import to_document

_SAMPLE = 1 << 16
_SKIP = 1 << 20


def read_jsonl(
    stream: io.BufferedReader, source: str, options: ReadOptions
) -> Iterator[Document | ReadFailure]:
    """Yield a document or a failure for each line that is not blank.

    Memory is that of the longest line. Failures are named `source:line`, lines counted from 1.

    Raises:
        Unreadable: the file is binary, or what holds it (gzip) is damaged; all lines before were yielded.
    """
    encoding = stream_encoding(stream.peek(_SAMPLE)[:_SAMPLE])
    if encoding.startswith("utf-8"):
        lines = _byte_lines(stream, options.max_record_bytes)
    else:
        lines = _text_lines(stream, encoding, options.max_record_bytes)
    for number, line in enumerate(lines, 1):
        where = f"{source}:{number}"
        if line is None:
            yield ReadFailure(
                where, f"is longer than {options.max_record_bytes:,} bytes: raise max_record_bytes"
            )
        elif line.strip():
            yield _document(line, where, options)


def _byte_lines(stream: BinaryIO, limit: int) -> Iterator[bytes | str | None]:
    first = True
    while line := stream.readline(limit + 1):
        if first:
            line = line.removeprefix(b"\xef\xbb\xbf")
            first = False
        if len(line) > limit and not line.endswith(b"\n"):
            while (rest := stream.readline(_SKIP)) and not rest.endswith(b"\n"):
                continue
            yield None
        else:
            yield line


def _text_lines(stream: BinaryIO, encoding: str, limit: int) -> Iterator[bytes | str | None]:
    with io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="\n") as text:
        while line := text.readline(limit + 1):
            if len(line) > limit and not line.endswith("\n"):
                while (rest := text.readline(_SKIP)) and not rest.endswith("\n"):
                    continue
                yield None
            else:
                yield line


def _document(line: bytes | str, where: str, options: ReadOptions) -> Document | ReadFailure:
    try:
        record = json.loads(line.decode() if isinstance(line, bytes) else line, parse_constant=_no_constant)
        if not isinstance(record, dict):
            raise Unreadable(f"holds a {type(record).__name__}; expected an object with an id and a text")
        return to_document(record, where, options)
    except UnicodeDecodeError as error:
        return ReadFailure(where, f"is not UTF-8 as the rest of the file is (byte {error.start} of the line)")
    except RecursionError:
        return ReadFailure(where, "is nested too deep: expected an object of plain fields")
    except (Unreadable, InvalidDocument) as error:
        return ReadFailure(where, str(error))
    except ValueError as error:
        return ReadFailure(where, f"is not valid JSON ({str(error)[:120]}): each line must be one object")


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")
