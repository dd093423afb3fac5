"""Documents that neither index proposed join the candidates, and are scored by both like any other."""

from __future__ import annotations

import numpy as np

from engine.first_stage import Retrieval, looked_up, others
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
    return looked_up(reader, query, vector, retrieval, passages, owners), frozenset(
        np.unique(owners).tolist()
    )
