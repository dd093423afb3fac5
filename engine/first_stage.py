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

from engine.fusion import Bounds, Floats, Pool, Ranks, cosine_at, normal_dense, normal_lexical
from engine.settings import SearchSettings
from indexer.encoding import Vectors
from indexer.protocol import NOTHING, Candidates, IndexReader, LexicalQuery, Numbers, Scores, Selection


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


@dataclass(slots=True)
class _Side:
    """One of the two indexes, asked ever deeper."""

    used: bool
    total: int
    found: Candidates = NOTHING
    exhausted: bool = True

    def __post_init__(self) -> None:
        self.exhausted = not self.used

    def depth(self, depth: int) -> int:
        """How deep to ask; 0 where there is nothing more."""
        return 0 if self.exhausted else depth

    def learn(self, found: Candidates, depth: int) -> None:
        """Take the answer to having asked so deep."""
        if not self.exhausted:
            self.found = found
            self.exhausted = len(found) < min(depth, self.total) or depth >= self.total

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
    lexical = _Side(bool(query.clauses) and alpha < 1, total)
    dense = _Side(alpha > 0, total)
    # What is best does not depend on the depth, so neither does a score.
    whole = settings.fusion == "convex" and settings.document_share > 0 and lexical.used
    highest = 0.0
    depth = min(settings.depth, max(total, 1))
    # Of a few long documents each is met soon: there is no need to look deeper for more than there are.
    answering = reader.document_count if selection is None else selection.count
    while True:
        proposed = reader.propose(
            query, vector, lexical.depth(depth), dense.depth(depth), selection, whole and not highest
        )
        lexical.learn(proposed.lexical, depth)
        dense.learn(proposed.dense, depth)
        highest = highest or proposed.whole_best
        step("propose")
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
    if alpha >= 1:
        highest = 0.0
    share = settings.document_share if highest > 0 else 0.0
    retrieval = replace(
        _pooled(reader, query, vector, alpha, share, lexical, dense, highest, depth), complete=complete
    )
    step("scores")
    if settings.grouping != "max":
        retrieval = _with_all_passages(reader, query, vector, retrieval)
    elif settings.fusion == "convex" and 0 < alpha < 1:
        retrieval = _with_better_passages(reader, query, vector, retrieval, lexical.floor, dense.floor)
    step("complete")
    return retrieval


def _pooled(
    reader: IndexReader,
    query: LexicalQuery,
    vector: Vectors | None,
    alpha: float,
    share: float,
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
    names = np.unique(documents)
    nowhere = np.zeros(len(passages), dtype=np.bool_)
    both = 0 < alpha < 1
    no_words = lexical_rank == 0 if both and not lexical.exhausted else nowhere
    no_meaning = dense_rank == 0 if both and vector is not None and not dense.exhausted else nowhere
    asked = names if share > 0 else names[:0]
    whole = np.zeros(len(names))
    if no_words.any() or no_meaning.any() or len(asked):
        scores = reader.scores_of(query, vector, passages[no_words], passages[no_meaning], asked)
        bm25[no_words], cosine[no_meaning] = scores.bm25, scores.cosines
        whole[: len(asked)] = scores.whole
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
        share=share,
        whole=whole,
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
    if not len(open_):
        return retrieval
    least = cosine_at((best[open_] - words_floor) / alpha, pool.bounds).astype(np.float32)
    passages, documents, found = reader.passages_near(vector, names[open_], least, retrieval.passages)
    # Where the list by cosine is exhausted, what is outside has no vector.
    cosine = np.full(len(passages), np.nan) if dense_floor is None else found.astype(np.float64)
    reach = alpha * normal_dense(cosine, pool.bounds) + words_floor
    hopeful = reach > best[np.searchsorted(names, documents)]
    passages, documents, cosine = passages[hopeful], documents[hopeful], cosine[hopeful]
    bm25: Scores | Floats = np.zeros(len(passages))
    if lexical_floor is not None and len(passages):
        bm25 = reader.lexical_scores(query, passages)
    return added(retrieval, passages, documents, bm25, cosine)


def _with_all_passages(
    reader: IndexReader, query: LexicalQuery, vector: Vectors | None, retrieval: Retrieval
) -> Retrieval:
    """Return the retrieval with all passages of its documents: what `mean` and `sum` look at."""
    passages, documents = others(reader, np.unique(retrieval.documents), retrieval.passages)
    return looked_up(reader, query, vector, retrieval, passages, documents)


def others(reader: IndexReader, documents: Numbers, known: Numbers) -> tuple[Numbers, Numbers]:
    """Return the passages of some documents that are not known yet, and the document of each."""
    if not len(documents):
        return NOTHING.passages, NOTHING.documents
    passages, owners = reader.passages_of_all(documents)
    new = ~np.isin(passages, known, assume_unique=True)
    return passages[new], owners[new]


def looked_up(
    reader: IndexReader,
    query: LexicalQuery,
    vector: Vectors | None,
    retrieval: Retrieval,
    passages: Numbers,
    documents: Numbers,
) -> Retrieval:
    """Return the retrieval with further passages, and with documents that it has not yet, of all sides that count."""
    known = np.unique(retrieval.documents)
    new = np.setdiff1d(documents, known)
    none = passages[:0]
    scores = reader.scores_of(
        query,
        vector,
        passages if retrieval.alpha < 1 else none,
        passages if vector is not None and retrieval.alpha > 0 else none,
        new if retrieval.share > 0 else none,
    )
    wider = added(
        retrieval,
        passages,
        documents,
        scores.bm25 if len(scores.bm25) else np.zeros(len(passages)),
        scores.cosines if len(scores.cosines) else np.full(len(passages), np.nan),
    )
    whole = scores.whole if len(scores.whole) else np.zeros(len(new))
    order = np.argsort(np.concatenate([known, new]))
    return replace(wider, whole=np.concatenate([retrieval.whole, whole])[order])


def added(
    retrieval: Retrieval,
    passages: Numbers,
    documents: Numbers,
    bm25: Scores | Floats,
    cosine: Scores | Floats,
) -> Retrieval:
    """Return the retrieval with further passages; what is known of whole documents is left as it was."""
    if not len(passages):
        return retrieval
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
