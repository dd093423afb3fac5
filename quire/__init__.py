"""Search over long documents: words and meaning together, with an account of every score.

    import quire

    with quire.open("my-index") as engine:
        for hit in engine.search("interrupted indexing").hits:
            print(hit.score, hit.title, hit.passages[0].snippet.text)

    with quire.Client("http://localhost:8765", "quire_...") as client:    # of a service: `quire serve my-index`
        ranking = client.search("interrupted indexing")

An index is made with `quire index FOLDER my-index` on the command line, or with `quire.create_index` and
`quire.index_corpus` in Python; the address of one on Elasticsearch may stand wherever a folder may.
Everything here is re-exported from `engine` and `indexer`, and loaded when it is first used: `import quire` costs
milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine import Event, Hit, PersonalSettings, Query, Ranking, SearchEngine, SearchError, SearchSettings
    from engine.service.client import AsyncClient, Client
    from indexer import (
        And,
        Document,
        ElasticSettings,
        Encoder,
        Eq,
        Exists,
        In,
        Index,
        IndexingError,
        Not,
        Or,
        Range,
        create_index,
        filter_from_json,
        index_corpus,
        load_encoder,
        open_index,
        read_corpus,
    )
    from reranker import PairScorer

__all__ = [
    "And",
    "AsyncClient",
    "Client",
    "Document",
    "ElasticSettings",
    "Encoder",
    "Eq",
    "Event",
    "Exists",
    "Hit",
    "In",
    "Index",
    "IndexingError",
    "Not",
    "Or",
    "PersonalSettings",
    "Query",
    "Range",
    "Ranking",
    "SearchEngine",
    "SearchError",
    "SearchSettings",
    "__version__",
    "create_index",
    "filter_from_json",
    "index_corpus",
    "load_encoder",
    "open",
    "open_index",
    "read_corpus",
]

_HOMES = dict.fromkeys(
    ("Event", "Hit", "PersonalSettings", "Query", "Ranking", "SearchEngine", "SearchError", "SearchSettings"),
    "engine",
) | dict.fromkeys(("AsyncClient", "Client"), "engine.service.client")


def open(  # noqa: A001  quire.open reads as it should, and no module does `from quire import *`
    path: str | Path,
    *,
    encoder: Encoder | None = None,
    reranker: PairScorer | str | None = None,
    settings: SearchSettings | None = None,
    tenant: str = "default",
    personal: PersonalSettings | None = None,
    elastic: ElasticSettings | None = None,
) -> SearchEngine:
    """Return a `SearchEngine` over the index at `path`; close it, or use it in a `with` statement.

    Args:
        path: The index's folder, or its address on Elasticsearch: elasticsearch://localhost:9200/books.
        encoder: What to encode queries with; by default the encoder that the index was made with, loaded when
            the first query needs it.
        reranker: A cross-encoder, or its folder or name, in place of the one in `settings`.
        settings: How to search; by default `SearchSettings()`.
        tenant: Whose readers.
        personal: How readers' past counts; by default `PersonalSettings()`.
        elastic: How to reach Elasticsearch; by default what the environment says (QUIRE_ELASTICSEARCH_...).

    Raises:
        SearchError: there is no index at `path`, or it cannot be read.
    """
    from engine import SearchEngine

    return SearchEngine.open(
        path,
        encoder=encoder,
        reranker=reranker,
        settings=settings,
        tenant=tenant,
        personal=personal,
        elastic=elastic,
    )


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = _version()
    elif name in __all__:
        value = getattr(import_module(_HOMES.get(name, "indexer")), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("quire-search")
    except PackageNotFoundError:  # run from the source folder, without having been installed
        return "0+source"
