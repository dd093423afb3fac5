"""Topics: TREC's forms between tags, BEIR's JSON lines, and tables of ids and texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.collection import Topic
from eval.errors import FormatError
from eval.formats.lines import decoded, kind_of, numbered_lines, replacing
from eval.formats.table import TABLES, Schema, records, required_text, write_records
from eval.formats.trec import checked_suffix
from eval.formats.trec_topics import read_trec_topics, trec_topics

SCHEMA = Schema(
    "topic",
    {
        "query_id": ("query_id", "_id", "query-id", "qid", "id", "topic_id", "number"),
        "text": ("text", "query", "title", "question"),
        "user_id": ("user_id", "user"),
        "at": ("at", "ts", "time", "timestamp"),
    },
    ("query_id", "text"),
    {2: ("query_id", "text")},
)


def read_topics(path: str | Path) -> dict[str, Topic]:
    """Read topics, in the order of the file.

    Fields `user` (or `user_id`) and `ts` (or `at`, `time`) become `user_id` and `at`, in UTC where the file names no
    zone; all other fields become metadata. A list becomes its items with commas between them.

    Raises:
        FormatError: a topic that cannot be read, or an id that comes twice.
        MissingDependency: Parquet without pyarrow.
    """
    path = Path(path)
    topics: dict[str, Topic] = {}
    for line, topic in _topics(path):
        if topic.query_id in topics:
            raise FormatError(path, line, f"the topic {topic.query_id!r} comes twice; keep one")
        topics[topic.query_id] = topic
    return topics


def write_topics(topics: Mapping[str, Topic], path: str | Path) -> None:
    """Write topics, whole or not at all. JSON lines and Parquet keep all of a topic, as does CSV.

    Raises:
        InvalidEvaluation: a topic that the format cannot hold, or a suffix that names no format.
        MissingDependency: Parquet without pyarrow.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind not in TABLES:
        checked_suffix(path, kind, TABLES)
        content = trec_topics(path, topics)
        with replacing(path) as file:
            file.write(content.encode())
        return
    extra = list(dict.fromkeys(name for topic in topics.values() for name in topic.metadata))
    users = any(topic.user_id is not None for topic in topics.values())
    dated = any(topic.at is not None for topic in topics.values())
    names = ["_id", "text", *(["user"] if users else []), *(["ts"] if dated else []), *extra]
    write_records(
        path,
        names,
        (
            [
                topic.query_id,
                topic.text,
                *([topic.user_id] if users else []),
                *([topic.at.isoformat() if topic.at else None] if dated else []),
                *(topic.metadata.get(name) for name in extra),
            ]
            for topic in topics.values()
        ),
    )


def _topics(path: Path) -> Iterator[tuple[int, Topic]]:
    if kind_of(path) in TABLES:
        for line, record in records(path, SCHEMA):
            yield line, _topic(path, line, record)
        return
    first = next(numbered_lines(path), (0, b""))[1]
    if first.lstrip().startswith(b"<"):
        yield from read_trec_topics(path)
        return
    for line, data in numbered_lines(path):
        query_id, tab, text = decoded(path, line, data).partition("\t")
        if not tab or not query_id.strip():
            raise FormatError(
                path,
                line,
                f"{query_id!r:.60} is no topic; expected <top> elements, or an id, a tab and a text",
            )
        yield line, Topic(query_id.strip(), text.strip())


def _topic(path: Path, line: int, record: dict[str, Any]) -> Topic:
    text = record.get("text")
    if not isinstance(text, str):
        raise FormatError(
            path, line, f"a topic whose text is {text!r:.60}; expected {SCHEMA.expected()}, a string"
        )
    user = record.get("user_id")
    return Topic(
        required_text(path, line, record, "query_id", SCHEMA),
        text,
        None if user in (None, "") else str(user),
        _moment(path, line, record.get("at")),
        {
            name: _plain(value)
            for name, value in record.items()
            if name not in SCHEMA.names and value not in (None, "", [])
        },
    )


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _moment(path: Path, line: int, value: object) -> datetime | None:
    """Return a time, written as ISO 8601 or as seconds since 1970."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        raise FormatError(
            path, line, f"the time is {value!r:.60}; expected ISO 8601, or seconds since 1970"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
