"""Files of events: JSON lines, CSV, TSV (with a header row; each also gzipped) and Parquet; the suffix says which.

A record names its fields as `engine.event.FIELDS` lists them: `user` or `user_id`, `item` or `doc_id`, `ts` or `at`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.event import FIELDS, Event, InvalidEvent
from eval.errors import FormatError
from eval.formats.lines import kind_of
from eval.formats.table import TABLES, Schema, records, write_records

SCHEMA = Schema("record of an event", FIELDS, ("user_id", "doc_id"))


def read_events(path: str | Path) -> list[Event]:
    """Return the events of a file, in its order; raises what `each_event` raises."""
    return list(each_event(path))


def each_event(path: str | Path) -> Iterator[Event]:
    """Yield the events of a file, in its order, as they are read.

    Raises:
        FormatError: the suffix names none of those formats, or a line is no event; it names the line.
        MissingDependency: Parquet without pyarrow.
        OSError: the file cannot be opened.
    """
    path = Path(path)
    _check_suffix(path)
    for line, record in records(path, SCHEMA):
        try:
            event = Event.from_record(record)
        except InvalidEvent as error:
            raise FormatError(path, line, str(error)) from error
        yield event


def write_events(events: Iterable[Event], path: str | Path) -> None:
    """Write events, whole or not at all, so that `read_events` returns the same ones.

    Raises:
        FormatError: the suffix names none of those formats.
        InvalidEvaluation: an id holds a tab or a line break, and the format is TSV.
        MissingDependency: Parquet without pyarrow.
        OSError: the file cannot be written.
    """
    path = Path(path)
    _check_suffix(path)
    rows = ([*(event.to_record() | {"event_id": event.event_id or None}).values()] for event in events)
    write_records(path, tuple(FIELDS), rows)


def _check_suffix(path: Path) -> None:
    kind = kind_of(path)
    if kind not in TABLES:
        raise FormatError(
            path,
            0,
            f"events are in .jsonl, .csv, .tsv (each also .gz) or .parquet, by the file's suffix; found {kind!r}",
        )
