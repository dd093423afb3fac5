"""What the next generation of an index is like: as the current one, but for what is asked to be different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from indexer.analyser import Analyser
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.settings import Quantisation
from indexer.elastic.shape import metadata
from indexer.elastic.shape.mappings import (
    FORMAT,
    Made,
    documents_body,
    format_of,
    metadata_body,
    passages_body,
)
from indexer.elastic.wire.connection import Cluster
from indexer.encoder.load import Precision
from indexer.encoding import Encoder, TokenEncoder
from indexer.errors import IndexCorrupt, IndexVersionMismatch
from indexer.identity import identify
from indexer.splitter import SplitterSettings
from indexer.token_sample import fit_coding

_REFRESH_SECONDS = 600.0
_LOADING = {"number_of_replicas": 0}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the next generation is to be like; None stands for: as now.

    Args:
        quantisation: Of the vectors.
        shards: Primary shards.
        replicas: Copies of each shard.
        language: Of the analyser.
        encoder: Makes the vectors; another than now has every document encoded again.
        precision: What to load that encoder at when the index is opened without one.
        passages: How documents are split; another way than now has every document encoded again.
        token_vectors: Whether to keep each token's vector, when documents are encoded again.
    """

    quantisation: Quantisation | None = None
    shards: int | None = None
    replicas: int | None = None
    language: str | None = None
    encoder: Encoder | None = None
    precision: Precision = "auto"
    passages: SplitterSettings | None = None
    token_vectors: bool | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What a generation is made with.

    Args:
        made: What its mapping says of it.
        shards: Primary shards.
        replicas: Copies of each shard, once it is filled.
        encodes: Whether its documents are written anew by the ordinary writer, not copied.
    """

    made: Made
    shards: int
    replicas: int
    encodes: bool

    def bodies(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what both indexes are made with, for being filled: without copies, without refreshes."""
        found = (
            passages_body(self.made, shards=self.shards, replicas=0),
            documents_body(self.made, shards=self.shards, replicas=0),
        )
        for body in found:
            body["settings"] |= _LOADING
        return found

    def is_of(self, generation: Generation) -> bool:
        """Whether a generation that was begun has this layout, so that it can be gone on with."""
        meta = dict(generation.meta)
        meta.pop("created", None)
        mine = self.made.to_meta()
        mine.pop("created", None)
        return generation.complete and generation.shards == self.shards and meta == mine


def made_of(generation: Generation) -> Made:
    """Return how a generation was made.

    Raises:
        IndexVersionMismatch: in another format version.
        IndexCorrupt: its mapping does not say.
    """
    found = format_of(generation.meta)
    if found != str(FORMAT):
        raise IndexVersionMismatch(
            f"generation {generation.number} of {generation.name} has format {found or 'none'}, this release reads "
            f"{FORMAT}: index the documents again"
        )
    try:
        return Made.from_meta(generation.meta)
    except (KeyError, TypeError, ValueError) as error:
        raise IndexCorrupt(
            f"the mapping of {generation.passages} does not say how it was made ({error!r}): index the documents again"
        ) from error


def layout_of(current: Generation, wanted: Wanted, replicas: int) -> Layout:
    """Return the layout of the generation to be made.

    Args:
        current: The generation that counts.
        wanted: What is to be different.
        replicas: Copies of each shard of the current one, when nobody is loading into it.

    Raises:
        InvalidSettings: the language is unknown, or the vectors cannot be quantised so.
    """
    before = made_of(current)
    language = wanted.language or before.language
    passages = wanted.passages or before.passages
    encoder, coding = before.encoder, before.coding
    if wanted.encoder is not None and wanted.encoder.fingerprint != before.encoder.fingerprint:
        encoder = identify(wanted.encoder, wanted.precision)
        keeps = before.coding is not None if wanted.token_vectors is None else wanted.token_vectors
        coding = fit_coding(wanted.encoder) if keeps and isinstance(wanted.encoder, TokenEncoder) else None
    made = replace(
        before,
        language=language,
        analyser=Analyser(language).fingerprint,
        encoder=encoder,
        passages=passages,
        coding=coding,
        quantisation=wanted.quantisation or before.quantisation,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Layout(
        made,
        wanted.shards or current.shards,
        replicas if wanted.replicas is None else wanted.replicas,
        encodes=encoder != before.encoder or passages != before.passages,
    )


def copy_fields(cluster: Cluster, old: Generation, new: Generation) -> None:
    """Give the new generation every metadata field that the old one has; to be called again when it may have more."""
    told: Mapping[str, Any] = cluster.request("GET", f"/{old.both}/_mapping")
    fields = [metadata.fields_in(each["mappings"]) for each in told.values()]
    pairs = {(name, kind) for found in fields for name, kinds in found.items() for kind in kinds}
    if pairs:
        for index, as_json in ((new.passages, False), (new.documents, True)):
            body = metadata_body(pairs, as_json=as_json)
            cluster.request("PUT", f"/{index}/_mapping", body=body)


def finish_settings(cluster: Cluster, generation: Generation, replicas: int) -> None:
    """Give a filled generation copies of its shards."""
    body = {"index.number_of_replicas": replicas}
    cluster.request("PUT", f"/{generation.both}/_settings", body=body)
    cluster.request("POST", f"/{generation.both}/_refresh", timeout=_REFRESH_SECONDS)
