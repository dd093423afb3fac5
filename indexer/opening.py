"""Open or create an index by where it is: a folder, or an address on Elasticsearch.

    open_index("my-index")
    open_index("elasticsearch://localhost:9200/books")

Whatever takes the path of an index takes such an address; the two kinds of index offer the same
(`indexer.backend.DocumentIndex`). What belongs to Elasticsearch is imported when an address asks for it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from indexer.elastic.address import EXAMPLE, is_address, parse_address
from indexer.elastic.environment import settings_from_environment
from indexer.errors import InvalidSettings

if TYPE_CHECKING:
    from indexer.backend import DocumentIndex
    from indexer.elastic.settings import ElasticSettings
    from indexer.encoder.load import Precision
    from indexer.encoding import Encoder
    from indexer.splitter import SplitterSettings

Place: TypeAlias = str | Path
"""Where an index is: the path of a folder, or an address, which is always a string."""


def place_of(text: str | os.PathLike[str]) -> Place:
    """Return a place from how it was written: a string for an address, a Path for a folder.

    Raises:
        InvalidSettings: it is an address that cannot be one, or of something else.
    """
    if is_address(text):
        return str(parse_address(str(text)))
    scheme, mark, _ = str(text).partition("://")
    if mark and isinstance(text, str) and scheme.isalnum():
        raise InvalidSettings(
            f"{scheme}://... is no place of an index: expected a folder, or an address such as {EXAMPLE} "
            "(elasticsearch+https:// for servers with TLS)"
        )
    return Path(text)


def open_index(
    place: str | os.PathLike[str], *, encoder: Encoder | None = None, elastic: ElasticSettings | None = None
) -> DocumentIndex:
    """Open the index in a folder or at an address.

    Args:
        place: The folder, or the address.
        encoder: The one it was made with; without it, that one is loaded by name when first needed.
        elastic: How to reach Elasticsearch; None for what the environment says (QUIRE_ELASTICSEARCH_...). Of no
            account for a folder.

    Raises:
        IndexNotFound: there is none.
        InvalidSettings: that is neither a folder nor an address, or the package for Elasticsearch is missing.
        IndexingError: it cannot be opened: damaged, another format version, another encoder, no answer.
    """
    found = place_of(place)
    if isinstance(found, Path):
        from indexer.index import Index

        return Index.open(found, encoder=encoder)
    from indexer.elastic.index import ElasticIndex

    return ElasticIndex.open(found, settings=elastic or settings_from_environment(), encoder=encoder)


def create_index(
    place: str | os.PathLike[str],
    *,
    encoder: Encoder,
    precision: Precision = "auto",
    language: str = "english",
    passages: SplitterSettings | None = None,
    token_vectors: bool = True,
    elastic: ElasticSettings | None = None,
) -> DocumentIndex:
    """Make an empty index in a folder or at an address.

    Args:
        place: The folder, absent or empty; or the address.
        encoder: Encodes passages and queries; an index is opened with the same.
        precision: What to load the encoder at when the index is opened without one.
        language: Of the analyser: a Snowball language.
        passages: How documents are split.
        token_vectors: Whether to keep each token's own vector.
        elastic: As in `open_index`.

    Raises:
        IndexExists: there is something already.
        IndexingError: as in `open_index`.
    """
    found = place_of(place)
    if isinstance(found, Path):
        from indexer.index import Index

        return Index.create(
            found,
            encoder=encoder,
            precision=precision,
            language=language,
            passages=passages,
            token_vectors=token_vectors,
        )
    from indexer.elastic.index import ElasticIndex

    return ElasticIndex.create(
        found,
        settings=elastic or settings_from_environment(),
        encoder=encoder,
        precision=precision,
        language=language,
        passages=passages,
        token_vectors=token_vectors,
    )
