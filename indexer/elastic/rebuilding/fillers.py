"""Which way a generation is filled: by copying, or by writing documents anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from indexer.analyser import Analyser
from indexer.elastic.rebuilding.copying import Copier
from indexer.elastic.rebuilding.filling import Filler
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.layout import Layout
from indexer.elastic.rebuilding.rewriting import Rewriter
from indexer.elastic.rebuilding.sending import send
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.writer import ElasticWriter
from indexer.encoding import Encoder
from indexer.errors import FingerprintMismatch
from indexer.passage_encoding import PassageEncoder
from indexer.splitter import Splitter


@contextmanager
def filler_for(
    cluster: Cluster, old: Generation, new: Generation, layout: Layout, given: Encoder | None, threads: int
) -> Iterator[Filler]:
    """Give what fills a generation: a copier, or the ordinary writer where passages are encoded again.

    Args:
        cluster: Where.
        old: What is copied.
        new: What it is copied into.
        layout: Of the new one.
        given: The encoder, where it is at hand; otherwise it is loaded by name when it is needed.
        threads: How many copy at once.
    """
    analyser = Analyser(layout.made.language)
    if not layout.encodes:
        limit = int(cluster.settings.bulk_megabytes * 1e6)
        yield Copier(cluster, old, new, analyser, limit=limit, send=partial(send, cluster), threads=threads)
        return
    encoder = _encoder(layout, given)
    with ElasticWriter(
        cluster,
        new,
        analyser,
        PassageEncoder(encoder, layout.made.coding),
        Splitter(encoder, layout.made.passages),
        relaxes=False,
    ) as writer:
        yield Rewriter(writer)


def _encoder(layout: Layout, given: Encoder | None) -> Encoder:
    identity = layout.made.encoder
    if given is None:
        from indexer.encoder import load_encoder

        given = load_encoder(identity.name, precision=identity.precision)
    if given.fingerprint != identity.fingerprint:
        raise FingerprintMismatch("encoder", identity.fingerprint, given.fingerprint)
    return given
