"""The readers of an index, kept where the index is: in its folder, or beside it on Elasticsearch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import SearchError, translated
from engine.personal.store import ReaderStore

if TYPE_CHECKING:
    from engine.personal.readers import Readers
    from indexer.elastic.settings import ElasticSettings


def readers_of(index: object, tenant: str = "default") -> Readers:
    """Return the readers of an open index.

    Args:
        index: One with a `path`, its folder; or with a `cluster` and its `name` there.
        tenant: Whose.

    Raises:
        InvalidProfileChange: that is no name of a tenant.
        SearchError: the index has neither; or the store cannot be opened.
    """
    path = getattr(index, "path", None)
    if path is not None:
        return ReaderStore.open(path, tenant)
    if getattr(index, "cluster", None) is None:
        raise SearchError(
            "readers are kept beside the index, and this index has no place for them; use SearchEngine.open"
        )
    from engine.personal.elastic.store import ElasticReaderStore

    return ElasticReaderStore.open(index.cluster, index.name, tenant)  # type: ignore[attr-defined]


def open_readers(
    place: str | os.PathLike[str], tenant: str = "default", *, elastic: ElasticSettings | None = None
) -> Readers:
    """Return the readers of the index at a place, which need not be opened, nor even be there any more.

    Args:
        place: The folder of the index, or its address on Elasticsearch.
        tenant: Whose.
        elastic: How to reach Elasticsearch; None for what the environment says.

    Raises:
        InvalidProfileChange: that is no name of a tenant.
        SearchError: the place cannot be one; or the store cannot be opened.
    """
    with translated():
        from indexer.opening import place_of

        found = place_of(place)
        if isinstance(found, Path):
            return ReaderStore.open(found, tenant)
        from engine.personal.elastic.store import ElasticReaderStore
        from indexer.elastic.environment import settings_from_environment
        from indexer.elastic.wire.connection import Cluster

        cluster = Cluster.open(found, elastic or settings_from_environment())
        return ElasticReaderStore.open(cluster, cluster.address.name, tenant, owned=True)
