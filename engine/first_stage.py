"""Both indexes propose passages; every proposal gets both scores, exactly.

With convex fusion and `max` grouping a document's score is its best passage's over *all* of its passages,
whatever the depth was. Passages that neither index proposed can score at most the threshold
`alpha · dense(depth) + (1 - alpha) · (1 - share) · lexical(depth)` (Fagin's threshold algorithm), so only
documents whose best is below it are looked into further, and there only passages whose cosine leaves them a
chance. The share of the words' weight that goes to the whole document is the same for all of its passages:
it has no part in finding the best of them, and is looked up for the documents that the pool holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.fusion import Bounds, Floats, Pool, Ranks, normal_dense, normal_lexical
from engine.settings import SearchSettings
from indexer.encoding import Vectors
from indexer.protocol import Candidates, IndexReader, LexicalQuery, Numbers, Selection


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the first stage knows.

    Args:
        passages: Passage numbers, ascending, no repeats, shape (n,).
        documents: The document of each.
        pool: Their scores and ranks, in the same order.
        alpha: The weight of meaning that holds for this query: 0 or 1 where one side decides alone.
        share: The share of the words' weight that whole documents have: 0 where they have no say.
        whole: BM25 of whole documents, in the order of their numbers, shape (m,); zeros without a share.
        depth: How many passages each index was asked for in the end.
        complete: Whether no document outside could be found by asking deeper.
    """

    passages: Numbers
    documents: Numbers
    pool: Pool
    alpha: float
    share: float
    whole: Floats
    depth: int
    complete: bool


