"""The candidate list of one search, fixed: every page of it is made from the same rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from engine.diversity import diversify
from engine.first_stage import Retrieval
from engine.fusion import Floats, document_part, fuse
from engine.grouping import group
from engine.interest_term import InterestTerm, Scored
from engine.ledger import DECIMALS, Because
from engine.ranking import order_documents
from engine.row import Addend, Row
from engine.second_stage import Head, Signals
from engine.settings import SearchSettings
from engine.snapshot import Snapshot
from indexer.encoding import Vectors
from indexer.protocol import IndexReader, Numbers

MAX_FROZEN = 1000
"""So many documents can be paged through; more only where k asks for more at once."""


class FusedRows:
    """The rows of a search just done, best first.

    Args:
        snapshot: The index.
        retrieval: The candidates.
        settings: How to fuse and group them.
        wanted: How many documents are asked for.
        outside: Numbers of candidates that the reader's interests alone proposed: they join the list with `tilt`.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        retrieval: Retrieval,
        settings: SearchSettings,
        wanted: int = 0,
        outside: Collection[int] = (),
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
        ordered = order_documents(self._scores, self._doc_ids)
        self._outside: list[int] = []
        if outside:
            proposed = set(outside)
            self._outside = [at for at in ordered if int(groups.documents[at]) in proposed]
            kept = set(self._outside)
            ordered = [at for at in ordered if at not in kept]
        self._matching = len(ordered)
        self._order = ordered[: max(MAX_FROZEN, wanted)]
        self._fused_rank = _ranks(self._order)
        self._reranked_rank: dict[int, int] = {}
        self._anonymous_rank: dict[int, int] = {}
        self._added: dict[str, list[float]] = {}  # by signal: what it adds to each score
        self._facts: dict[str, dict[int, float]] = {}  # and the signal itself, where there is one
        self._place: dict[int, int] = {}
        self._signals: Signals | None = None
        self._tilted: dict[int, int] = {}
        self._term: InterestTerm | None = None

    def head(self, depth: int, passages: int) -> Head:
        """Return the first documents of the list, with so many of the best passages of each."""
        groups, numbers = self._groups, self._retrieval.passages
        first = self._order[:depth]
        starts, ends = groups.starts[:-1], groups.starts[1:]
        return Head(
            np.array([self._scores[at] for at in first], dtype=np.float64),
            [numbers[groups.rows[starts[at] : min(starts[at] + passages, ends[at])]] for at in first],
            groups.documents[np.array(first, dtype=np.int64)],
            self._retrieval.pool.bounds,
        )

    def rerank(self, signals: Signals, settings: SearchSettings) -> None:
        """Put the list in the order that signals of its `head` give."""
        self._signals = signals
        self._place = {at: place for place, at in enumerate(self._order[: len(signals.best)])}
        weighted = {
            "late": (signals.late, settings.late_weight * signals.unit),
            "gist": (signals.gist, settings.gist_weight * signals.unit),
            "neighbours": (signals.neighbours, settings.neighbours_weight),
            "rerank": (signals.rerank, settings.rerank_weight * signals.unit),
        }
        for name, (raw, weight) in weighted.items():
            if raw is not None:
                self._add(name, self._place, weight * raw, raw)
        self._sort()
        self._reranked_rank = _ranks(self._order)

    def _add(self, name: str, place: Mapping[int, int], values: Floats, raw: Floats) -> None:
        """Add to each score the value at its place; the lowest of all to those that have none."""
        added = [round(float(np.nanmin(values)), DECIMALS)] * len(self._scores)
        facts: dict[int, float] = {}
        listed, facts_of = values.tolist(), raw.tolist()
        for at, found in place.items():
            value, fact = listed[found], facts_of[found]
            if value == value:
                added[at] = round(value, DECIMALS)
                if fact == fact:
                    facts[at] = fact
        self._added[name], self._facts[name] = added, facts
        for at in (*self._order, *self._outside):
            self._scores[at] = round(self._scores[at] + added[at], DECIMALS)

    def leave_out(self, doc_ids: Collection[str]) -> int:
        """Take these documents out of the list, and return how many of them were in it."""
        kept = [at for at in self._order if self._doc_ids[at] not in doc_ids]
        gone = len(self._order) - len(kept)
        self._order = kept
        self._matching -= gone
        return gone

    def scored(self, depth: int, terms: int, vector: Vectors | None) -> Scored:
        """Return what interests need to know of the first documents, and after them of those that they proposed."""
        listed = self._order[:depth]
        places = listed + self._outside
        return Scored(
            self._groups.documents[np.array(places, dtype=np.int64)],
            [self._doc_ids[at] for at in places],
            np.array([self._scores[at] for at in places], dtype=np.float64),
            len(listed),
            terms,
            vector,
            self._retrieval.alpha,
            self._retrieval.pool.bounds,
        )

    def note_ranks(self, reader: IndexReader, diversity: float) -> None:
        """Remember the order, variety included, as the one that nobody in particular gets."""
        order, _ = self._varied(reader, diversity)
        self._anonymous_rank = _ranks([self._order[row] for row in order])

    def tilt(self, depth: int, term: InterestTerm) -> None:
        """Put the list in the order that the interests in the documents of `scored(depth)` give."""
        self._term = term
        self._tilted = {at: place for place, at in enumerate(self._order[:depth] + self._outside)}
        self._add("interest", self._tilted, term.values, term.raw)
        self._order += self._outside
        self._matching += len(self._outside)
        self._sort()

    def diversify(self, reader: IndexReader, diversity: float) -> None:
        """Put documents that are like those above them further down."""
        if diversity <= 0 or len(self._order) < 2:
            return
        order, penalties = self._varied(reader, diversity)

        def less(value: float) -> float:
            return round((1 - diversity) * value, DECIMALS)

        for row, penalty in zip(order, penalties, strict=True):
            at = self._order[row]
            self._words[at] = less(self._words[at])
            self._whole[at] = less(self._whole[at])
            for added in self._added.values():
                added[at] = less(added[at])
            self._diversity[at] = round(penalty, DECIMALS)
            self._scores[at] = round((1 - diversity) * self._scores[at] + penalty, DECIMALS)
        self._sort()

    def reorder(self, places: Sequence[int]) -> None:
        """Put the documents of the list at other places: each of these is one's place till now."""
        self._order = [self._order[place] for place in places]

    def _varied(self, reader: IndexReader, diversity: float) -> tuple[list[int], list[float]]:
        """Return the rows of the list in the order that variety gives, and each one's penalty."""
        count = len(self._order)
        if diversity <= 0 or count < 2:
            return list(range(count)), [0.0] * count
        groups, kept = self._groups, np.array(self._order)
        lead = self._retrieval.passages[groups.rows[groups.starts[:-1][kept]]]
        relevance = np.array(self._scores)[kept]
        return diversify(relevance, reader.vectors(lead), [self._doc_ids[i] for i in kept], diversity)

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
        return self._matching

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
            fused_rank=self._fused_rank.get(at),
            document=document,
            lead=int(self._retrieval.passages[lead]),
            passages=tuple(
                (int(self._retrieval.passages[row]), float(self._passage_scores[row])) for row in shown
            ),
            late=self._addend("late", at),
            gist=self._addend("gist", at),
            neighbours=self._addend("neighbours", at),
            rerank=self._addend("rerank", at),
            reranked_rank=self._reranked_rank.get(at),
            read=read,
            tokens_cut=cut,
            interest=self._addend("interest", at),
            because=self._because(at),
            anonymous_rank=self._anonymous_rank.get(at),
        )

    def _because(self, at: int) -> tuple[Because, ...]:
        place = self._tilted.get(at)
        return () if self._term is None or place is None else self._term.because(place)

    def _addend(self, name: str, at: int) -> Addend | None:
        if name not in self._added:
            return None
        fact = self._facts[name].get(at)
        return Addend(self._added[name][at], None if fact is None else round(fact, 5))


def _ranks(order: list[int]) -> dict[int, int]:
    return {at: rank for rank, at in enumerate(order, 1)}
