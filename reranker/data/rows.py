"""Rows of a file, one at a time: JSON lines, or CSV and TSV with a header; gzipped where the name ends in .gz."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from reranker.errors import TrainingDataError

Row = tuple[int, Mapping[str, Any]]
"""A line's number, from 1, and what it holds."""


def read_rows(path: str | Path) -> Iterator[Row]:
    """Yield the rows of a file: `.csv` and `.tsv` by their header, everything else as JSON objects, one a line.

    Raises:
        TrainingDataError: the file cannot be read, or a line is not what it should be; names path and line.
    """
    path = Path(path)
    kind = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    try:
        with open_text(path) as file:
            if kind in (".csv", ".tsv"):
                yield from _table(path, file, "\t" if kind == ".tsv" else ",")
            else:
                yield from _objects(path, file)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise TrainingDataError(f"{path} cannot be read as UTF-8 text: {error}") from error


def open_text(path: Path) -> TextIO:
    """Open a file of text, gzipped where its name ends in .gz; a byte order mark is skipped."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def text_of(path: str | Path, line: int, row: Mapping[str, Any], name: str) -> str:
    """Return a row's string; a whole number is taken for one.

    Raises:
        TrainingDataError: there is none of this name.
    """
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TrainingDataError(
            f"{path}:{line}: {name} is a string, found {value!r:.60}; the row has {', '.join(row) or 'nothing'}"
        )
    return str(value)


def number_of(path: str | Path, line: int, row: Mapping[str, Any], name: str) -> float:
    """Return a row's number, from a number, a truth value, or a string that is one.

    Raises:
        TrainingDataError: there is none of this name.
    """
    value = row.get(name)
    if isinstance(value, str) and value.strip().casefold() in ("true", "false"):
        value = value.strip().casefold() == "true"
    try:
        return float(value)  # type: ignore[arg-type]  # None is what the next line is for
    except (TypeError, ValueError) as error:
        raise TrainingDataError(
            f"{path}:{line}: {name} is a number, found {value!r:.60}; the row has {', '.join(row) or 'nothing'}"
        ) from error


def _objects(path: Path, file: TextIO) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TrainingDataError(f"{path}:{number}: not JSON: {error}") from error
        if not isinstance(record, dict):
            raise TrainingDataError(f"{path}:{number}: a JSON object was expected, found {line.strip():.60}")
        yield number, record


def _table(path: Path, file: TextIO, delimiter: str) -> Iterator[Row]:
    reader = csv.DictReader(file, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                expected = len(reader.fieldnames or ())
                raise TrainingDataError(
                    f"{path}:{reader.line_num}: {expected} columns were expected, as in the header; "
                    "this row has more or fewer"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise TrainingDataError(f"{path}:{reader.line_num}: {error}") from error