NOTHING = Candidates(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


@dataclass(slots=True)
class _Side:
    """One of the two indexes, asked ever deeper."""

    ask: Callable[[int], Candidates]
    used: bool
    total: int
    found: Candidates = NOTHING
    exhausted: bool = True

    def __post_init__(self) -> None:
        self.exhausted = not self.used

    def deepen(self, depth: int) -> None:
        if self.exhausted:
            return
        self.found = self.ask(depth)
        self.exhausted = len(self.found) < min(depth, self.total) or depth >= self.total

    @property
    def best(self) -> float | None:
        return float(self.found.scores[0]) if len(self.found) else None

    @property
    def floor(self) -> float | None:
        """The most that a passage outside the list can score; None when none is outside."""
        return None if self.exhausted else float(self.found.scores[-1])


def retrieve(
    reader: IndexReader,
    query: LexicalQuery,
    vector: Vectors | None,
    alpha: float,
    settings: SearchSettings,
    selection: Selection | None,
    wanted: int,
    step: Callable[[str], None],
) -> Retrieval:
    """Return the candidates for a query: of at least `wanted` documents, unless fewer match.

    Args:
        reader: The index.
        query: What BM25 scores; with no clauses it proposes nothing.
        vector: What the query means, or None where that is not known.
        alpha: Weight of meaning, 0 to 1.
        settings: Depth, fusion and grouping.
        selection: The documents that may answer; None for all.
        wanted: How many documents are wanted.
        step: Called with a stage's name when it is done.
    """
    if vector is None:
        alpha = 0.0
    total = reader.passage_count
    lexical = _Side(
        lambda depth: reader.lexical(query, depth, selection), bool(query.clauses) and alpha < 1, total
    )
    dense = _Side(lambda depth: _dense(reader, vector, depth, selection), alpha > 0, total)
    depth = min(settings.depth, max(total, 1))
    # Of a few long documents each is met soon: there is no need to look deeper for more than there are.
    answering = reader.document_count if selection is None else selection.count
    while True:
        lexical.deepen(depth)
        step("lexical")
        dense.deepen(depth)
        step("dense")
        found = np.concatenate([lexical.found.documents, dense.found.documents])
        met = len(np.unique(found))
        complete = (lexical.exhausted and dense.exhausted) or met >= answering
        if complete or met >= wanted:
            break
        depth *= 2
    if not len(lexical.found):
        alpha = 1.0 if len(dense.found) else 0.0
    elif not len(dense.found):
        alpha = 0.0
    # What is best does not depend on the depth, so neither does a score.
    highest = 0.0
    if settings.fusion == "convex" and settings.document_share > 0 and alpha < 1:
        highest = reader.whole_best(query, selection)
    retrieval = replace(
        _pooled(reader, query, vector, alpha, lexical, dense, highest, depth),
        share=settings.document_share if highest > 0 else 0.0,
        complete=complete,
    )
    if settings.grouping != "max":
        retrieval = _with_all_passages(reader, query, vector, retrieval)
    elif settings.fusion == "convex" and 0 < alpha < 1:
        retrieval = _with_better_passages(reader, query, vector, retrieval, lexical.floor, dense.floor)
    step("complete")
    names = np.unique(retrieval.documents)
    whole = np.zeros(len(names))
    if retrieval.share > 0:
        whole = reader.whole_scores(query, names).astype(np.float64)
        step("whole")
    return replace(retrieval, whole=whole)


def _dense(
    reader: IndexReader, vector: Vectors | None, depth: int, selection: Selection | None
) -> Candidates:
    return NOTHING if vector is None else reader.dense(vector, depth, selection)


def _pooled(
    reader: IndexReader,
    query: LexicalQuery,
    vector: Vectors | None,
    alpha: float,
    lexical: _Side,
    dense: _Side,
    highest: float,
    depth: int,
) -> Retrieval:
    """Return the union of both lists with both scores of every passage."""
    passages, where = np.unique(
        np.concatenate([lexical.found.passages, dense.found.passages]), return_index=True
    )
    documents = np.concatenate([lexical.found.documents, dense.found.documents])[where]
    bm25, lexical_rank = _placed(passages, lexical.found, 0.0)
    cosine, dense_rank = _placed(passages, dense.found, np.nan)
    if 0 < alpha < 1:
        outside = lexical_rank == 0
        if not lexical.exhausted and outside.any():
            bm25[outside] = reader.lexical_scores(query, passages[outside])
        outside = dense_rank == 0
        if vector is not None and not dense.exhausted and outside.any():
            cosine[outside] = reader.dense_scores(vector, passages[outside])
    best_lexical, best_dense = lexical.best, dense.best
    bounds = Bounds(
        best_lexical if best_lexical is not None else 0.0,
        best_dense if best_dense is not None else -1.0,
        reader.unrelated_cosine,
        highest,
    )
    pool = Pool(bm25, cosine, lexical_rank, dense_rank, bounds)
    return Retrieval(
        passages=passages,
        documents=documents,
        pool=pool,
        alpha=alpha,
        share=0.0,
        whole=np.zeros(0),
        depth=depth,
        complete=lexical.exhausted and dense.exhausted,
    )


def _placed(passages: Numbers, found: Candidates, otherwise: float) -> tuple[Floats, Ranks]:
    scores = np.full(len(passages), otherwise, dtype=np.float64)
    ranks = np.zeros(len(passages), dtype=np.int64)
    at = np.searchsorted(passages, found.passages)
    scores[at] = found.scores
    ranks[at] = np.arange(1, len(found) + 1)
    return scores, ranks


def _with_better_passages(
    reader: IndexReader,
    query: LexicalQuery,
    vector: Vectors | None,
    retrieval: Retrieval,
    lexical_floor: float | None,
    dense_floor: float | None,
) -> Retrieval:
    """Return the retrieval with every passage that neither index proposed, yet is its document's best."""
    if vector is None or (lexical_floor is None and dense_floor is None):
        return retrieval
    pool, alpha = retrieval.pool, retrieval.alpha
    words = (1 - alpha) * (1 - retrieval.share)
    words_floor = words * float(normal_lexical(np.array([lexical_floor or 0.0]), pool.bounds)[0])
    # A passage outside an exhausted dense list has no vector, and so no share of meaning.
    meaning_floor = 0.0
    if dense_floor is not None:
        # Outside the list may be passages without a vector, too; they get 0.
        meaning_floor = max(alpha * float(normal_dense(np.array([dense_floor]), pool.bounds)[0]), 0.0)
    scores = words * normal_lexical(pool.lexical, pool.bounds)
    scores += alpha * normal_dense(pool.dense, pool.bounds)
    names, group = np.unique(retrieval.documents, return_inverse=True)
    best = np.full(len(names), -np.inf)
    np.maximum.at(best, group, scores)
    open_ = np.flatnonzero(best < words_floor + meaning_floor)
    passages, documents = others(reader, names[open_], retrieval.passages)
    if not len(passages):
        return retrieval
    cosine = np.full(len(passages), np.nan)
    if dense_floor is not None:
        cosine = reader.dense_scores(vector, passages).astype(np.float64)
    reach = alpha * normal_dense(cosine, pool.bounds) + words_floor
    hopeful = reach > best[np.searchsorted(names, documents)]
    passages, documents, cosine = passages[hopeful], documents[hopeful], cosine[hopeful]
    return added(reader, query, retrieval, passages, documents, cosine, lexical_floor is not None)


def _with_all_passages(
    reader: IndexReader, query: LexicalQuery, vector: Vectors | None, retrieval: Retrieval
) -> Retrieval:
    """Return the retrieval with all passages of its documents: what `mean` and `sum` look at."""
    passages, documents = others(reader, np.unique(retrieval.documents), retrieval.passages)
    if not len(passages):
        return retrieval
    cosine = np.full(len(passages), np.nan)
    if vector is not None and retrieval.alpha > 0:
        cosine = reader.dense_scores(vector, passages).astype(np.float64)
    return added(reader, query, retrieval, passages, documents, cosine, retrieval.alpha < 1)


def others(reader: IndexReader, documents: Numbers, known: Numbers) -> tuple[Numbers, Numbers]:
    """Return the passages of some documents that are not known yet, and the document of each."""
    if not len(documents):
        return NOTHING.passages, NOTHING.documents
    passages, owners = reader.passages_of_all(documents)
    new = ~np.isin(passages, known, assume_unique=True)
    return passages[new], owners[new]


def added(
    reader: IndexReader,
    query: LexicalQuery,
    retrieval: Retrieval,
    passages: Numbers,
    documents: Numbers,
    cosine: Floats,
    lexical: bool,
) -> Retrieval:
    """Return the retrieval with further passages; their BM25 scores are looked up where `lexical`.

    What is known of whole documents is left as it was.
    """
    if not len(passages):
        return retrieval
    bm25 = np.zeros(len(passages))
    if lexical:
        bm25 = reader.lexical_scores(query, passages).astype(np.float64)
    pool, none = retrieval.pool, np.zeros(len(passages), dtype=np.int64)
    every = np.concatenate([retrieval.passages, passages])
    order = np.argsort(every)
    return replace(
        retrieval,
        passages=every[order],
        documents=np.concatenate([retrieval.documents, documents])[order],
        pool=Pool(
            lexical=np.concatenate([pool.lexical, bm25])[order],
            dense=np.concatenate([pool.dense, cosine])[order],
            lexical_rank=np.concatenate([pool.lexical_rank, none])[order],
            dense_rank=np.concatenate([pool.dense_rank, none])[order],
            bounds=pool.bounds,
        ),
    )
