"""Why a document is not among the results: the stage that left it out, with the figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from engine.answer import Candidates, candidates
from engine.frozen import FusedRows
from engine.ledger import Ledger
from engine.plan import Plan
from engine.present import Presenter
from engine.question import Question
from engine.row import Row
from indexer.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from indexer.protocol import StoredDocument

Stage: TypeAlias = Literal[
    "not indexed",
    "no words",
    "filter",
    "required",
    "excluded",
    "no match",
    "not proposed",
    "below",
    "reranked",
    "interests",
    "left out",
    "found",
]


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What became of one document in one search. `str()` says it in sentences.

    Args:
        doc_id: The document.
        query: The query's text.
        k: How many results were asked for.
        stage: Where it was left out: `not indexed`; `no words` (the query has nothing to look for); `filter`,
            `required`, `excluded` (a condition); `no match` (nothing of the query in it, and meaning had no
            say); `not proposed` (no passage within the depth of either index); `below` (in the list, after the
            k-th); `reranked` (it was among the k before the second stage, which moved it below them); `interests` (it
            is among the k that nobody in particular gets, and the reader's interests moved it below them); `left out`
            (the reader wants to see no more of it, or of what they have met); `found` (it is among the k).
        sentences: The account.
        rank: Its place in the list, from 1; None when it is not in it.
        ledger: Its score; None where it was never scored.
        last: The ledger of the k-th document, which it would have had to beat; None when there is none.
        bm25: BM25 of its best passage by words, None when not looked up.
        cosine: Cosine of its best passage by meaning, None when not looked up or without a vector.
        document_bm25: BM25 of the whole document, None when not looked up or without a say.
        depth: How many passages each index was asked for.
    """

    doc_id: str
    query: str
    k: int
    stage: Stage
    sentences: tuple[str, ...]
    rank: int | None = None
    ledger: Ledger | None = None
    last: Ledger | None = None
    bm25: float | None = None
    cosine: float | None = None
    document_bm25: float | None = None
    depth: int = 0

    def __str__(self) -> str:
        return " ".join(self.sentences)

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "doc_id": self.doc_id,
            "query": self.query,
            "k": self.k,
            "stage": self.stage,
            "sentences": list(self.sentences),
            "rank": self.rank,
            "ledger": self.ledger.to_json() if self.ledger else None,
            "last": self.last.to_json() if self.last else None,
            "bm25": self.bm25,
            "cosine": self.cosine,
            "document_bm25": self.document_bm25,
            "depth": self.depth,
        }


def explain_absence(question: Question, doc_id: str, k: int) -> WhyNot:
    """Return what became of a document in a search for the k best."""
    base = WhyNot(doc_id, question.query.text, k, "not indexed", ())
    document = question.snapshot.reader.find(doc_id)
    if document is None:
        return replace(base, sentences=(f"The index has no document {doc_id!r:.200}.",))
    found = candidates(question, max(k, 1))
    base = replace(base, depth=found.depth)
    if found.inclination is not None and doc_id in found.inclination.left_out:
        reason = "What this reader has met, or wants to see no more of, is left out of their lists, and so is this."
        return replace(base, stage="left out", sentences=(reason,))
    left_out = _by_condition(question, found.plan, document)
    if left_out is not None:
        stage, sentence = left_out
        return replace(base, stage=stage, sentences=(sentence,))
    if found.rows is None:
        return replace(base, stage="no words", sentences=found.plan.notices)
    place = found.rows.position(document.number)
    if place is None:
        return _unlisted(question, found, document, base)
    return _listed(question, found, found.rows, place, base)


def _by_condition(question: Question, plan: Plan, document: StoredDocument) -> tuple[Stage, str] | None:
    reader = question.snapshot.reader
    for filters in (question.query.filters, *plan.filters):
        for part in _parts(filters):
            selection = reader.select(part)
            if selection is not None and document.number not in selection:
                return "filter", f"The filter {describe(part)} leaves it out."
    for clause in plan.required:
        selection = reader.select(None, required=[clause])
        if selection is not None and document.number not in selection:
            return "required", f"None of its passages holds {plan.label(clause)}, which the query requires."
    for clause in plan.excluded:
        selection = reader.select(None, excluded=[clause])
        if selection is not None and document.number not in selection:
            return "excluded", f"It holds {plan.label(clause)}, which the query excludes."
    return None


def _parts(filters: Filter | None) -> Iterator[Filter]:
    if isinstance(filters, And):
        for part in filters.filters:
            yield from _parts(part)
    elif filters is not None:
        yield filters


