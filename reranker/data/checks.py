"""What is wrong with the data, before any time is spent on it.

`check_judged` looks at judgements before mining, `check` at examples before training. Both read everything once and
keep little: hashes of queries, and for each kind of problem a count and the first few places.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import NamedTuple

from reranker.data.example import Example, TrainingData
from reranker.data.findings import SHOWN, Finding, Findings, Severity
from reranker.data.judged import JudgedQuery
from reranker.data.wording import text_hash


class _Kind(NamedTuple):
    severity: Severity
    problem: str
    advice: str


_KINDS: dict[str, _Kind] = {
    "nothing": _Kind(
        "error", "there is nothing to train on", "Give data with at least one query that can be used."
    ),
    "empty-query": _Kind(
        "error",
        "a query without text, or whose id is not among the topics",
        "Add the text, or take the query out.",
    ),
    "leak": _Kind(
        "error",
        "a dev query that is a training query, too",
        "Take it out of one of them, or dev measures what was learnt by heart; `split_queries` keeps them apart.",
    ),
    "contradiction": _Kind(
        "error",
        "the same query and document with different grades",
        "Keep the right one; two rows that disagree teach nothing.",
    ),
    "nobody-known": _Kind(
        "error",
        "none of the judged documents is in the corpus",
        "Check that judgements and corpus belong together, and that ids are written alike.",
    ),
    "unknown-document": _Kind(
        "warning", "a judged document that is not in the corpus", "It will be left out."
    ),
    "only-zeros": _Kind(
        "warning", "a query with no right answer", "It teaches nothing, and will be left out."
    ),
    "only-positives": _Kind(
        "warning", "a query with right answers only", "Mine negatives for it: it has nothing to compare with."
    ),
    "empty-passage": _Kind("warning", "a passage without text", "Look at how the corpus was read."),
    "two-grades": _Kind(
        "warning",
        "a text that has two grades for one query",
        "Copies in the corpus, of which not all are judged? The guard of mining turns away those that it sees.",
    ),
    "reversed": _Kind(
        "warning",
        "a preference whose reverse is in the data, too",
        "In clicks that is noise; among preferences it is a mistake: keep the right one.",
    ),
    "repeated-query": _Kind(
        "warning",
        "a query that comes more than once in the same part",
        "Its judgements are not put together.",
    ),
}
"""Every kind of finding, in the order in which they are told."""


class _Found:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._places: dict[str, list[str]] = defaultdict(list)

    def add(self, kind: str, place: str) -> None:
        self._counts[kind] += 1
        if len(self._places[kind]) < SHOWN:
            self._places[kind].append(place)

    def findings(self) -> Findings:
        found = [
            Finding(
                name, kind.severity, self._counts[name], kind.problem, kind.advice, tuple(self._places[name])
            )
            for name, kind in _KINDS.items()
            if self._counts[name]
        ]
        return Findings(tuple(sorted(found, key=lambda finding: finding.severity != "error")))


def check_judged(
    train: Iterable[JudgedQuery],
    dev: Iterable[JudgedQuery] = (),
    known: Callable[[str], bool] | None = None,
) -> Findings:
    """Return what is wrong with judgements.

    Args:
        train: To learn from.
        dev: To measure on.
        known: Whether a document is in the corpus; None where that cannot be said.
    """
    found = _Found()
    asked: dict[str, set[bytes]] = {"train": set(), "dev": set()}
    preferred: set[bytes] = set()
    documents = absent = 0
    for part, queries in (("train", train), ("dev", dev)):
        for query in queries:
            place = _place(part, query.query_id, query.query)
            _check_query(found, asked, part, query.query, place)
            _check_judgements(found, query, place)
            _check_reversed(found, preferred, query, place)
            for document in query.judged:
                documents += document.passage is None
                if known is not None and document.passage is None and not known(document.doc_id):
                    absent += 1
                    found.add("unknown-document", f"{document.doc_id!r:.60} of {place}")
    if documents and absent == documents:
        found.add("nobody-known", f"{absent:,} judgements")
    if not asked["train"]:
        found.add("nothing", "no query was given")
    return found.findings()


def check(data: TrainingData) -> Findings:
    """Return what is wrong with examples; reads all of them once."""
    found = _Found()
    asked: dict[str, set[bytes]] = {"train": set(), "dev": set()}
    useful = 0
    for part, examples in (("train", data.train), ("dev", data.dev)):
        for example in examples:
            place = _place(part, example.query_id, example.query)
            _check_query(found, asked, part, example.query, place)
            useful += _check_example(found, example, place) and part == "train"
    if not useful:
        found.add("nothing", "no training example has passages of different grades")
    return found.findings()


def _place(part: str, query_id: str, query: str) -> str:
    return f"{part} {query_id} {query!r:.60}"


def _check_query(found: _Found, asked: dict[str, set[bytes]], part: str, query: str, place: str) -> None:
    if not query.strip():
        found.add("empty-query", place)
        return
    name = text_hash(query)
    if name in asked[part]:
        found.add("repeated-query", place)
    elif part == "dev" and name in asked["train"]:
        found.add("leak", place)
    asked[part].add(name)


def _check_judgements(found: _Found, query: JudgedQuery, place: str) -> None:
    grades: dict[tuple[str, int | None, str], float] = {}
    for document in query.judged:
        text = document.passage.full if document.passage is not None else ""
        key = (document.doc_id, document.ordinal, text)
        if grades.setdefault(key, document.grade) != document.grade:
            found.add(
                "contradiction",
                f"{document.doc_id!r:.60} is {grades[key]:g} and {document.grade:g} for {place}",
            )
        if document.passage is not None and not document.passage.full.strip():
            found.add("empty-passage", f"{document.doc_id!r:.60} of {place}")
    if not query.positives:
        found.add("only-zeros", place)
    elif len(query.positives) == len(query.judged):
        found.add("only-positives", place)


def _check_reversed(found: _Found, preferred: set[bytes], query: JudgedQuery, place: str) -> None:
    """Report preferences (one right answer before wrong ones) that came the other way round."""
    if len(query.positives) != 1:
        return
    better = query.positives[0].doc_id
    for document in query.judged:
        if document.grade == 0:
            if _pair(query.query, document.doc_id, better) in preferred:
                found.add("reversed", f"{better!r:.40} before {document.doc_id!r:.40} for {place}")
            preferred.add(_pair(query.query, better, document.doc_id))


def _pair(query: str, better: str, worse: str) -> bytes:
    text = f"{query}\0{better}\0{worse}"
    return blake2b(text.encode("utf-8", "replace"), digest_size=12).digest()


def _check_example(found: _Found, example: Example, place: str) -> bool:
    """Report what is wrong with an example; return whether it teaches anything."""
    least, most = min(example.grades), max(example.grades)
    if most <= 0:
        found.add("only-zeros", place)
    elif least == most:
        found.add("only-positives", place)
    grades: dict[str, float] = {}
    for passage, grade in zip(example.passages, example.grades, strict=True):
        if not passage.full.strip():
            found.add("empty-passage", place)
            continue
        if grades.setdefault(passage.full, grade) != grade:
            found.add("two-grades", f"{passage.text!r:.40} of {place}")
    return least < most
