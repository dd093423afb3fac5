"""Rows of a candidate list to hits: stored values, snippets and ledgers, for the few that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from engine.account import account
from engine.ledger import Ledger, WordShare
from engine.plan import Plan
from engine.ranking import Hit, HitPassage
from engine.row import Context, Row
from engine.settings import SearchSettings
from engine.snapshot import Snapshot
from engine.snippet import snippet
from indexer.protocol import StoredPassage

_MOST_READ = 20_000
"""Of a longer passage only so many characters are looked at for its snippet."""


@dataclass(frozen=True, slots=True)
class Presenter:
    """Makes hits.

    Args:
        snapshot: Where the rows' numbers lead.
        plan: The query, for highlights and the shares of words.
        settings: How much to show.
        context: What holds for all of the list.
        explain: Whether to look up what each word adds.
    """

    snapshot: Snapshot
    plan: Plan
    settings: SearchSettings
    context: Context
    explain: bool

    def hits(self, rows: Sequence[Row], ranks: Sequence[int]) -> tuple[Hit, ...]:
        """Return the hits of some rows, ranked as told."""
        reader = self.snapshot.reader
        numbers = [number for row in rows for number, _ in row.passages]
        stored = {item.number: item for item in reader.passages(numbers)}
        documents = reader.documents([row.document for row in rows])
        weights = self.snapshot.weights(self.plan.body_terms)
        titles = self._titles(rows)
        shares = self._shares(rows)
        texts = dict(zip(stored, reader.texts([_span(item) for item in stored.values()]), strict=True))
        return tuple(
            Hit(
                doc_id=row.doc_id,
                score=row.score,
                rank=rank,
                title=document.title,
                source=document.source,
                metadata=MappingProxyType(dict(document.metadata)),
                passages=tuple(
                    self._passage(stored[number], texts[number], score, weights)
                    for number, score in row.passages
                ),
                ledger=self._ledger(row, titles, shares),
            )
            for row, rank, document in zip(rows, ranks, documents, strict=True)
        )

    def ledger(self, row: Row) -> Ledger:
        """Return the ledger of a row."""
        return self._ledger(row, self._titles([row]), self._shares([row]))

    def _ledger(
        self, row: Row, titles: Mapping[str, str], shares: Mapping[int, tuple[WordShare, ...]]
    ) -> Ledger:
        if row.because:
            because = tuple(replace(one, title=titles.get(one.doc_id, one.title)) for one in row.because)
            row = replace(row, because=because)
        mine = () if row.lead is None else shares.get(row.lead, ())
        return account(row, self.context, self.settings, mine)

    def _titles(self, rows: Sequence[Row]) -> dict[str, str]:
        """Return the titles of the documents that interests rest on, as far as the index has them."""
        return self.snapshot.titles(one.doc_id for row in rows for one in row.because if one.doc_id)

    def _shares(self, rows: Sequence[Row]) -> dict[int, tuple[WordShare, ...]]:
        """Return what each word adds to the BM25 scores of the rows' leading passages, where that is wanted."""
        leads = [row.lead for row in rows if row.lead is not None and row.bm25 is not None]
        if not self.explain or not leads:
            return {}
        parts = self.snapshot.reader.explain_lexical(self.plan.lexical, np.array(leads, dtype=np.int64))
        return {
            lead: tuple(WordShare(self.plan.label(clause), round(float(value), 5)) for clause, value in words)
            for lead, words in zip(leads, parts, strict=True)
        }

    def _passage(
        self, stored: StoredPassage, text: str, score: float, weights: dict[str, float]
    ) -> HitPassage:
        passage = stored.passage
        return HitPassage(
            start=passage.start,
            end=passage.end,
            headings=passage.headings,
            page=passage.page,
            score=score,
            snippet=snippet(
                text, passage.start, weights, self.snapshot.reader.analyser, self.settings.snippet_chars
            ),
        )


def _span(stored: StoredPassage) -> tuple[int, int, int]:
    """Return what is read of a passage's text: document, start, end."""
    passage = stored.passage
    return stored.document, passage.start, min(passage.end, passage.start + _MOST_READ)
