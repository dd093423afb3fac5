"""Runs: TREC's six columns, tables, and JSON lines of one query each, which also hold times and spans."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eval.errors import FormatError
from eval.formats.lines import decoded, kind_of, replacing
from eval.formats.table import TABLES, Record, Schema, records, required_text, write_records
from eval.formats.trec import checked_names, checked_suffix, columns
from eval.run import Run, Span, in_given_order, in_trec_order

SCHEMA = Schema(
    "hit",
    {
        "query_id": ("query_id", "query-id", "qid", "query", "topic", "topic_id", "q_id"),
        "doc_id": ("doc_id", "doc-id", "corpus-id", "corpus_id", "docid", "docno", "doc", "did", "pid"),
        "score": ("score", "similarity", "sim"),
        "rank": ("rank",),
        "run": ("run", "run_id", "system", "tag", "name"),
        "hits": ("hits",),
        "spans": ("spans",),
        "seconds": ("seconds",),
    },
    ("query_id", "doc_id"),
    {6: ("query_id", "iteration", "doc_id", "rank", "score", "run")},
)
_TOO_LARGE = 2.0**128 - 2.0**103  # from here on, rounding to a float32 gives infinity
_PACKED = (".jsonl", ".ndjson")


@dataclass(slots=True)
class _Gathered:
    """What has been read so far."""

    path: Path
    name: str = ""
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    ranks: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=dict)

    def add(self, line: int, query_id: str, doc_id: str, score: float, *, ranked: bool = False) -> None:
        found = (self.ranks if ranked else self.scores).setdefault(query_id, {})
        if doc_id in found:
            raise FormatError(
                self.path,
                line,
                f"document {doc_id!r} comes twice for query {query_id!r}; a run has each document once",
            )
        found[doc_id] = score

    def run(self, name: str) -> Run:
        """Return the run: by score in trec_eval's order; by rank where there are no scores."""
        rankings = {query: in_trec_order(found) for query, found in self.scores.items()}
        for query, ranks in self.ranks.items():
            ordered = sorted(ranks, key=ranks.__getitem__)
            rankings[query] = in_given_order((doc_id, 1 / (at + 1)) for at, doc_id in enumerate(ordered))
        stem = self.path.name.removesuffix(".gz").rpartition(".")
        return Run(name or self.name or stem[0] or stem[2], rankings, self.seconds, self.spans)


def read_run(path: str | Path, name: str = "") -> Run:
    """Read a run, its documents in trec_eval's order: by score as float32, equal scores by doc_id descending.

    The column of ranks, and the order of the lines, count only in a table that has no scores.

    Args:
        path: The file.
        name: What to call the run; else the name that the file gives it, else the file's own.

    Raises:
        FormatError: a line that cannot be read, a document twice, a score that no float32 holds.
        MissingDependency: Parquet without pyarrow.
    """
    path = Path(path)
    gathered = _Gathered(path)
    if kind_of(path) in TABLES:
        _gather_table(gathered)
    else:
        _gather_trec(gathered)
    return gathered.run(name)


def write_run(run: Run, path: str | Path) -> None:
    """Write a run, whole or not at all; scores stay strictly decreasing as float32, so that no tool reorders it.

    JSON lines keep everything. TREC's format and tables hold the documents and scores alone.

    Raises:
        InvalidEvaluation: an id that TREC's format or TSV cannot hold, or a suffix that names no format.
        MissingDependency: Parquet without pyarrow.
    """
    path = Path(path)
    kind = kind_of(path)
    if kind in _PACKED:
        _write_json_lines(run, path)
    elif kind in TABLES:
        rows = (
            (query, doc, rank, score if kind == ".parquet" else f"{score:.9g}", run.name)
            for query, ranking in run.rankings.items()
            for rank, (doc, score) in enumerate(ranking.items(), 1)
        )
        write_records(path, ("query_id", "doc_id", "rank", "score", "run"), rows)
    else:
        checked_suffix(path, kind, TABLES)
        _write_trec(run, path)


def _write_trec(run: Run, path: Path) -> None:
    checked_names(path, "query_id", run.rankings)
    for ranking in run.rankings.values():
        checked_names(path, "doc_id", ranking)
    tag = "-".join(run.name.split()) or "run"
    with replacing(path) as file:
        for query, ranking in run.rankings.items():
            # Nine digits give every float32 back, read as a double first or not.
            lines = [
                f"{query} Q0 {doc} {rank} {score:.9g} {tag}\n"
                for rank, (doc, score) in enumerate(ranking.items(), 1)
            ]
            file.write("".join(lines).encode())


