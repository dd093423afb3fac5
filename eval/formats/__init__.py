"""Files in and out: topics, judgements, runs, and whole collections, in the formats that this field uses.

The suffix says which format a file is in (`.gz` may follow, but for Parquet):

    .jsonl                       JSON lines, of objects with named fields
    .csv, .tsv, .parquet         tables with named columns; some also without a header
    .run, .trec, .txt, others    TREC's own: columns between spaces, topics between tags

Three roles. `lines` and `table` turn bytes into numbered lines and records, and know nothing of what they mean;
`topics`, `qrels`, `runs` turn those into values and back; `beir` and `irds` find the parts of a collection. A
malformed line is a `FormatError` that names file and line; what is written is whole or absent.
"""

from eval.formats.collections import read_collection
from eval.formats.evidence import read_evidence
from eval.formats.qrels import read_qrels, read_subtopics, write_qrels
from eval.formats.runs import read_run, write_run
from eval.formats.topics import read_topics, write_topics

__all__ = [
    "read_collection",
    "read_evidence",
    "read_qrels",
    "read_run",
    "read_subtopics",
    "read_topics",
    "write_qrels",
    "write_run",
    "write_topics",
]
