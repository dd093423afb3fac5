"""Evidence: which characters of which documents answer a query. JSON lines of `query`, `doc` and `spans`."""

from __future__ import annotations

from pathlib import Path

from eval.errors import FormatError
from eval.formats.runs import offsets
from eval.formats.table import Schema, records, required_text
from eval.run import Span

SCHEMA = Schema(
    "record of evidence",
    {"query": ("query", "query_id", "_id"), "doc": ("doc", "doc_id"), "spans": ("spans",)},
    ("query", "doc", "spans"),
)


def read_evidence(path: str | Path) -> dict[str, list[Span]]:
    """Read evidence: query to spans. A query may have several lines, as when several documents answer it.

    Raises:
        FormatError: a line that cannot be read.
    """
    path = Path(path)
    evidence: dict[str, list[Span]] = {}
    for line, record in records(path, SCHEMA):
        query_id = required_text(path, line, record, "query", SCHEMA)
        doc_id = required_text(path, line, record, "doc", SCHEMA)
        spans = record.get("spans")
        if not isinstance(spans, list) or not all(
            isinstance(each, list) and len(each) == 2 for each in spans
        ):
            raise FormatError(path, line, f"spans are {spans!r:.60}; expected a list of [start, end]")
        evidence.setdefault(query_id, []).extend(
            Span(doc_id, *offsets(path, line, start, end)) for start, end in spans
        )
    return evidence
