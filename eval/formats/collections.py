"""A whole collection by its name: a BEIR folder, or `irds:` and a name that ir_datasets knows."""

from __future__ import annotations

from pathlib import Path

from eval.collection import Collection
from eval.formats.beir import read_beir_folder
from eval.formats.irds import PREFIX, read_irds


def read_collection(source: str | Path, *, split: str = "") -> Collection:
    """Read a test collection: its topics that are judged, judgements, evidence, subtopics; documents on demand.

    A folder is BEIR's: `corpus.jsonl` (`_id`, `title`, `text`), `queries.jsonl` (`_id`, `text`), judgements in
    `qrels.tsv` or `qrels/SPLIT.tsv`, each perhaps gzipped. Beside BEIR's own, a split's files may be named
    `queries.SPLIT.jsonl`, `SPLIT_queries.jsonl`, `qrels.SPLIT.tsv` and so on; `spans.jsonl` (`query`, `doc`, `spans`:
    a list of start and end) holds evidence, `subtopics.tsv` (query, subtopic, document, grade) judgements of
    subtopics. Fields `user`, `ts` and all others of a query: see `read_topics`.

    Args:
        source: The folder, or `irds:NAME`.
        split: Which judgements. Without it: those of no split; else the only split there is; else `test`.

    Raises:
        FormatError: a file is missing, cannot be read, or judges a query that is in no file.
        InvalidEvaluation: there are several splits, and none was named; or ir_datasets knows no such name.
        MissingDependency: `irds:` without ir_datasets.
    """
    name = str(source)
    if name.startswith(PREFIX):
        return read_irds(name.removeprefix(PREFIX) + (f"/{split}" if split else ""))
    return read_beir_folder(Path(source), split)
