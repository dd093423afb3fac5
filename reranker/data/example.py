"""What a trainer reads: `Example`, a query with graded passages, and `TrainingData`, many of them in two parts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from reranker.errors import TrainingDataError
from reranker.pairs import PassageText


@dataclass(frozen=True, slots=True)
class Example:
    """A query and passages whose order is known.

    Args:
        query_id: Its name, for messages and reports.
        query: What is asked.
        passages: At least one.
        grades: How good each passage is: any finite numbers, higher is better, equal ones are ties.
        weights: What each passage's judgement counts, such as the inverse of the chance that it was looked at;
            None where all count the same. Not negative.
        prior: The first stage's score of each passage; None where unknown.
        source: Where it comes from, as reports group it: a collection's name, `clicks`, `structure`.

    Raises:
        TrainingDataError: there is no passage, or the sequences are not as long as each other, or hold a number that
            cannot be used.
    """

    query_id: str
    query: str
    passages: tuple[PassageText, ...]
    grades: tuple[float, ...]
    weights: tuple[float, ...] | None = None
    prior: tuple[float, ...] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if not self.passages:
            raise TrainingDataError(
                f"query {self.query_id!r}: an example has at least one passage, found none"
            )
        for name in ("grades", "weights", "prior"):
            values = getattr(self, name)
            if values is None:
                continue
            if len(values) != len(self.passages):
                raise TrainingDataError(
                    f"query {self.query_id!r}: {len(values)} {name} for {len(self.passages)} passages"
                )
            if not all(math.isfinite(value) and (name != "weights" or value >= 0) for value in values):
                expected = "finite and not negative" if name == "weights" else "finite"
                raise TrainingDataError(f"query {self.query_id!r}: {name} must be {expected}, found {values}")

    def to_json(self) -> dict[str, Any]:
        """Return a record that `from_json` reads; what is None or empty is left out."""
        record: dict[str, Any] = {
            "query_id": self.query_id,
            "query": self.query,
            "passages": [_passage_record(passage) for passage in self.passages],
            "grades": [float(grade) for grade in self.grades],
        }
        if self.weights is not None:
            record["weights"] = [float(weight) for weight in self.weights]
        if self.prior is not None:
            record["prior"] = [float(score) for score in self.prior]
        if self.source:
            record["source"] = self.source
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Example:
        """Return the example of a record that `to_json` made.

        Raises:
            TrainingDataError: the record is not one.
        """
        try:
            return cls(
                query_id=str(record["query_id"]),
                query=str(record["query"]),
                passages=tuple(passage_from_record(passage) for passage in record["passages"]),
                grades=tuple(float(grade) for grade in record["grades"]),
                weights=_floats(record.get("weights")),
                prior=_floats(record.get("prior")),
                source=str(record.get("source", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TrainingDataError(
                "not a training example: expected query_id, query, passages (texts, or objects with text, title and "
                f"headings) and grades; {type(error).__name__}: {error}"
            ) from error


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Examples to learn from, and examples to stop by.

    Args:
        train: To learn from; may be a file read as it is asked for (`reranker.data.example_file`).
        dev: To measure on while training; no query of `train` should be among them.
        fingerprint: `fingerprint(train, dev)`.
    """

    train: Sequence[Example]
    dev: Sequence[Example]
    fingerprint: str

    @classmethod
    def of(cls, train: Sequence[Example], dev: Sequence[Example]) -> TrainingData:
        """Return the data with their fingerprint, which reads all of them once."""
        return cls(train, dev, fingerprint(train, dev))


def fingerprint(*parts: Iterable[Example]) -> str:
    """Return a hash (BLAKE2b, 32 hexadecimal digits) that changes with any example, their order, or the parts."""
    digest = blake2b(digest_size=16)
    for part in parts:
        for example in part:
            line = json.dumps(example.to_json(), sort_keys=True).encode()
            digest.update(len(line).to_bytes(8, "big"))
            digest.update(line)
        digest.update((0).to_bytes(8, "big"))
    return digest.hexdigest()


def _passage_record(passage: PassageText) -> str | dict[str, Any]:
    if not passage.title and not passage.headings:
        return passage.text
    record: dict[str, Any] = {"text": passage.text}
    if passage.title:
        record["title"] = passage.title
    if passage.headings:
        record["headings"] = list(passage.headings)
    return record


def passage_from_record(record: str | Mapping[str, Any]) -> PassageText:
    """Return the passage of a text, or of an object with `text`, and perhaps `title` and `headings`.

    Raises:
        KeyError: it has no text.
        TypeError: it is neither, or a part is not of its type.
    """
    if isinstance(record, str):
        return PassageText(record)
    title, headings = record.get("title", ""), record.get("headings", ())
    parts = [record["text"], title, *headings]
    if isinstance(headings, str) or not all(isinstance(part, str) for part in parts):
        raise TypeError("text and title are strings, headings a list of strings")
    return PassageText(record["text"], title=title, headings=tuple(headings))


def _floats(values: Any) -> tuple[float, ...] | None:
    return None if values is None else tuple(float(value) for value in values)
