"""The values that documents become: `Document`, `Block`, `Passage`.

A reader makes a `Document` of each file or record; a splitter makes `Passage`s of it. Offsets are always
Python character offsets into `Document.text`, end exclusive: `text[start:end]` is exactly the passage.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from indexer.errors import InvalidDocument

Scalar: TypeAlias = str | int | float | bool | date | datetime
MetadataValue: TypeAlias = Scalar | tuple[Scalar, ...]
BlockKind: TypeAlias = Literal["heading", "paragraph", "list", "table", "code"]

FieldKind: TypeAlias = Literal["string", "number", "bool", "date"]

MAX_DOC_ID = 1024

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Return `text` with NULs and lone surrogates replaced by U+FFFD, one for one, so offsets hold."""
    return _UNSTORABLE.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Block:
    """One structural unit of a document's text.

    Args:
        kind: heading, paragraph, list (one item), table (whole) or code (whole).
        start: First character, in the document's text.
        end: One past the last character.
        level: A heading's level from 1 (highest), a list item's nesting from 1; 0 otherwise.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a reader saw it.

    NULs and lone surrogates in `text` and `title` become U+FFFD (same offsets).

    Args:
        doc_id: Its name in the index; 1 to 1,024 characters.
        text: All of its text.
        title: Its title, or the empty string.
        metadata: Field name to string, number, bool, date, datetime, or a tuple or list of them.
        source: Where it came from (a path, a URL, `corpus.jsonl:12`), for display.
        blocks: Its structure in order, not overlapping, gaps allowed; empty for a reader that sees none.
        pages: The offset at which each page starts, ascending; page n starts at `pages[n - 1]`. Empty
            for documents without pages.

    Raises:
        InvalidDocument: a value is of the wrong type, or blocks or pages are not ordered inside the text.
    """

    doc_id: str
    text: str
    title: str = ""
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    source: str = ""
    blocks: tuple[Block, ...] = ()
    pages: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.doc_id, str) or not 1 <= len(self.doc_id) <= MAX_DOC_ID:
            raise InvalidDocument(
                f"a doc_id is a string of 1 to {MAX_DOC_ID} characters, found {self.doc_id!r:.80}"
            )
        for name in ("text", "title", "source"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise InvalidDocument(f"{self.doc_id}: {name} must be a string, found {type(value).__name__}")
            object.__setattr__(self, name, storable(value))
        object.__setattr__(self, "doc_id", storable(self.doc_id))
        object.__setattr__(self, "metadata", MappingProxyType(_checked(self.doc_id, self.metadata)))
        self._check_structure()

    def _check_structure(self) -> None:
        at = 0
        for block in self.blocks:
            if not at <= block.start <= block.end <= len(self.text):
                raise InvalidDocument(
                    f"{self.doc_id}: block {block} is out of order or outside the {len(self.text)} characters"
                )
            at = block.end
        if list(self.pages) != sorted(self.pages) or (self.pages and self.pages[-1] > len(self.text)):
            raise InvalidDocument(f"{self.doc_id}: page offsets must ascend inside the text")

    def content_hash(self) -> str:
        """Return a hash of all that indexing depends on: equal hashes need no indexing again."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (
            self.title,
            self.text,
            self.source,
            metadata_to_json(self.metadata),
            json.dumps([(b.kind, b.start, b.end, b.level) for b in self.blocks]),
            json.dumps(self.pages),
        ):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "big"))
            digest.update(encoded)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of one document, small enough for the encoder.

    Args:
        doc_id: Its document.
        ordinal: Its place among the document's passages, from 0.
        start: First character in the document's text.
        end: One past the last character.
        headings: The headings above it, outermost first.
        page: The page it starts on, from 1; None for documents without pages.
        tokens: How many tokens the encoder's tokenizer makes of it where it stands below its headings, which with
            title and special tokens are not counted. The splitter's figure is exact, at the edges too.
    """

    doc_id: str
    ordinal: int
    start: int
    end: int
    headings: tuple[str, ...] = ()
    page: int | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """A file or record that could not be read, and was skipped.

    Args:
        source: The path, with `:line` for a record.
        reason: What was found, what was expected, and what to do.
    """

    source: str
    reason: str


def kind_of(value: Scalar) -> FieldKind:
    """Return which kind of metadata value this is."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "date" if isinstance(value, date) else "string"


def _checked(doc_id: str, metadata: Mapping[str, object]) -> dict[str, MetadataValue]:
    return dict(_checked_items(doc_id, metadata))


def _checked_items(doc_id: str, metadata: Mapping[str, object]) -> Iterator[tuple[str, MetadataValue]]:
    for name, value in metadata.items():
        if not isinstance(name, str) or not name:
            raise InvalidDocument(f"{doc_id}: a metadata field's name is a non-empty string, found {name!r}")
        if isinstance(value, list | tuple):
            yield storable(name), tuple(_checked_scalar(doc_id, name, item) for item in value)
        else:
            yield storable(name), _checked_scalar(doc_id, name, value)


def _checked_scalar(doc_id: str, name: str, value: object) -> Scalar:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int | float | bool | date):
        if isinstance(value, float) and value != value:
            raise InvalidDocument(f"{doc_id}: metadata field {name!r} is not a number (NaN)")
        return value
    raise InvalidDocument(
        f"{doc_id}: metadata field {name!r} is a {type(value).__name__}; expected a string, number, bool, "
        "date, datetime, or a list of them"
    )


def metadata_to_json(metadata: Mapping[str, MetadataValue]) -> str:
    """Return metadata as JSON with sorted keys; dates as `{"$date": ISO 8601}`, so that they come back as dates."""

    def plain(value: MetadataValue) -> object:
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        if isinstance(value, date):
            return {"$date": value.isoformat()}
        return value

    return json.dumps({name: plain(metadata[name]) for name in sorted(metadata)}, ensure_ascii=False)


def metadata_from_json(text: str) -> dict[str, MetadataValue]:
    """Return the metadata that `metadata_to_json` wrote."""

    def scalar(value: object) -> Scalar:
        if isinstance(value, dict):
            iso = str(value["$date"])
            return datetime.fromisoformat(iso) if "T" in iso else date.fromisoformat(iso)
        if not isinstance(value, str | int | float | bool):
            raise InvalidDocument(f"metadata holds {value!r}; expected a string, number, bool or date")
        return value

    return {
        name: tuple(scalar(item) for item in value) if isinstance(value, list) else scalar(value)
        for name, value in json.loads(text).items()
    }
