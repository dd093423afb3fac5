"""The candidate list of one search, fixed: every page of it is made from the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from engine.diversity import diversify
from engine.first_stage import Retrieval
from engine.fusion import Bounds, Floats, document_part, fuse
from engine.grouping import group
from engine.ledger import DECIMALS
from engine.ranking import FacetCounts, order_documents
from engine.second_stage import Head, Signals
from engine.settings import SearchSettings
from engine.snapshot import Snapshot
from indexer.protocol import IndexReader, Numbers

MAX_FROZEN = 1000
"""So many documents can be paged through; more only where k asks for more at once."""


@dataclass(frozen=True, slots=True)
class Addend:
    """What a signal of the second stage adds to one document's score.

    Args:
        value: What it adds.
        raw: The signal itself; None where the document was not scored, and the lowest of the others stands in.
    """

    value: float
    raw: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One document of the list: what is fixed about it.

    Args:
        doc_id: Its id.
        score: Its final score.
        words: What the words of passages brought of it.
        whole: What the words of the whole document brought.
        diversity: What diversity took, 0 or negative.
        bm25: BM25 of its best passage, None where words had no say.
        cosine: Cosine of its best passage, None where meaning had no say or there is no vector.
        whole_bm25: BM25 of the whole document, None where whole documents had no say.
        lexical_rank: The best passage's place by words, None beyond the depth.
        dense_rank: Its place by meaning.
        fused_rank: The document's place before the second stage.
        document: Its number, in the reader that the list is shown with.
        lead: The number there of the passage that the fused score is of; None when it is gone.
        passages: The numbers there of the passages to show, and their fused scores: the one that the cross-encoder
            found best first, then by score.
        late: What late interaction added, None where it had no say; the next two likewise.
        neighbours: What its neighbours added.
        rerank: What the cross-encoder added. Meaning brought what is left of the score.
        reranked_rank: Its place after the second stage, before diversity; None where there was none.
        read: How many of its passages the cross-encoder read.
        tokens_cut: How many tokens of them did not fit.
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
    lead: int | None
    passages: tuple[tuple[int, float], ...]
    late: Addend | None = None
    neighbours: Addend | None = None
    rerank: Addend | None = None
    reranked_rank: int | None = None
    read: int = 0
    tokens_cut: int = 0

    @property
    def meaning(self) -> float:
        """What meaning brought."""
        others = [addend.value for addend in (self.late, self.neighbours, self.rerank) if addend]
        return round(self.score - self.words - self.whole - self.diversity - math.fsum(others), DECIMALS)


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
        reranked_depth: How many documents the cross-encoder read.
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
    reranked_depth: int = 0


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
        self._reranked_rank: dict[int, int] = {}
        self._addends: dict[str, list[Addend]] = {}
        self._place: dict[int, int] = {}
        self._signals: Signals | None = None

    def head(self, depth: int, passages: int) -> Head:
        """Return the first documents of the list, with so many of the best passages of each."""
        groups, numbers = self._groups, self._retrieval.passages
        first = self._order[:depth]
        starts, ends = groups.starts[:-1], groups.starts[1:]
        return Head(
            np.array([self._scores[at] for at in first], dtype=np.float64),
            [numbers[groups.rows[starts[at] : min(starts[at] + passages, ends[at])]] for at in first],
        )

    def rerank(self, signals: Signals, settings: SearchSettings) -> None:
        """Put the list in the order that signals of its `head` give."""
        self._signals = signals
        self._place = {at: place for place, at in enumerate(self._order[: len(signals.best)])}
        weighted = {
            "late": (signals.late, settings.late_weight * signals.unit),
            "neighbours": (signals.neighbours, settings.neighbours_weight),
            "rerank": (signals.rerank, settings.rerank_weight * signals.unit),
        }
        for name, (raw, weight) in weighted.items():
            if raw is not None:
                self._add(name, raw, weight)
        self._sort()
        self._reranked_rank = {at: rank for rank, at in enumerate(self._order, 1)}

    def _add(self, name: str, raw: Floats, weight: float) -> None:
        lowest = Addend(round(weight * float(np.nanmin(raw)), DECIMALS), None)
        self._addends[name] = [lowest] * len(self._scores)
        for at, place in self._place.items():
            value = float(raw[place])
            if value == value:
                self._addends[name][at] = Addend(round(weight * value, DECIMALS), round(value, 5))
        for at in self._order:
            self._scores[at] = round(self._scores[at] + self._addends[name][at].value, DECIMALS)

    def diversify(self, reader: IndexReader, diversity: float) -> None:
        """Put documents that are like those above them further down."""
        groups = self._groups
        if diversity <= 0 or len(self._order) < 2:
            return
        kept = np.array(self._order)
        lead = self._retrieval.passages[groups.rows[groups.starts[:-1][kept]]]
        relevance = np.array(self._scores)[kept]
        order, penalties = diversify(
            relevance, reader.vectors(lead), [self._doc_ids[i] for i in kept], diversity
        )

        def less(value: float) -> float:
            return round((1 - diversity) * value, DECIMALS)

        for row, penalty in zip(order, penalties, strict=True):
            at = self._order[row]
            self._words[at] = less(self._words[at])
            self._whole[at] = less(self._whole[at])
            for addends in self._addends.values():
                addends[at] = replace(addends[at], value=less(addends[at].value))
            self._diversity[at] = round(penalty, DECIMALS)
            self._scores[at] = round((1 - diversity) * self._scores[at] + penalty, DECIMALS)
        self._sort()

    def _sort(self) -> None:
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
        place, signals = self._place.get(at), self._signals
        best = read = cut = 0
        if signals is not None and place is not None:
            best, read, cut = (int(part[place]) for part in (signals.best, signals.read, signals.tokens_cut))
        start, end = groups.starts[at], groups.starts[at + 1]
        rows = groups.rows[start : min(start + max(self._shown, best + 1), end)]
        lead = rows[0]
        cosine = float(pool.dense[lead])
        shown = list(dict.fromkeys([int(rows[best]), *rows.tolist()]))[: self._shown]
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
            lead=int(self._retrieval.passages[lead]),
            passages=tuple(
                (int(self._retrieval.passages[row]), float(self._passage_scores[row])) for row in shown
            ),
            late=self._addend("late", at),
            neighbours=self._addend("neighbours", at),
            rerank=self._addend("rerank", at),
            reranked_rank=self._reranked_rank.get(at),
            read=read,
            tokens_cut=cut,
        )

    def _addend(self, name: str, at: int) -> Addend | None:
        return self._addends[name][at] if name in self._addends else None
