"""The candidate list of one search, fixed: every page of it is made from the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.diversity import diversify
from engine.first_stage import Retrieval
from engine.fusion import Bounds, document_part, fuse
from engine.grouping import Groups, group
from engine.ledger import DECIMALS
from engine.ranking import FacetCounts, order_documents
from engine.settings import SearchSettings
from engine.snapshot import Snapshot
from indexer.protocol import IndexReader, Numbers

MAX_FROZEN = 1000
"""So many documents can be paged through; more only where k asks for more at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One document of the list: what is fixed about it.

    Args:
        doc_id: Its id.
        score: Its final score.
        words: What the words of passages brought of it.
        whole: What the words of the whole document brought.
        diversity: What diversity took, 0 or negative; meaning brought the rest.
        bm25: BM25 of its best passage, None where words had no say.
        cosine: Cosine of its best passage, None where meaning had no say or there is no vector.
        whole_bm25: BM25 of the whole document, None where whole documents had no say.
        lexical_rank: The best passage's place by words, None beyond the depth.
        dense_rank: Its place by meaning.
        fused_rank: The document's place before diversity.
        document: Its number, in the reader that the list is shown with.
        passages: Its best passages' numbers there, and their scores, best first.
    """

    doc_id: str
    score: float
    words: float
    whole: float
    diversity: float
    bm25: float | None
    cosine: float | None
    whole_bm25: float | None
    lexical_rank: int | None
    dense_rank: int | None
    fused_rank: int
    document: int
    passages: tuple[tuple[int, float], ...]

    @property
    def meaning(self) -> float:
        """What meaning brought."""
        return round(self.score - self.words - self.whole - self.diversity, DECIMALS)


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for all of a list, on whichever page.

    Args:
        bounds: The best scores of each side.
        alpha: The weight of meaning that held.
        corrected: The text searched in place of the query's, or the empty string.
        found: How many documents are in the list.
        complete: Whether these are all that match.
        generation: The generation it was made from.
        notices: What the user was told.
        suggestions: What was suggested.
        facets: What was counted.
    """

    bounds: Bounds
    alpha: float
    corrected: str
    found: int
    complete: bool
    generation: int
    notices: tuple[str, ...]
    suggestions: tuple[str, ...]
    facets: dict[str, FacetCounts]


class FusedRows:
    """The rows of a search just done, best first."""

    def __init__(
        self,
        snapshot: Snapshot,
        retrieval: Retrieval,
        settings: SearchSettings,
        wanted: int = 0,
    ) -> None:
        pool, alpha, share = retrieval.pool, retrieval.alpha, retrieval.share
        fused = fuse(settings.fusion, pool, alpha, settings.rrf_k).less_words(share)
        groups = group(
            retrieval.passages,
            retrieval.documents,
            fused,
            settings.grouping,
            settings.group_top,
            whole=document_part(retrieval.whole, pool.bounds, alpha, share),
            ties=pool.lexical,
        )
        self._retrieval = retrieval
        self._groups = groups
        self._shown = settings.passages_per_hit
        self._passage_scores = np.round(fused.scores, DECIMALS)
        self._words = np.round(groups.fused.words, DECIMALS).tolist()
        self._whole = np.round(groups.whole, DECIMALS).tolist()
        self._scores = np.round(groups.scores, DECIMALS).tolist()
        self._whole_bm25: dict[int, float] = {}
        if share > 0:
            numbers = np.unique(retrieval.documents).tolist()
            self._whole_bm25 = dict(zip(numbers, np.round(retrieval.whole, 5).tolist(), strict=True))
        self._diversity = [0.0] * len(self._scores)
        self._doc_ids = snapshot.doc_ids(groups.documents)
        self._order = order_documents(self._scores, self._doc_ids)[: max(MAX_FROZEN, wanted)]
        self._fused_rank = {at: rank for rank, at in enumerate(self._order, 1)}
        if settings.diversity > 0 and len(self._order) > 1:
            self._diversify(snapshot.reader, groups, settings.diversity)

    def _diversify(self, reader: IndexReader, groups: Groups, diversity: float) -> None:
        kept = np.array(self._order)
        lead = self._retrieval.passages[groups.rows[groups.starts[:-1][kept]]]
        relevance = np.array(self._scores)[kept]
        order, penalties = diversify(
            relevance, reader.vectors(lead), [self._doc_ids[i] for i in kept], diversity
        )
        for row, penalty in zip(order, penalties, strict=True):
            at = self._order[row]
            self._words[at] = round((1 - diversity) * self._words[at], DECIMALS)
            self._whole[at] = round((1 - diversity) * self._whole[at], DECIMALS)
            self._diversity[at] = round(penalty, DECIMALS)
            self._scores[at] = round((1 - diversity) * self._scores[at] + penalty, DECIMALS)
        self._order = sorted(self._order, key=lambda at: (-self._scores[at], self._doc_ids[at]))

    def __len__(self) -> int:
        """How many documents."""
        return len(self._order)

    def beyond(self, document: int) -> bool:
        """Return whether a document was found, but scored too low to be on a list of bounded length."""
        return self.position(document) is None and bool((self._groups.documents == document).any())

    @property
    def matching(self) -> int:
        """How many documents were found, those beyond the end of the list included."""
        return len(self._scores)

    @property
    def documents(self) -> Numbers:
        """The documents' numbers, in order."""
        return self._groups.documents[np.array(self._order, dtype=np.int64)]

    def position(self, document: int) -> int | None:
        """Return the place of a document in the list, from 0, or None when it is not there."""
        where = np.flatnonzero(self.documents == document)
        return int(where[0]) if len(where) else None

    def __getitem__(self, index: int) -> Row:
        """The row at a place."""
        at = self._order[index]
        groups, pool, alpha = self._groups, self._retrieval.pool, self._retrieval.alpha
        document = int(groups.documents[at])
        rows = groups.rows[groups.starts[at] : min(groups.starts[at] + self._shown, groups.starts[at + 1])]
        lead = rows[0]
        cosine = float(pool.dense[lead])
        return Row(
            doc_id=self._doc_ids[at],
            score=self._scores[at],
            words=self._words[at],
            whole=self._whole[at],
            diversity=self._diversity[at],
            bm25=None if alpha >= 1 else round(float(pool.lexical[lead]), 5),
            cosine=None if alpha <= 0 or cosine != cosine else round(cosine, 5),
            whole_bm25=self._whole_bm25.get(document),
            lexical_rank=int(pool.lexical_rank[lead]) or None,
            dense_rank=int(pool.dense_rank[lead]) or None,
            fused_rank=self._fused_rank[at],
            document=document,
            passages=tuple(
                (int(self._retrieval.passages[row]), float(self._passage_scores[row])) for row in rows
            ),
        )
