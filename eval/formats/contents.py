"""What a file holds: a run, judgements or topics, told by its first line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from eval.errors import FormatError
from eval.formats.lines import decoded, kind_of, numbered_lines
from eval.formats.qrels import SCHEMA as QRELS
from eval.formats.runs import SCHEMA as RUN
from eval.formats.table import TABLES, Schema, records
from eval.formats.topics import SCHEMA as TOPICS

Contents: TypeAlias = Literal["run", "qrels", "topics"]

_BY_COUNT: dict[int, Contents] = {2: "topics", 3: "qrels", 4: "qrels", 6: "run"}
_TAG = re.compile(r"\s*<(\?|!--|[A-Za-z][\w-]*(\s[^<>]*)?>)")
_BEIR = {"query-id", "corpus-id", "score"}
_NAMES = {name for schema in (RUN, QRELS, TOPICS) for names in schema.names.values() for name in names}


def contents_of(path: str | Path) -> Contents:
    """Return what a file holds.

    Raises:
        FormatError: it cannot be told; whoever asks has to say it.
    """
    path = Path(path)
    kind = kind_of(path)
    found: Contents | None = None
    if kind in TABLES and kind not in (".tsv", ".csv"):
        # A schema without names leaves all of them as they are.
        _, record = next(records(path, Schema("record", {}, ())), (0, {}))
        found = _by_names(record)
    else:
        line, data = next(numbered_lines(path), (0, b""))
        text = decoded(path, line, data)
        divider = "," if kind == ".csv" else "\t" if kind == ".tsv" or "\t" in text else None
        parts = text.split(divider)
        if _TAG.match(text) and kind not in TABLES:
            found = "topics"
        elif kind in TABLES and _NAMES & set(_lower(parts)):
            found = _by_names(parts)
        else:
            found = _BY_COUNT.get(len(parts))
    if found is None:
        raise FormatError(
            path, 1, "may be a run, judgements or topics; say which (--as run, qrels or topics)"
        )
    return found


def _by_names(names: Iterable[str]) -> Contents | None:
    present = set(_lower(names))

    def has(schema: Schema, *fields: str) -> bool:
        return all(present & set(schema.names[field]) for field in fields)

    if "hits" in present or (has(RUN, "query_id", "doc_id") and present & {"rank", "run", "tag"}):
        return "run"
    if has(QRELS, "query_id", "doc_id"):
        graded = present & (set(QRELS.names["grade"]) - {"score"}) or present >= _BEIR
        return "qrels" if graded else None
    return "topics" if has(TOPICS, "query_id", "text") else None


def _lower(names: Iterable[str]) -> list[str]:
    return [name.strip().strip('"\ufeff').lower() for name in names]
