"""An index on Elasticsearch: create or open it, then take a reader or a writer; as `indexer.index.Index` in a folder.

    index = ElasticIndex.create("elasticsearch://localhost:9200/books", encoder=load_encoder())
    with index.writer() as writer:
        writer.put(Document("hamlet", text))
    index.reader().passage_count

Several writers may be at work at once, on any number of machines, as long as no two have the same document.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType

from indexer.analyser import Analyser
from indexer.backend import IndexStats, Verification
from indexer.document import Document
from indexer.elastic.address import ElasticAddress, as_address
from indexer.elastic.errors import ElasticError, ElasticNotFound
from indexer.elastic.making import make_index
from indexer.elastic.names import build_of, concrete, documents_alias, passages_alias
from indexer.elastic.reading.reader import ElasticReader
from indexer.elastic.reading.stored import stored_documents
from indexer.elastic.rebuilding.generations import Generation, Generations
from indexer.elastic.rebuilding.layout import made_of
from indexer.elastic.rebuilding.turns import where_to_go_on
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.shape.mappings import Made
from indexer.elastic.stats import stats_of
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.bulk import is_blocked
from indexer.elastic.writing.compacting import compact
from indexer.elastic.writing.loading import restore
from indexer.elastic.writing.state import STATE
from indexer.elastic.writing.verify import verify
from indexer.elastic.writing.writer import ElasticWriter
from indexer.encoder.load import Precision
from indexer.encoding import Encoder, TokenEncoder
from indexer.errors import FingerprintMismatch, IndexingError
from indexer.identity import EncoderIdentity, OwnEncoder, identify
from indexer.passage_encoding import PassageEncoder
from indexer.splitter import Splitter, SplitterSettings
from indexer.token_sample import fit_coding

_DEFAULTS = ElasticSettings()

_log = logging.getLogger(__name__)


class ElasticIndex:
    """The index behind one address. Safe to share between threads; a writer is one thread's own."""

    def __init__(
        self, cluster: Cluster, generation: Generation, encoder: Encoder | None, address: ElasticAddress
    ) -> None:
        self._cluster = cluster
        self._generations = Generations(cluster, address.name)
        self._address = address
        self._made = made_of(generation)
        self._seen = generation.documents  # whose making was looked at last
        self.analyser = Analyser(self._made.language)
        self._lock = threading.Lock()
        self._current: tuple[str, ElasticReader] | None = None
        if self.analyser.fingerprint != self._made.analyser:
            raise FingerprintMismatch("analyser", self._made.analyser, self.analyser.fingerprint)
        self._own_encoder = OwnEncoder(self._made.encoder, encoder)

    @classmethod
    def create(
        cls,
        address: ElasticAddress | str,
        *,
        settings: ElasticSettings = _DEFAULTS,
        encoder: Encoder,
        precision: Precision = "auto",
        language: str = "english",
        passages: SplitterSettings | None = None,
        token_vectors: bool = True,
    ) -> ElasticIndex:
        """Make an empty index at an address.

        Args:
            address: Where, and how it is called.
            settings: How to reach the cluster; shards, replicas and quantisation of the index.
            encoder: Encodes passages and queries; an index is opened with the same.
            precision: What to load the encoder at when the index is opened without one.
            language: Of the analyser: a Snowball language.
            passages: How documents are split.
            token_vectors: Whether to keep each token's own vector, coded in 24 bytes, for late interaction; only
                of encoders that give them (`indexer.encoding.TokenEncoder`).

        Raises:
            IndexExists: there is one of this name, or somebody else is making it.
            InvalidSettings: the settings do not go together.
            IndexingError: the cluster does not answer, or refuses.
        """
        where = as_address(address)
        analyser = Analyser(language)
        tokens = token_vectors and isinstance(encoder, TokenEncoder)
        made = Made(
            language=language,
            analyser=analyser.fingerprint,
            encoder=identify(encoder, precision),
            passages=passages or SplitterSettings(),
            coding=fit_coding(encoder) if tokens and isinstance(encoder, TokenEncoder) else None,
            quantisation=settings.quantisation,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        cluster = Cluster.open(where, settings)
        try:
            make_index(cluster, where.name, made, shards=settings.shards, replicas=settings.replicas)
        finally:
            cluster.close()
        return cls.open(where, settings=settings, encoder=encoder)

    @classmethod
    def open(
        cls,
        address: ElasticAddress | str,
        *,
        settings: ElasticSettings = _DEFAULTS,
        encoder: Encoder | None = None,
    ) -> ElasticIndex:
        """Open the index at an address; settings for loading that a crash left behind are put back.

        Args:
            address: Where, and how it is called.
            settings: How to reach the cluster.
            encoder: The one it was made with; without it, that one is loaded by name when first needed.

        Raises:
            IndexNotFound: there is none.
            IndexVersionMismatch: it is of another format version, or the server of one that Quire does not work with.
            FingerprintMismatch: it was made with another analyser or encoder.
            IndexUnavailable: the cluster does not answer.
        """
        where = as_address(address)
        cluster = Cluster.open(where, settings)
        try:
            generation = Generations(cluster, where.name).current()
            index = cls(cluster, generation, encoder, where)
            if not generation.blocked:
                try:
                    restore(cluster, generation)
                except ElasticError as error:  # who only reads may not, and need not
                    _log.info(
                        "%s: whether its settings are those for loading was not looked at: %s", where, error
                    )
        except BaseException:
            cluster.close()
            raise
        return index

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self._address)

    @property
    def name(self) -> str:
        """What it is called on the cluster."""
        return self._address.name

    @property
    def cluster(self) -> Cluster:
        """The cluster that it is on."""
        return self._cluster

    @property
    def passages(self) -> SplitterSettings:
        """How documents are split."""
        return self._made.passages

    @property
    def encoder_identity(self) -> EncoderIdentity:
        """Which encoder it was made with."""
        return self._made.encoder

    @property
    def keeps_token_vectors(self) -> bool:
        """Whether it was made with them."""
        return self._made.coding is not None

    @property
    def encoder(self) -> Encoder:
        """The encoder the index was made with, loaded on first use.

        Raises:
            ModelNotFound: it is nowhere to be found.
            FingerprintMismatch: what was found under its name is another one.
        """
        return self._own_encoder.get()

    def reader(self) -> ElasticReader:
        """Return a reader of the last commit; the same one until there is a newer, or another making of the index.

        Raises:
            IndexNotFound: the index is gone.
            FingerprintMismatch: it was rebuilt with another analyser or encoder: open it again.
            IndexUnavailable: the cluster does not answer.
        """
        with self._lock:
            documents, generation = self._state()
            if self._current is not None:
                known, reader = self._current
                if known == documents and reader.generation == generation:
                    return reader
            if documents != self._seen:
                self._seen = self._remade().documents
            number = build_of(documents, documents_alias(self._address.name))
            passages = concrete(passages_alias(self._address.name), number)
            reader = ElasticReader.open(self._cluster, passages, documents, self.analyser)
            before, self._current = self._current, (documents, reader)
        del (
            before
        )  # requests of other threads may still be using it; what it holds on the server ends by itself
        return reader

    def writer(self) -> ElasticWriter:
        """Return a writer; several may be at work at once. Use it as a context manager.

        Raises:
            InvalidSettings: the index keeps token vectors, and the encoder gives none.
            IndexUnavailable: the cluster does not answer.
            IndexLocked: it is closed to writers.
        """
        while True:
            generation = self._remade()
            if generation.blocked:  # a rebuild takes its last step
                where_to_go_on(self._cluster, generation)
                generation = self._remade()
            encoder = PassageEncoder(self.encoder, self._made.coding)
            splitter = Splitter(self.encoder, self.passages)
            try:
                return ElasticWriter(self._cluster, generation, self.analyser, encoder, splitter)
            except ElasticError as error:
                if not is_blocked(error):
                    raise

    def documents(self) -> Iterator[Document]:
        """Yield every document as it was added, by number."""
        yield from stored_documents(self._cluster, self._generations.current().documents)

    def compact(self) -> None:
        """Take what was deleted or replaced off the disk: about half a minute or more; other requests go on meanwhile.

        Raises:
            IndexUnavailable: the cluster did not finish in four hours; what it has begun goes on.
        """
        compact(self._cluster, self._generations.current())

    def verify(self) -> Verification:
        """Check that every document has all of its passages, vectors and text, and nothing has more; reads it all."""
        return verify(self._cluster, self._generations.current(), self._made)

    def stats(self) -> IndexStats:
        """Return what the index holds and how much room it takes, copies included."""
        generation = self._generations.current()
        return stats_of(self._cluster, generation, self.reader(), self._made, self.address)

    def _state(self) -> tuple[str, int]:
        """Return the index of documents that counts, by its own name, and its last commit."""
        alias = documents_alias(self._address.name)
        try:
            told = self._cluster.request("GET", f"/{alias}/_doc/{STATE}", params={"routing": STATE})
        except ElasticNotFound:
            return self._generations.current().documents, 0
        return str(told["_index"]), int(told["_source"]["generation"])

    def _remade(self) -> Generation:
        """Return the generation that counts, after looking how it was made."""
        generation = self._generations.current()
        made = made_of(generation)
        if made.analyser != self._made.analyser:
            raise FingerprintMismatch("analyser", made.analyser, self._made.analyser)
        if made.encoder.fingerprint != self._made.encoder.fingerprint:
            raise FingerprintMismatch("encoder", made.encoder.fingerprint, self._made.encoder.fingerprint)
        self._made = made
        return generation

    def close(self) -> None:
        """Close the reader and the connections."""
        with self._lock:
            current, self._current = self._current, None
        if current is not None:
            with contextlib.suppress(IndexingError):
                current[1].close()
        self._cluster.close()

    def __enter__(self) -> ElasticIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
