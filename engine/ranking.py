"""The answer: `Ranking`, its `Hit`s, their passages and snippets; and the one place that orders documents."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from engine.ledger import Ledger
from engine.query import Query
from indexer.document import MetadataValue, Scalar

FacetCounts: TypeAlias = tuple[tuple[Scalar, int], ...]

_SPACE = re.compile(r"\s+")


def order_documents(scores: Sequence[float], doc_ids: Sequence[str]) -> list[int]:
    """Return the order of every ranking: score descending, ties by doc_id ascending (by code point)."""
    return sorted(range(len(scores)), key=lambda i: (-scores[i], doc_ids[i]))


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a document's text that shows why it was found.

    Args:
        text: The characters from `start` to `end` of the source text, exactly.
        start: First character, in the source text.
        end: One past the last character.
        highlights: Spans of the query's words, in the source text, ascending, not overlapping.
        cut_before: The passage begins before the snippet.
        cut_after: The passage goes on after the snippet.
    """

    text: str
    start: int
    end: int
    highlights: tuple[tuple[int, int], ...] = ()
    cut_before: bool = False
    cut_after: bool = False

    def render(
        self, before: str = "**", after: str = "**", escape: Callable[[str], str] = str, ellipsis: str = "…"
    ) -> str:
        """Return the snippet on one line, with marks around the highlights and an ellipsis where it was cut.

        Args:
            before: Put before each highlight, as it is.
            after: Put after each highlight, as it is.
            escape: Applied to the text between marks.
            ellipsis: Put where the passage goes on.
        """
        parts = [ellipsis if self.cut_before else ""]
        at = self.start
        for start, end in self.highlights:
            parts.append(escape(self._line(at, start)))
            parts += (before, escape(self._line(start, end)), after)
            at = end
        parts.append(escape(self._line(at, self.end)))
        parts.append(ellipsis if self.cut_after else "")
        return "".join(parts)

    def to_html(self) -> str:
        """Return the snippet as HTML: the text escaped, highlights in `<mark>`."""
        return self.render("<mark>", "</mark>", html.escape)

    def _line(self, start: int, end: int) -> str:
        return _SPACE.sub(" ", self.text[start - self.start : end - self.start])

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "highlights": [list(span) for span in self.highlights],
            "cut_before": self.cut_before,
            "cut_after": self.cut_after,
        }


@dataclass(frozen=True, slots=True)
class HitPassage:
    """A passage of a document that was found.

    Args:
        start: First character, in the document's text.
        end: One past the last character.
        headings: The headings above it, outermost first.
        page: The page it starts on, from 1; None for documents without pages.
        score: Its own fused score; what the whole document brings is not in it.
        snippet: What to show of it.
    """

    start: int
    end: int
    headings: tuple[str, ...]
    page: int | None
    score: float
    snippet: Snippet

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "start": self.start,
            "end": self.end,
            "headings": list(self.headings),
            "page": self.page,
            "score": self.score,
            "snippet": self.snippet.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found.

    Args:
        doc_id: Its name in the index.
        score: Higher is better; comparable within one query.
        rank: Its place, from 1; a later page goes on counting.
        title: Its title, or the empty string.
        source: Where it came from.
        metadata: Its metadata.
        passages: Its best passages: first the one that the cross-encoder found best, where it read some, then by score.
        ledger: Why it has its score.
    """

    doc_id: str
    score: float
    rank: int
    title: str
    source: str
    metadata: Mapping[str, MetadataValue]
    passages: tuple[HitPassage, ...]
    ledger: Ledger

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON; dates as ISO 8601."""
        return {
            "doc_id": self.doc_id,
            "score": self.score,
            "rank": self.rank,
            "title": self.title,
            "source": self.source,
            "metadata": {name: plain(value) for name, value in self.metadata.items()},
            "passages": [passage.to_json() for passage in self.passages],
            "ledger": self.ledger.to_json(),
        }


def _no_cursor() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer to a query: score descending, ties by doc_id ascending, no repeats.

    Where the query names a field to sort by, its hits are not by score but by that field (`engine.sorting`), ties by
    score, then by doc_id; scores and ledgers are those of the same query unsorted.

    Args:
        hits: The documents of this page.
        query: What was asked.
        k: How many hits were asked for.
        notices: What the user should know about this answer, in plain sentences.
        suggestions: Queries that were perhaps meant: the misspelt words replaced.
        facets: For each field asked for, its values over all documents found, most frequent first.
        found: How many documents are in the list that this is a page of.
        reranked_depth: How many documents of the list the cross-encoder read.
        generation: The index's generation.
        timings: Stage to milliseconds.
        next_page: Makes the cursor; not compared.
    """

    hits: tuple[Hit, ...]
    query: Query
    k: int
    notices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    facets: Mapping[str, FacetCounts] = field(default_factory=lambda: MappingProxyType({}))
    found: int = 0
    reranked_depth: int = 0
    generation: int = 0
    timings: Mapping[str, float] = field(default_factory=dict, compare=False)
    next_page: Callable[[], str | None] = field(default=_no_cursor, compare=False, repr=False)

    @property
    def cursor(self) -> str | None:
        """The token that asks for the page after this one; None when this is the last."""
        return self.next_page()

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON; dates as ISO 8601."""
        return {
            "query": self.query.text,
            "k": self.k,
            "found": self.found,
            "reranked_depth": self.reranked_depth,
            "hits": [hit.to_json() for hit in self.hits],
            "notices": list(self.notices),
            "suggestions": list(self.suggestions),
            "facets": {
                name: [{"value": plain(value), "count": count} for value, count in counts]
                for name, counts in self.facets.items()
            },
            "cursor": self.cursor,
            "generation": self.generation,
            "timings_ms": dict(self.timings),
        }


def plain(value: MetadataValue) -> object:
    """Return a metadata value as JSON holds it: dates as ISO 8601, tuples as lists."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) else value.isoformat()
