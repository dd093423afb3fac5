"""What a collection offers as a shortcut: each field of its metadata, and the length of its documents, as numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, TypeAlias

import numpy as np

from eval.statistics.ranks import mid_ranks
from indexer.document import Document, MetadataValue, Scalar

Kind: TypeAlias = Literal["number", "date", "boolean", "category", "length"]

DIRECTIONS: Mapping[Kind, tuple[str, str]] = {
    "number": ("highest first", "lowest first"),
    "date": ("newest first", "oldest first"),
    "boolean": ("true first", "false first"),
    "category": ("common first", "rare first"),
    "length": ("longest first", "shortest first"),
}


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A query-independent order of the documents.

    Args:
        name: The field's name, or `characters` or `passages`.
        kind: What its values are. A category is as large as it is frequent among the documents.
        place: Document to its place among those that have a value, from 0 (lowest) to 1; equal values share a place.
        documents: How many documents there are in all, those without a value included.
    """

    name: str
    kind: Kind
    place: Mapping[str, float]
    documents: int

    @property
    def directions(self) -> tuple[str, str]:
        """What comes first where the place is high, and where it is low."""
        return DIRECTIONS[self.kind]

    @property
    def coverage(self) -> float:
        """The share of documents that have a value."""
        return len(self.place) / self.documents


def shortcuts(
    documents: Iterable[Document], passages: Mapping[str, int] | None = None
) -> tuple[list[Shortcut], dict[str, str]]:
    """Return the shortcuts that documents offer: characters, passages, then the fields by name.

    A field is numbers, dates or truth values where all of its values are, also as strings; a category otherwise, and
    then what counts is how many documents share the value. Of a list the largest counts. Fields whose name is that of
    a length are told apart by `metadata.` before them.

    Args:
        documents: All of them.
        passages: Document to its number of passages; without it there is no such shortcut.

    Returns:
        The shortcuts; and field to reason for those that order nothing.
    """
    fields: dict[str, dict[str, tuple[Scalar, ...]]] = {}
    lengths: dict[str, float] = {}
    for document in documents:
        lengths[document.doc_id] = float(len(document.text))
        for name, value in document.metadata.items():
            values = _listed(value)
            if values:
                fields.setdefault(name, {})[document.doc_id] = values
    numbers: list[tuple[str, Kind, dict[str, float]]] = [("characters", "length", lengths)]
    if passages is not None:
        numbers.append(
            ("passages", "length", {doc: float(passages[doc]) for doc in lengths if doc in passages})
        )
    for name in sorted(fields):
        kind, sizes = _sized(fields[name])
        numbers.append((f"metadata.{name}" if name in ("characters", "passages") else name, kind, sizes))
    found: list[Shortcut] = []
    skipped: dict[str, str] = {}
    for name, kind, sizes in numbers:
        if len(set(sizes.values())) < 2:
            skipped[name] = _why_nothing(kind, sizes)
        else:
            found.append(Shortcut(name, kind, _places(sizes), len(lengths)))
    return found, skipped


def _why_nothing(kind: Kind, sizes: Mapping[str, float]) -> str:
    if not sizes:
        return "no document has a value"
    if kind == "category":
        return f"every value is as frequent as the others ({next(iter(sizes.values())):.0f} documents each)"
    return "all values are the same"


def _listed(value: MetadataValue) -> tuple[Scalar, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(item for item in values if item != "")


def _sized(values: Mapping[str, tuple[Scalar, ...]]) -> tuple[Kind, dict[str, float]]:
    """Return what a field's values are, and each document's largest as a number."""
    flat = [item for items in values.values() for item in items]
    readers: tuple[tuple[Kind, Callable[[Scalar], float | None]], ...] = (
        ("boolean", _truth),
        ("number", _number),
        ("date", _date),
    )
    for kind, read in readers:
        sizes = {item: read(item) for item in {(type(item), item): item for item in flat}.values()}
        if all(size is not None for size in sizes.values()):
            return kind, {doc: max(_known(read(item)) for item in items) for doc, items in values.items()}
    shared = Counter(str(item) for items in values.values() for item in set(items))
    return "category", {doc: float(max(shared[str(item)] for item in items)) for doc, items in values.items()}


def _known(size: float | None) -> float:
    return math.nan if size is None else size


def _truth(value: Scalar) -> float | None:
    if isinstance(value, bool):
        return float(value)
    return {"true": 1.0, "false": 0.0}.get(value.strip().lower()) if isinstance(value, str) else None


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or isinstance(value, date):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(value: Scalar) -> float | None:
    """Return seconds since 1970; without a zone it is UTC, as is a day without an hour."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    else:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _places(sizes: Mapping[str, float]) -> dict[str, float]:
    ranks = mid_ranks(np.fromiter(sizes.values(), dtype=np.float64, count=len(sizes)))
    return dict(zip(sizes, ((ranks - 0.5) / len(sizes)).tolist(), strict=True))
