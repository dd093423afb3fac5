"""The documents of a job on their way to the index: one a line, as they were given or as a reader made them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from engine.service.jobs import folders
from indexer.document import Document, MetadataValue, ReadFailure
from indexer.errors import InvalidDocument
from indexer.readers import ReadOptions
from indexer.readers.content import Unreadable
from indexer.readers.record import to_document
from indexer.transfer import document_from_json


def write_given(path: Path, documents: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> int:
    """Write documents as they were given, durably; return how many bytes they take.

    Args:
        path: Where.
        documents: Of each the record (doc_id, title, text, metadata), and the metadata that are dates, as ISO 8601.
    """
    with path.open("wb") as file:
        for given, dates in documents:
            file.write(json.dumps({"given": given, "dates": dates}).encode() + b"\n")
        folders.synced(file)
        return file.tell()


def documents_in(path: Path, options: ReadOptions) -> Iterator[Document | ReadFailure]:
    """Yield the documents of a job. One that was given becomes what the same line of a JSON Lines file would."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _document(json.loads(line), options)
            except (ValueError, TypeError, KeyError) as error:
                yield ReadFailure(f"document {number}", f"could not be read back: {error!r:.200}")
            except (Unreadable, InvalidDocument) as error:
                yield ReadFailure(f"document {number}", str(error))


def ids_in(path: Path) -> set[str]:
    """Return the ids of the documents of a job; lines that hold none are passed over."""
    found = set()
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError, TypeError, KeyError):
                record = json.loads(line)
                found.add(str(record.get("given", record)["doc_id"]))
    return found


def _document(record: dict[str, Any], options: ReadOptions) -> Document:
    if "given" not in record:
        return document_from_json(record)
    fields = replace(options, id_fields=("doc_id",), title_fields=("title",), text_fields=("text",))
    document = to_document(record["given"], "", fields)
    dates: dict[str, MetadataValue] = {name: _dates(value) for name, value in record["dates"].items()}
    return replace(document, metadata={**document.metadata, **dates}) if dates else document


def _dates(value: str | list[str]) -> MetadataValue:
    return tuple(_date(each) for each in value) if isinstance(value, list) else _date(value)


def _date(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
