"""From a row of the list to the account of its score: `account`."""

from __future__ import annotations

from collections.abc import Iterator

from engine.ledger import Because, Ledger, Term, WordShare
from engine.row import Addend, Context, Row
from engine.second_stage import on_scale
from engine.settings import SearchSettings


def account(row: Row, context: Context, settings: SearchSettings, words: tuple[WordShare, ...]) -> Ledger:
    """Return the ledger of a row: what each signal that had a say brought, and the facts behind it.

    Args:
        row: The document.
        context: What holds for all of the list.
        settings: How it was made.
        words: What each word adds to BM25; empty where nobody asked.
    """
    return Ledger(
        terms=(*_first_terms(row, context), *_second_terms(row, settings)),
        bm25=row.bm25,
        cosine=row.cosine,
        document_bm25=row.whole_bm25,
        lexical_rank=row.lexical_rank,
        dense_rank=row.dense_rank,
        fused_rank=row.fused_rank,
        bounds=context.bounds,
        alpha=context.alpha,
        fusion=settings.fusion,
        grouping=settings.grouping,
        words=words,
        tokens_cut=row.tokens_cut,
        reranked_rank=row.reranked_rank,
        because=row.because,
        anonymous_rank=row.anonymous_rank,
    )


def _first_terms(row: Row, context: Context) -> Iterator[Term]:
    yield Term("words", row.words, _words_detail(row, context))
    if row.whole_bm25 is not None:
        detail = (
            f"words in the whole document: BM25 {row.whole_bm25:.3f} of at most {context.bounds.document:.3f}"
        )
        yield Term("document", row.whole, detail)
    yield Term("meaning", row.meaning, _meaning_detail(row, context))


def _words_detail(row: Row, context: Context) -> str:
    if context.alpha >= 1:
        return "words had no say"
    place = f"passage {row.lexical_rank} by words" if row.lexical_rank else "not proposed by words"
    return f"BM25 {row.bm25 or 0.0:.3f} of at most {context.bounds.lexical:.3f}, {place}"


def _meaning_detail(row: Row, context: Context) -> str:
    if context.alpha <= 0:
        return "meaning had no say"
    if row.cosine is None:
        return "the passage has no vector"
    place = f"passage {row.dense_rank} by meaning" if row.dense_rank else "not proposed by meaning"
    return f"cosine {row.cosine:.3f} of at most {context.bounds.dense:.3f}, {place}"


def _second_terms(row: Row, settings: SearchSettings) -> Iterator[Term]:
    scale = "" if on_scale(settings) else " × the highest fused score"
    if row.late:
        detail = f"tokens meet their like at a cosine of {row.late.raw or 0:.3f}, × {settings.late_weight:g}{scale}"
        yield Term("late", row.late.value, _or_lowest(row.late, detail, "not compared token by token"))
    if row.gist:
        detail = (
            f"the document as a whole is {row.gist.raw or 0:.3f} like the query, "
            f"× {settings.gist_weight:g}{scale}"
        )
        yield Term("gist", row.gist.value, _or_lowest(row.gist, detail, "the document has no vector"))
    if row.neighbours:
        detail = (
            f"the nearest candidates score {row.neighbours.raw or 0:.3f}, × {settings.neighbours_weight:g}"
        )
        yield Term(
            "neighbours", row.neighbours.value, _or_lowest(row.neighbours, detail, "no candidate is near")
        )
    if row.rerank:
        passages = f"{row.read} passages" if row.read > 1 else "the best passage"
        detail = (
            f"cross-encoder {row.rerank.raw or 0:.2f}, × {settings.rerank_weight:g}{scale}, of {passages}"
        )
        detail += f", {row.tokens_cut} tokens cut" if row.tokens_cut else ""
        yield Term("rerank", row.rerank.value, _or_lowest(row.rerank, detail, "not reranked"))
    if row.interest:
        yield Term(
            "interest",
            row.interest.value,
            _or_lowest(row.interest, _interest_detail(row), "met before, or beyond what interests look at"),
        )
    if row.diversity:
        yield Term("diversity", row.diversity, "likeness to the documents above it")


def _interest_detail(row: Row) -> str:
    liked = [_named(one) for one in row.because if one.value >= 0]
    disliked = [_named(one) for one in row.because if one.value < 0]
    parts = [*liked[:1], *(f"unlike your taste: {name}" for name in disliked[:1])]
    return "; ".join(parts) or "the past has nothing to say about it here"


def _named(one: Because) -> str:
    name = f"{one.title or one.doc_id!s:.80}"
    if one.source == "declared":
        return f"you are interested in “{name}” (cosine {one.value:.3f})"
    if one.source == "own":
        return f"you called it good ({one.kind})"
    if one.source == "together":
        return f"others who met “{name}”, as you did, met it too (brings {one.value:.3f})"
    return f"near “{name}” (cosine {abs(one.value):.3f}), which you met ({one.kind})"


def _or_lowest(addend: Addend, detail: str, why: str) -> str:
    return f"{why}: counted as the lowest" if addend.raw is None else detail
