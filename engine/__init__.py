"""The query layer: a question in, a ranking out, with an account of every score.

    with SearchEngine.open("my-index") as engine:
        for hit in engine.search('turbine +blade "boundary layer" year:>=1960', k=5).hits:
            print(hit.rank, hit.doc_id, hit.passages[0].snippet.render(), hit.ledger)

- `SearchEngine` answers: `search`, `asearch`, `why_not`; around a search: `complete`, `mark`, `document`, `similar`.
- `Query` and `SearchSettings` say what is asked, and how.
- `Ranking`, `Hit`, `HitPassage`, `Snippet`, `Ledger`, `Because` and `WhyNot` are the answers; `Completion`, `Mark`,
  `DocumentText` and `Similar` those around them.
- `Event` is what a reader did, `Interests` what comes of it, `PersonalSettings` how much it counts.
- `SearchError` is the root of what can go wrong (`engine.errors`).

Inside: `syntax` and `plan` read the query, `first_stage` finds candidates, `fusion`, `grouping` and `diversity`
order them, `personal` tilts the order, `frozen` and `cursor` keep the list for later pages, `present` and `snippet`
make hits of its rows.
Importing this package imports none of that; a name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.completion.completion import Completion
    from engine.document_text import DocumentPassage, DocumentText
    from engine.errors import (
        BackendUnavailable,
        IndexOpenError,
        InvalidCursor,
        InvalidProfileChange,
        InvalidQuery,
        InvalidSearchSettings,
        NoSuchDocument,
        NoSuchIndex,
        ReaderStoreBusy,
        ReaderStoreError,
        SearchCancelled,
        SearchError,
    )
    from engine.event import Event, InvalidEvent
    from engine.ledger import Because, Ledger, Term, WordShare
    from engine.marking import Mark
    from engine.personal.interests import Interest, Interests
    from engine.personal.settings import PersonalSettings
    from engine.query import Query
    from engine.ranking import Hit, HitPassage, Ranking, Snippet
    from engine.search_engine import SearchEngine
    from engine.settings import SearchSettings
    from engine.similar import Similar, SimilarDocument
    from engine.why_not import WhyNot

__all__ = [
    "BackendUnavailable",
    "Because",
    "Completion",
    "DocumentPassage",
    "DocumentText",
    "Event",
    "Hit",
    "HitPassage",
    "IndexOpenError",
    "Interest",
    "Interests",
    "InvalidCursor",
    "InvalidEvent",
    "InvalidProfileChange",
    "InvalidQuery",
    "InvalidSearchSettings",
    "Ledger",
    "Mark",
    "NoSuchDocument",
    "NoSuchIndex",
    "PersonalSettings",
    "Query",
    "Ranking",
    "ReaderStoreBusy",
    "ReaderStoreError",
    "SearchCancelled",
    "SearchEngine",
    "SearchError",
    "SearchSettings",
    "Similar",
    "SimilarDocument",
    "Snippet",
    "Term",
    "WhyNot",
    "WordShare",
]

_HOME = {
    "BackendUnavailable": "engine.errors",
    "Because": "engine.ledger",
    "Completion": "engine.completion.completion",
    "DocumentPassage": "engine.document_text",
    "DocumentText": "engine.document_text",
    "Event": "engine.event",
    "Hit": "engine.ranking",
    "HitPassage": "engine.ranking",
    "IndexOpenError": "engine.errors",
    "Interest": "engine.personal.interests",
    "Interests": "engine.personal.interests",
    "InvalidCursor": "engine.errors",
    "InvalidEvent": "engine.event",
    "InvalidProfileChange": "engine.errors",
    "InvalidQuery": "engine.errors",
    "InvalidSearchSettings": "engine.errors",
    "Ledger": "engine.ledger",
    "Mark": "engine.marking",
    "NoSuchDocument": "engine.errors",
    "NoSuchIndex": "engine.errors",
    "PersonalSettings": "engine.personal.settings",
    "Query": "engine.query",
    "Ranking": "engine.ranking",
    "ReaderStoreBusy": "engine.errors",
    "ReaderStoreError": "engine.errors",
    "SearchCancelled": "engine.errors",
    "SearchEngine": "engine.search_engine",
    "SearchError": "engine.errors",
    "SearchSettings": "engine.settings",
    "Similar": "engine.similar",
    "SimilarDocument": "engine.similar",
    "Snippet": "engine.ranking",
    "Term": "engine.ledger",
    "WhyNot": "engine.why_not",
    "WordShare": "engine.ledger",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
