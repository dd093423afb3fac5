"""One record, of JSON or of a table, as a Document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from indexer.document import Document, MetadataValue, Scalar
from indexer.readers.content import Unreadable
from indexer.readers.options import ReadOptions
from indexer.readers.plain import structured


def to_document(record: Mapping[str, object], source: str, options: ReadOptions) -> Document:
    """Return the document that a record is.

    Fields that are neither id, title nor text become metadata: objects inside are spread out under dotted names
    (`author.name`; those of a field `metadata` without its name), nulls and empty strings are left out.

    Raises:
        Unreadable: it has no id, no text, or a value that is not of the type that `options` promises.
        InvalidDocument: its id is too long.
    """
    doc_id = _doc_id(record, options)
    title_field = next((name for name in options.title_fields if record.get(name)), None)
    text_field = next((name for name in options.text_fields if name in record), None)
    title = _text(title_field, record[title_field]) if title_field else ""
    if text_field is None and not title:
        raise Unreadable(
            f"has none of the text fields {', '.join(options.text_fields)} (found {_names(record)}): "
            "name the right one in text_fields"
        )
    text = _text(text_field, record[text_field]) if text_field else ""
    if len(text) > options.max_text_chars:
        raise Unreadable(
            f"has {len(text):,} characters of text, more than {options.max_text_chars:,}: split it"
        )
    used = {*options.id_fields, title_field, text_field}
    rest = {
        name: value
        for name, value in record.items()
        if name not in used or (name in options.id_fields and name != _id_field(record, options))
    }
    content = structured(text)
    return Document(
        doc_id, text, title, dict(_metadata(rest, options)), source, content.blocks, content.pages
    )


def _id_field(record: Mapping[str, object], options: ReadOptions) -> str | None:
    return next((name for name in options.id_fields if record.get(name) not in (None, "")), None)


def _doc_id(record: Mapping[str, object], options: ReadOptions) -> str:
    name = _id_field(record, options)
    value = record[name] if name else None
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    if name is None:
        raise Unreadable(
            f"has no id in any of the fields {', '.join(options.id_fields)} (found {_names(record)}): "
            "name the right one in id_fields"
        )
    raise Unreadable(
        f"has an id of type {type(value).__name__} in {name}; expected a string or a whole number"
    )


def _names(record: Mapping[str, object]) -> str:
    names = [str(name)[:40] for name in record]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") or "no fields"


def _text(name: str | None, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n\n".join(value)
    raise Unreadable(f"has a {type(value).__name__} in {name}; expected a string or a list of strings")


def _metadata(record: Mapping[str, object], options: ReadOptions) -> Iterator[tuple[str, MetadataValue]]:
    pending: list[tuple[str, object]] = list(record.items())[::-1]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict):
            prefix = "" if name == "metadata" else f"{name}."
            pending.extend((f"{prefix}{inner}", each) for inner, each in list(value.items())[::-1])
        elif isinstance(value, list):
            if items := tuple(_scalar(name, item, options) for item in value if item is not None):
                yield name, items
        elif name and value is not None and value != "":
            yield name, _scalar(name, value, options)


def _scalar(name: str, value: object, options: ReadOptions) -> Scalar:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and name in options.date_fields:
        return _date(name, value)
    if isinstance(value, str) and name in options.number_fields:
        return _number(name, value)
    return value if isinstance(value, str | int | float | bool) else str(value)


def _date(name: str, value: str) -> date:
    try:
        return date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(f"has {value[:40]!r} in the date field {name}; expected an ISO 8601 date") from None


def _number(name: str, value: str) -> int | float:
    for kind in (int, float):
        try:
            number = kind(value)
        except ValueError:
            continue
        if number == number:
            return number
    raise Unreadable(f"has {value[:40]!r} in the number field {name}; expected a number")
