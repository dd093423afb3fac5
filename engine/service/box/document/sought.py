"""Where the words of a search stand in a text that no search has put before the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import translated
from engine.plan import make_plan
from engine.settings import SearchSettings

if TYPE_CHECKING:
    from indexer.protocol import IndexReader

Spans = list[tuple[int, int]]


def spans_of(query: str, text: str, offset: int, reader: IndexReader, settings: SearchSettings) -> Spans:
    """Return the spans of a query's words in a text, ascending, by the same analysis as a snippet's highlights.

    Args:
        query: What was searched for, operators included; empty for nothing.
        text: Some of a document.
        offset: Where it begins in the document, which the spans count in.
        reader: The index, for its analyser.
        settings: How it is searched.
    """
    if not query.strip() or not text:
        return []
    with translated():
        terms = make_plan(query, reader, settings).body_terms
        found = reader.analyser.find(text, terms) if terms else []
    return [(offset + token.start, offset + token.end) for token in found if token.start < token.end]
