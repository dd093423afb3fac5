"""Documents that neither index proposed join the candidates, and are scored by both like any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.first_stage import Retrieval, added, others
from indexer.encoding import Vectors
from indexer.protocol import IndexReader, LexicalQuery, Numbers


def with_documents(
    reader: IndexReader,
    query: LexicalQuery,
    vector: Vectors | None,
    retrieval: Retrieval,
    documents: Numbers,
) -> tuple[Retrieval, frozenset[int]]:
    """Return the retrieval with all passages of further documents, and the numbers of those that are new.

    With convex fusion a document's score depends on nothing but the document and the query, so the others keep
    theirs to the last bit.

    Args:
        reader: The index.
        query: What BM25 scores.
        vector: What the query means; None where meaning has no say.
        retrieval: What the first stage found.
        documents: Which documents; those that it found already are passed over, and so are those without passages.
    """
    known = np.unique(retrieval.documents)
    new = np.setdiff1d(documents, known)
    passages, owners = others(reader, new, retrieval.passages)
    if not len(passages):
        return retrieval, frozenset()
    new = np.unique(owners)
    cosine = np.full(len(passages), np.nan)
    if vector is not None and retrieval.alpha > 0:
        cosine = reader.dense_scores(vector, passages).astype(np.float64)
    wider = added(reader, query, retrieval, passages, owners, cosine, retrieval.alpha < 1)
    whole = np.zeros(len(new))
    if retrieval.share > 0:
        whole = reader.whole_scores(query, new).astype(np.float64)
    order = np.argsort(np.concatenate([known, new]))
    return replace(wider, whole=np.concatenate([retrieval.whole, whole])[order]), frozenset(new.tolist())
