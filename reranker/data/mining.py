"""Hard negatives from an index: judged queries in, examples out, one at a time.

For each query the judged documents become passages, and wrong answers are drawn from several lists (`drawing`), past a
guard that keeps out what is probably right (`guard`). A second round, with the trained model as the teacher, adds the
candidates that the model itself is taken in by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from reranker.data.candidates import Candidate, CandidateSource
from reranker.data.concealing import concealed
from reranker.data.drawing import draw
from reranker.data.example import Example
from reranker.data.guard import Guard
from reranker.data.judged import JudgedDocument, JudgedQuery
from reranker.data.mining_settings import MiningReport, MiningSettings
from reranker.scorer import PairScorer


def mine(
    queries: Iterable[JudgedQuery],
    source: CandidateSource,
    settings: MiningSettings | None = None,
    *,
    teacher: PairScorer | None = None,
    report: MiningReport | None = None,
) -> Iterator[Example]:
    """Yield an example for each query that has a right answer and at least one wrong one; nothing is kept in memory.

    Args:
        queries: What is known.
        source: The index.
        settings: Which negatives, how many.
        teacher: A reranker, for the second round: it may veto candidates that it prefers to the positive, and ranks
            those of `settings.teacher`.
        report: Is counted up while examples are made.
    """
    settings, report = settings or MiningSettings(), report or MiningReport()
    for query in queries:
        report.queries += 1
        example = mine_one(query, source, settings, teacher, report)
        if example is not None:
            report.examples += 1
            yield example


def mine_one(
    query: JudgedQuery,
    source: CandidateSource,
    settings: MiningSettings,
    teacher: PairScorer | None,
    report: MiningReport,
) -> Example | None:
    """Return the example of one query; None, with the reason counted in the report, where none can be made."""
    if not query.query.strip():
        report.skipped["no text"] += 1
        return None
    positives, zeros = _judged(query, source, settings, report)
    if not positives:
        report.skipped["no positive in the index"] += 1
        return None
    rights = [entry.candidate for entry in positives]
    guard = Guard(
        settings.guard,
        query.query,
        rights,
        frozenset(document.doc_id for document in query.judged),
        query.shown,
    )
    drawn = draw(query, rights, source, settings, guard, teacher) if settings.negatives else []
    report.refused += guard.refused
    report.negatives["judged"] += len(zeros)
    report.negatives.update(origin for origin, _ in drawn)
    report.short += len(drawn) < settings.negatives
    if not zeros and not drawn and len({entry.grade for entry in positives}) == 1:
        report.skipped["nothing to compare with"] += 1
        return None
    entries = [*positives, *zeros, *(_Entry(candidate, 0.0, 1.0) for _, candidate in drawn)]
    # A text from outside has no score, and where the query is a heading, the first stage has read it off.
    scored = query.shown == "all" and all(document.passage is None for document in query.judged)
    return Example(
        query_id=query.query_id,
        query=query.query,
        passages=tuple(concealed(entry.candidate.passage, query.shown) for entry in entries),
        grades=tuple(entry.grade for entry in entries),
        weights=tuple(entry.weight for entry in entries) if query.weighted else None,
        prior=tuple(round(entry.candidate.score, 6) for entry in entries) if scored else None,
        source=query.source,
    )


def made_from(
    queries: str, source: CandidateSource, settings: MiningSettings, teacher: PairScorer | None = None
) -> str:
    """Return a fingerprint of all that mined examples depend on, for `write_examples`.

    Args:
        queries: One of the judged queries: a hash of their files, say.
        source: The index.
        settings: Which negatives, how many.
        teacher: The reranker of the second round.
    """
    parts = [queries, source.fingerprint, repr(settings), teacher.fingerprint if teacher else ""]
    return blake2b("\n".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Entry:
    candidate: Candidate
    grade: float
    weight: float


def _judged(
    query: JudgedQuery, source: CandidateSource, settings: MiningSettings, report: MiningReport
) -> tuple[list[_Entry], list[_Entry]]:
    """Return the judged passages of grades above 0, best first, and those of 0."""
    by_grade = sorted(query.judged, key=lambda document: -document.grade)
    kept = [document for document in by_grade if document.grade > 0][: settings.most_positives]
    kept += [document for document in by_grade if document.grade == 0][: settings.most_positives]
    found = _looked_up(query.query, kept, source)
    entries = []
    for document in kept:
        if document.passage is not None:
            candidate: Candidate | None = Candidate(document.doc_id, -1, document.passage, 0.0)
        else:
            candidate = found.get((document.doc_id, document.ordinal))
        if candidate is None:
            report.unknown_documents += 1
        elif not concealed(candidate.passage, query.shown).full.strip():
            report.empty_passages += 1
        else:
            entries.append(_Entry(candidate, document.grade, document.weight))
    return [entry for entry in entries if entry.grade > 0], [entry for entry in entries if entry.grade == 0]


def _looked_up(
    query: str, documents: list[JudgedDocument], source: CandidateSource
) -> dict[tuple[str, int | None], Candidate]:
    named = [document for document in documents if document.passage is None]
    doc_ids = list(dict.fromkeys(document.doc_id for document in named if document.ordinal is None))
    keys = [(document.doc_id, document.ordinal) for document in named if document.ordinal is not None]
    found: dict[tuple[str, int | None], Candidate] = {}
    if doc_ids:
        found.update({(candidate.doc_id, None): candidate for candidate in source.best(query, doc_ids)})
    if keys:
        found.update({candidate.key: candidate for candidate in source.exactly(query, keys)})
    return found
