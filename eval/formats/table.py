"""Records with named fields, of JSON lines, CSV, TSV and Parquet; what the names mean is the caller's `Schema`."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from eval.errors import FormatError, InvalidEvaluation, MissingDependency
from eval.formats.lines import decoded, kind_of, numbered_lines, opened, replacing

Record: TypeAlias = dict[str, Any]

TABLES = frozenset((".jsonl", ".ndjson", ".csv", ".tsv", ".parquet"))
"""The suffixes that this module reads and writes."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Which fields a record has.

    Args:
        what: What a record is, for messages: "judgement".
        names: Field to the names that it may have in files, in lower case; the first found counts.
        required: Fields that a header has to name to be taken for one.
        unnamed: Number of columns to their fields, for CSV and TSV without a header.
    """

    what: str
    names: Mapping[str, Sequence[str]]
    required: Sequence[str]
    unnamed: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def canonical(self, present: Iterable[str]) -> dict[str, str]:
        """Return a file's name of a field to the field, for each field of this schema that is among the names."""
        by_name = {name.strip().lower(): name for name in present}
        found: dict[str, str] = {}
        for wanted, aliases in self.names.items():
            for alias in aliases:
                if alias in by_name and by_name[alias] not in found:
                    found[by_name[alias]] = wanted
                    break
        return found

    def expected(self) -> str:
        """Return which columns are expected, in words."""
        header = ", ".join(self.required)
        counts = " or ".join(f"the {n} columns {', '.join(names)}" for n, names in self.unnamed.items())
        return f"a header that names {header}" + (f", or {counts}" if counts else "")


def records(path: Path, schema: Schema) -> Iterator[tuple[int, Record]]:
    """Yield a file's records with the line (Parquet: the row) that each comes from, fields named as in the schema.

    Fields that the schema does not know keep their names.

    Raises:
        FormatError: a line cannot be understood; required fields are checked by `required_text`.
        MissingDependency: Parquet without pyarrow.
    """
    kind = kind_of(path)
    if kind == ".parquet":
        return _parquet(path, schema)
    if kind in (".jsonl", ".ndjson"):
        return _json_lines(path, schema)
    return _columns(path, schema, _csv_rows(path) if kind == ".csv" else _tsv_rows(path))


def required_text(path: Path, line: int, record: Mapping[str, Any], name: str, schema: Schema) -> str:
    """Return a field that has to be there, as text; whole numbers are written out.

    Raises:
        FormatError: it is absent, empty, or something else.
    """
    value = record.get(name)
    if isinstance(value, str) and value:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or value == "":
        found = ", ".join(map(str, record)) or "nothing"
        raise FormatError(
            path, line, f"a {schema.what} without {name} (found {found}); expected {schema.expected()}"
        )
    raise FormatError(
        path, line, f"{name} is {json.dumps(value, default=str)[:60]}; expected a string or a whole number"
    )


def _renamed(record: Mapping[str, Any], names: Mapping[str, str]) -> Record:
    return {names.get(name, name): value for name, value in record.items()}


def _json_lines(path: Path, schema: Schema) -> Iterator[tuple[int, Record]]:
    names: dict[tuple[str, ...], dict[str, str]] = {}
    for number, line in numbered_lines(path):
        try:
            record = json.loads(decoded(path, number, line))
        except RecursionError:
            raise FormatError(path, number, "is nested too deep; expected one flat object a line") from None
        except ValueError as error:
            raise FormatError(path, number, f"is not JSON ({error}); expected one object a line") from None
        if not isinstance(record, dict):
            raise FormatError(
                path, number, f"is a JSON {type(record).__name__}; expected an object, one a line"
            )
        shape = tuple(record)
        if shape not in names:
            names[shape] = schema.canonical(shape)
        yield number, _renamed(record, names[shape])


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    with opened(path) as file:
        reader = csv.reader(
            (
                decoded(path, number, line).removeprefix("\ufeff" * (number == 1))
                for number, line in enumerate(file, 1)
            ),
            strict=True,
        )
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as error:
            raise FormatError(path, reader.line_num, f"is not CSV ({error})") from None


def _tsv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in numbered_lines(path):
        yield number, decoded(path, number, line).split("\t")


def _columns(
    path: Path, schema: Schema, rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, Record]]:
    number, first = next(rows, (0, []))
    if not first:
        return
    names = schema.canonical(first)
    if set(schema.required) <= set(names.values()):
        fields = [names.get(name, name) for name in first]
    elif len(first) in schema.unnamed:
        fields = list(schema.unnamed[len(first)])
        yield number, dict(zip(fields, first, strict=True))
    else:
        raise FormatError(
            path,
            number,
            f"is neither a header nor a {schema.what}: {first!r:.100}; expected {schema.expected()}",
        )
    for number, row in rows:
        if len(row) != len(fields):
            raise FormatError(
                path, number, f"has {len(row)} columns, expected {len(fields)} ({', '.join(fields)})"
            )
        yield number, dict(zip(fields, row, strict=True))


def _parquet(path: Path, schema: Schema) -> Iterator[tuple[int, Record]]:
    pyarrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            names = schema.canonical(file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches():
                for record in batch.to_pylist():
                    number += 1
                    yield number, _renamed(record, names)
    except pyarrow.ArrowException as error:
        raise FormatError(path, 0, f"is not Parquet that pyarrow reads ({error})") from error


def write_records(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write records, whole or not at all; a JSON object leaves out what is None.

    Raises:
        InvalidEvaluation: a text holds a tab or a line break and the format is TSV.
        MissingDependency: Parquet without pyarrow.
    """
    kind = kind_of(path)
    if kind == ".parquet":
        _write_parquet(path, columns, rows)
        return
    with replacing(path) as file:
        text = codecs.getwriter("utf-8")(file)
        if kind == ".csv":
            writer = csv.writer(text)
            writer.writerow(columns)
            writer.writerows(rows)
        elif kind == ".tsv":
            text.write("\t".join(columns) + "\n")
            for row in rows:
                text.write("\t".join(_tab_free(path, value) for value in row) + "\n")
        else:
            for row in rows:
                record = {name: value for name, value in zip(columns, row, strict=True) if value is not None}
                text.write(json.dumps(record, ensure_ascii=False) + "\n")


def _tab_free(path: Path, value: object) -> str:
    text = "" if value is None else str(value)
    if any(mark in text for mark in "\t\n\r"):
        raise InvalidEvaluation(
            f"{path}: {text!r:.80} holds a tab or a line break, which TSV has no way to write; write .jsonl or .csv"
        )
    return text


def _write_parquet(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    pyarrow, parquet = _pyarrow()
    held = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
    table = pyarrow.table(dict(zip(columns, held, strict=True)))
    with replacing(path) as file:
        parquet.write_table(table, file)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingDependency("pyarrow", "Parquet") from error
    return pyarrow, parquet
