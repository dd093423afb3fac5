"""Judgements: TREC qrels, BEIR's TSV, and tables. A document that several subtopics judge has its highest grade."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eval.collection import Qrels
from eval.errors import FormatError
from eval.formats.lines import decoded, kind_of, replacing
from eval.formats.table import TABLES, Schema, records, required_text, write_records
from eval.formats.trec import checked_names, checked_suffix, columns

SCHEMA = Schema(
    "judgement",
    {
        "query_id": ("query_id", "query-id", "qid", "query", "topic", "topic_id"),
        "doc_id": ("doc_id", "doc-id", "corpus-id", "corpus_id", "docid", "docno", "doc", "did", "pid"),
        "grade": ("grade", "relevance", "rel", "score", "label"),
        "subtopic": ("subtopic", "subtopic_id", "iteration", "iter"),
    },
    ("query_id", "doc_id", "grade"),
    {3: ("query_id", "doc_id", "grade"), 4: ("query_id", "subtopic", "doc_id", "grade")},
)


def read_qrels(path: str | Path) -> dict[str, dict[str, int]]:
    """Read judgements: query to document to grade, in the order of the file.

    The same judgement may be there twice; a document that a file judges for several subtopics has the highest of
    its grades.

    Raises:
        FormatError: a line that cannot be read, or two grades for one document and query.
        MissingDependency: Parquet without pyarrow.
    """
    qrels: dict[str, dict[str, int]] = {}
    seen: dict[tuple[str, str, str], int] = {}
    for line, query_id, subtopic, doc_id, grade in _judgements(Path(path)):
        grades = qrels.setdefault(query_id, {})
        if doc_id in grades:
            _refuse_contradiction(Path(path), line, (query_id, subtopic, doc_id), grade, seen, grades)
            grade = max(grade, grades[doc_id])
        elif subtopic not in ("", "0", "Q0"):
            seen[query_id, subtopic, doc_id] = grade
        grades[doc_id] = grade
    return qrels


def read_subtopics(path: str | Path) -> dict[str, dict[str, dict[str, int]]]:
    """Read judgements of subtopics: query to subtopic to document to grade.

    In TREC's format the second column names the subtopic, as in the diversity tasks of its web tracks.

    Raises:
        FormatError: a line that cannot be read, or two grades for one document and subtopic.
        MissingDependency: Parquet without pyarrow.
    """
    subtopics: dict[str, dict[str, dict[str, int]]] = {}
    for line, query_id, subtopic, doc_id, grade in _judgements(Path(path)):
        grades = subtopics.setdefault(query_id, {}).setdefault(subtopic or "0", {})
        if grades.setdefault(doc_id, grade) != grade:
            raise _contradiction(Path(path), line, query_id, doc_id, grades[doc_id], grade)
    return subtopics


def write_qrels(qrels: Qrels, path: str | Path) -> None:
    """Write judgements, whole or not at all.

    Raises:
        InvalidEvaluation: an id that TREC's format or TSV cannot hold, or a suffix that names no format.
        MissingDependency: Parquet without pyarrow.
    """
    path = Path(path)
    kind = kind_of(path)
    rows = ((query, doc, grade) for query, grades in qrels.items() for doc, grade in grades.items())
    if kind in TABLES:
        # BEIR's own header, which its tools skip unread.
        names = ("query-id", "corpus-id", "score") if kind == ".tsv" else ("query_id", "doc_id", "grade")
        write_records(path, names, rows)
        return
    checked_suffix(path, kind, TABLES)
    checked_names(path, "query_id", qrels)
    checked_names(path, "doc_id", (doc for grades in qrels.values() for doc in grades))
    with replacing(path) as file:
        for query, doc, grade in rows:
            file.write(f"{query} 0 {doc} {grade}\n".encode())


def _judgements(path: Path) -> Iterator[tuple[int, str, str, str, int]]:
    """Yield line, query, subtopic, document and grade."""
    if kind_of(path) not in TABLES:
        for number, (query, subtopic, doc, grade) in columns(path, "query_id iteration doc_id grade"):
            yield (
                number,
                decoded(path, number, query),
                decoded(path, number, subtopic),
                decoded(path, number, doc),
                _grade(path, number, grade.decode("utf-8", "replace")),
            )
        return
    for number, record in records(path, SCHEMA):
        query_id = required_text(path, number, record, "query_id", SCHEMA)
        doc_id = required_text(path, number, record, "doc_id", SCHEMA)
        yield (
            number,
            query_id,
            str(record.get("subtopic") or ""),
            doc_id,
            _grade(path, number, record.get("grade")),
        )


def _grade(path: Path, line: int, value: object) -> int:
    try:
        if isinstance(value, str):
            return int(value) if value.strip().lstrip("+-").isdigit() else _whole(float(value))
        if isinstance(value, int | float):
            return _whole(value)
    except (ValueError, OverflowError):
        pass  # said below, with what was found
    raise FormatError(
        path, line, f"the grade is {value!r:.60}; expected a whole number (1 and more is relevant)"
    )


def _whole(value: float) -> int:
    if value != int(value):
        raise ValueError(value)
    return int(value)


def _refuse_contradiction(
    path: Path,
    line: int,
    key: tuple[str, str, str],
    grade: int,
    seen: dict[tuple[str, str, str], int],
    grades: dict[str, int],
) -> None:
    query_id, subtopic, doc_id = key
    before = grades[doc_id] if subtopic in ("", "0", "Q0") else seen.setdefault(key, grade)
    if before != grade:
        raise _contradiction(path, line, query_id, doc_id, before, grade)


def _contradiction(path: Path, line: int, query_id: str, doc_id: str, before: int, grade: int) -> FormatError:
    return FormatError(
        path,
        line,
        f"query {query_id!r}, document {doc_id!r} has the grade {grade} here and {before} before; keep one",
    )