def _write_json_lines(run: Run, path: Path) -> None:
    with replacing(path) as file:
        for query, ranking in run.rankings.items():
            record: dict[str, Any] = {"query_id": query, "run": run.name, "hits": list(ranking.items())}
            if query in run.seconds:
                record["seconds"] = run.seconds[query]
            if query in run.spans:
                record["spans"] = [(span.doc_id, span.start, span.end) for span in run.spans[query]]
            file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")


def _gather_trec(gathered: _Gathered) -> None:
    path = gathered.path
    for number, parts in columns(path, "query_id Q0 doc_id rank score run_name"):
        query_id, doc_id = decoded(path, number, parts[0]), decoded(path, number, parts[2])
        gathered.add(number, query_id, doc_id, _score(path, number, parts[4].decode("utf-8", "replace")))
        if not gathered.name:
            gathered.name = decoded(path, number, parts[5])


def _gather_table(gathered: _Gathered) -> None:
    path = gathered.path
    for number, record in records(path, SCHEMA):
        query_id = required_text(path, number, record, "query_id", SCHEMA)
        named = record.get("run")
        if named and gathered.name and str(named) != gathered.name:
            raise FormatError(
                path,
                number,
                f"belongs to the run {named!r}, the lines before to {gathered.name!r}; split the file",
            )
        gathered.name = gathered.name or str(named or "")
        if "hits" in record:
            _gather_query(gathered, number, query_id, record)
            continue
        doc_id = required_text(path, number, record, "doc_id", SCHEMA)
        ranked = record.get("score") in (None, "")
        if ranked and record.get("rank") in (None, ""):
            raise FormatError(
                path, number, "has neither a score nor a rank; expected a column of one of them"
            )
        value = _score(path, number, record["rank" if ranked else "score"])
        gathered.add(number, query_id, doc_id, value, ranked=ranked)


def _gather_query(gathered: _Gathered, number: int, query_id: str, record: Record) -> None:
    """Add a line that holds all of one query: hits, seconds, spans."""
    path = gathered.path
    if query_id in gathered.scores:
        raise FormatError(path, number, f"query {query_id!r} comes twice; expected one line a query")
    gathered.scores[query_id] = {}
    for hit in _listed(path, number, record["hits"], "hits", "[doc_id, score]", 2):
        doc_id = required_text(path, number, {"doc_id": hit[0]}, "doc_id", SCHEMA)
        gathered.add(number, query_id, doc_id, _score(path, number, hit[1]))
    if record.get("seconds") is not None:
        gathered.seconds[query_id] = _score(path, number, record["seconds"])
    if record.get("spans") is not None:
        gathered.spans[query_id] = list(spans_of(path, number, record["spans"]))


def spans_of(path: Path, line: int, value: object) -> Iterator[Span]:
    """Yield the spans of a list of `[doc_id, start, end]`.

    Raises:
        FormatError: something else was found.
    """
    for doc_id, start, end in _listed(path, line, value, "spans", "[doc_id, start, end]", 3):
        yield Span(str(doc_id), *offsets(path, line, start, end))


def offsets(path: Path, line: int, start: object, end: object) -> tuple[int, int]:
    """Return a span's offsets.

    Raises:
        FormatError: they are no whole numbers, or not in order.
    """
    if type(start) is int and type(end) is int and 0 <= start <= end:
        return start, end
    raise FormatError(
        path, line, f"the span from {start!r} to {end!r} is none; expected two character offsets, start first"
    )


def _listed(path: Path, line: int, value: object, what: str, form: str, length: int) -> list[list[Any]]:
    if isinstance(value, list) and all(isinstance(each, list) and len(each) == length for each in value):
        return value
    raise FormatError(path, line, f"{what} are {value!r:.60}; expected a list of {form}")


def _score(path: Path, line: int, value: object) -> float:
    try:
        score = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        score = math.nan
    if not abs(score) < _TOO_LARGE:
        raise FormatError(path, line, f"{value!r:.60} is not a finite number that a float32 holds")
    return score


def lost(run: Run, path: str | Path) -> Mapping[str, int]:
    """Return what writing a run to this path would leave out: times or spans, to the number of queries."""
    if kind_of(Path(path)) in _PACKED:
        return {}
    return {what: len(of) for what, of in (("seconds", run.seconds), ("spans", run.spans)) if of}
