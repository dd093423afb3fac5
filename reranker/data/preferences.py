"""Preferences: for this query, this one rather than that one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Any

from reranker.data.example import passage_from_record
from reranker.data.judged import JudgedDocument, JudgedQuery
from reranker.data.rows import read_rows, text_of
from reranker.errors import TrainingDataError
from reranker.pairs import PassageText


@dataclass(frozen=True, slots=True)
class Preference:
    """For a query, one document or passage rather than another: each the id of a document, or the passage itself."""

    query: str
    better: str | PassageText
    worse: str | PassageText


def read_preferences(path: str | Path) -> Iterator[Preference]:
    """Yield the rows of a file: query, better, worse.

    In JSON lines, `better` and `worse` are ids of documents, or objects with `text`, and perhaps `title` and
    `headings`; in CSV and TSV, ids.

    Raises:
        TrainingDataError: the file cannot be read, or a row is not one; names path and line.
    """
    for line, row in read_rows(path):
        sides = [_side(path, line, row[name]) if name in row else "" for name in ("better", "worse")]
        if not all(sides):
            raise TrainingDataError(
                f"{path}:{line}: better and worse are ids of documents, or objects with text; "
                f"the row has {', '.join(row) or 'nothing'}"
            )
        yield Preference(text_of(path, line, row, "query"), *sides)


def from_preferences(preferences: Iterable[Preference], source: str = "preferences") -> Iterator[JudgedQuery]:
    """Yield a judged query for each run of rows of the same query and the same better side.

    Those rows say the same of all their worse sides, and nothing of how these compare with each other: better is 1,
    worse 0, and no pair is made up. Streams; rows that belong together need to follow each other only to be taken
    together.

    Raises:
        TrainingDataError: a passage is preferred to itself.
    """
    for number, ((query, better), rows) in enumerate(
        groupby(preferences, lambda row: (row.query, row.better))
    ):
        worse = list(dict.fromkeys(row.worse for row in rows))
        if better in worse:
            raise TrainingDataError(f"for {query!r:.80}, {better!r:.80} is preferred to itself")
        judged = (_judged(better, 1.0), *(_judged(side, 0.0) for side in worse))
        yield JudgedQuery(f"{source}-{number}", query, judged, source)


def _side(path: str | Path, line: int, value: Any) -> str | PassageText:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    try:
        return passage_from_record(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise TrainingDataError(
            f"{path}:{line}: an id or an object with text, title and headings was expected, found {value!r:.60}"
        ) from error


def _judged(side: str | PassageText, grade: float) -> JudgedDocument:
    if isinstance(side, str):
        return JudgedDocument(side, grade)
    name = blake2b(side.full.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return JudgedDocument(f"text-{name}", grade, passage=side)
