"""What a file holds: a run, judgements or topics, told by its first line."""

from __future__ import annotations

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
_BEIR = {"query-id", "corpus-id", "score"}


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
        parts = (
            text.split("," if kind == ".csv" else "\t") if kind in TABLES or "\t" in text else text.split()
        )
        if text.lstrip().startswith("<"):
            found = "topics"
        else:
            found = (_by_names(parts) if kind in TABLES else None) or _BY_COUNT.get(len(parts))
    if found is None:
        raise FormatError(
            path, 1, "may be a run, judgements or topics; say which (--as run, qrels or topics)"
        )
    return found


def _by_names(names: Iterable[str]) -> Contents | None:
    present = {name.strip().strip('"').lower() for name in names}

    def has(schema: Schema, *fields: str) -> bool:
        return all(present & set(schema.names[field]) for field in fields)

    if "hits" in present or (has(RUN, "query_id", "doc_id") and present & {"rank", "run", "tag"}):
        return "run"
    if has(QRELS, "query_id", "doc_id"):
        graded = present & (set(QRELS.names["grade"]) - {"score"}) or present >= _BEIR
        return "qrels" if graded else None
    return "topics" if has(TOPICS, "query_id", "text") else None