def _unlisted(question: Question, found: Candidates, document: StoredDocument, base: WhyNot) -> WhyNot:
    if found.rows is not None and found.rows.beyond(document.number):
        sentence = f"It was found, but {len(found.rows):,} documents score higher, and a list holds no more."
        return replace(base, stage="below", sentences=(sentence,))
    reader = question.snapshot.reader
    passages = reader.passages_of(document.number)
    bm25 = float(reader.lexical_scores(found.plan.lexical, passages).max(initial=0.0))
    cosine = None
    if found.meaning.vector is not None:
        cosines = reader.dense_scores(found.meaning.vector, passages)
        if not np.isnan(cosines).all():
            cosine = round(float(np.nanmax(cosines)), 5)
    words = "No passage of it holds a word of the query"
    if bm25 > 0:
        words = f"Its best passage by words has BM25 {bm25:.3f} (the highest is {found.context.bounds.lexical:.3f})"
    meaning = "meaning had no say"
    if cosine is not None:
        meaning = (
            f"its best by meaning has cosine {cosine:.3f} (the highest is {found.context.bounds.dense:.3f})"
        )
    elif found.meaning.vector is not None:
        meaning = "none of its passages has a vector"
    whole, document_bm25, most = "", None, found.context.bounds.document
    if most > 0:
        score = reader.whole_scores(found.plan.lexical, np.array([document.number], dtype=np.int64))
        document_bm25 = round(float(score[0]), 5)
        whole = f", the whole document has BM25 {document_bm25:.3f} (the highest is {most:.3f})"
    sentence = f"{words}{whole}, and {meaning}."
    base = replace(base, bm25=round(bm25, 5), cosine=cosine, document_bm25=document_bm25)
    if bm25 <= 0 and cosine is None:
        return replace(base, stage="no match", sentences=(sentence,))
    reason = f"None of its passages was among the best {found.depth:,} that each index proposed."
    return replace(base, stage="not proposed", sentences=(reason, sentence))


def _listed(question: Question, found: Candidates, rows: FusedRows, place: int, base: WhyNot) -> WhyNot:
    presenter = Presenter(question.snapshot, found.plan, question.settings, found.context, explain=True)
    row = rows[place]
    ledger = presenter.ledger(row)
    base = replace(
        base,
        rank=place + 1,
        ledger=ledger,
        bm25=row.bm25,
        cosine=row.cosine,
        document_bm25=row.whole_bm25,
        stage="found",
    )
    if place < base.k:
        return replace(base, sentences=(f"It is among the results, at rank {place + 1}: {ledger}.",))
    if base.k == 0:
        return replace(base, stage="below", sentences=("No results were asked for (k is 0).",))
    last = presenter.ledger(rows[base.k - 1])
    sentences = (
        f"It is at rank {place + 1} of {len(rows)}, below the {base.k} results asked for.",
        *_moved(row, question.settings.rerank_depth),
        f"Its score is {ledger}; the last result's is {last}.",
    )
    return replace(base, stage=_mover(row, base.k), last=last, sentences=sentences)


def _mover(row: Row, k: int) -> Stage:
    """Return the stage that moved a document below the k-th place; `below` when none did."""
    if row.anonymous_rank is not None and row.anonymous_rank <= k:
        return "interests"
    if (
        row.fused_rank is not None
        and row.reranked_rank is not None
        and row.fused_rank <= k < row.reranked_rank
    ):
        return "reranked"
    return "below"


def _moved(row: Row, depth: int) -> Iterator[str]:
    if row.anonymous_rank is not None:
        yield f"Without the reader's interests it is number {row.anonymous_rank:,}."
    elif row.interest is not None:
        yield "Without the reader's interests it is not in the list."
    if row.reranked_rank is None or row.fused_rank is None:
        return
    if row.fused_rank > depth:
        yield f"It was number {row.fused_rank:,} before reranking, which looks at the first {depth:,} only."
    elif row.fused_rank != row.reranked_rank:
        yield f"It was number {row.fused_rank:,} before reranking, which made it number {row.reranked_rank:,}."


def describe(filters: Filter) -> str:
    """Return a filter as a person would say it."""
    match filters:
        case Eq(name, value):
            return f"{name} = {value}"
        case In(name, values):
            return f"{name} one of {', '.join(map(str, values))}"
        case Range(name, gte, gt, lte, lt):
            bounds = ((">=", gte), (">", gt), ("<=", lte), ("<", lt))
            return " and ".join(f"{name} {sign} {bound}" for sign, bound in bounds if bound is not None)
        case Exists(name):
            return f"{name} has a value"
        case Not(inner):
            return f"not ({describe(inner)})"
        case And(parts):
            return " and ".join(f"({describe(part)})" for part in parts) or "everything"
        case Or(parts):
            return " or ".join(f"({describe(part)})" for part in parts) or "nothing"
