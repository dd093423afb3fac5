"""Documents: their text, their likes, summaries of them, and what was searched for and not found."""

from __future__ import annotations

from collections.abc import Sequence

from engine.service.client.answers.documents import DocumentText, Similar, Summaries, Summary
from engine.service.client.answers.search import Completions, WhyNot
from engine.service.client.call import Call


def suggest(text: str, *, k: int = 8) -> Call[Completions]:
    """Return queries that what was typed may become, and that have something to find. Needs the scope `search`.

    Args:
        text: What was typed so far.
        k: How many.
    """
    return Call("GET", "/v1/suggest", Completions, params={"q": text, "k": k}, repeatable=True)


def document(doc_id: str, *, start: int = 0, end: int | None = None) -> Call[DocumentText]:
    """Return a stretch of a document's text, with what is known of it. Needs the scope `search`.

    Args:
        doc_id: Which document.
        start: The first character wanted.
        end: One past the last; None for as far as one answer goes.
    """
    params = {"id": doc_id, "start": start, "end": end}
    return Call("GET", "/v1/documents/text", DocumentText, params=params, repeatable=True)


def similar(doc_id: str, *, k: int = 10) -> Call[Similar]:
    """Return the documents most like a given one. Needs the scope `search`.

    Args:
        doc_id: The given document.
        k: How many.
    """
    return Call("GET", "/v1/documents/similar", Similar, params={"id": doc_id, "k": k}, repeatable=True)


def summary(
    doc_id: str, *, query: str = "", length: int = 600, sentences: int | None = None
) -> Call[Summary]:
    """Return the sentences of a document that together say most of it, or most of what a query asks.

    Needs the scope `search`. For a reader, it leans to what interests them.

    Args:
        doc_id: Which document.
        query: What the summary is to answer; empty for the whole document.
        length: Characters that the sentences may have together.
        sentences: How many there may be at most; None for as many as fit.
    """
    params = {"id": doc_id, "q": query, "length": length, "sentences": sentences}
    return Call("GET", "/v1/documents/summary", Summary, params=params, repeatable=True)


def summaries(
    doc_ids: Sequence[str],
    *,
    query: str = "",
    length: int = 600,
    sentences: int | None = None,
    keyphrases: int = 8,
) -> Call[Summaries]:
    """Return summaries of up to 20 documents, and the phrases that name them together. Needs the scope `search`.

    Args:
        doc_ids: Which documents.
        query: What the summaries are to answer; empty for the whole documents.
        length: Characters that the sentences of each may have together.
        sentences: How many each may have at most; None for as many as fit.
        keyphrases: How many phrases are wanted.
    """
    body: dict[str, object] = {
        "ids": list(doc_ids),
        "query": query,
        "length": length,
        "keyphrases": keyphrases,
    }
    if sentences is not None:
        body["sentences"] = sentences
    return Call("POST", "/v1/summaries", Summaries, body=body, repeatable=True)


def why_not(
    query: str, doc_id: str, *, k: int = 10, strength: float = 1.0, rerank_depth: int | None = None
) -> Call[WhyNot]:
    """Return which stage kept a document out of the k best for a query, and by how much. Needs the scope `search`.

    Args:
        query: What was searched for.
        doc_id: Which document.
        k: How many results there were.
        strength: How much the reader's interests counted.
        rerank_depth: How many documents were looked at twice; None for as configured.
    """
    params = {"q": query, "id": doc_id, "k": k, "strength": strength, "rerank_depth": rerank_depth}
    return Call("GET", "/v1/why-not", WhyNot, params=params, repeatable=True)
