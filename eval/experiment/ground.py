"""The ground that pipelines run on: a collection's documents, its indexes and the encoders, made once and shared."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.configuration import IndexingSettings
from eval.collection import Collection
from eval.experiment.cache import Cache
from eval.experiment.fingerprint import INDEXING, code_fingerprint, digest
from eval.experiment.pipeline import PipelineFailed
from eval.experiment.result import IndexFacts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.document import Document
    from indexer.encoding import Encoder
    from indexer.index import Index
    from indexer.pipeline import IndexingReport

Doing = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is, and of how much (0: unknown)."""


class Encoders:
    """Encoders by their settings, each loaded once."""

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str, str, bool], Encoder] = {}

    def get(self, settings: IndexingSettings) -> Encoder:
        """Return the encoder that the settings name.

        Raises:
            ModelNotFound, ModelError, InvalidSettings: there is none that can be loaded so.
        """
        from indexer.encoder import load_encoder

        key = (settings.encoder, settings.precision, settings.device, settings.offline)
        if key not in self._loaded:
            self._loaded[key] = load_encoder(
                settings.encoder,
                precision=settings.precision,
                device=settings.device,
                offline=settings.offline or None,
            )
        return self._loaded[key]


class CollectionGround:
    """One collection as pipelines see it; see `eval.experiment.pipeline.Ground`. Close it when done.

    Args:
        collection: The collection, with the topics to answer.
        folder: Where relative paths of the experiment start.
        cache: Where indexes and vectors are kept.
        encoders: Shared with the other collections.
        doing: Told how far things are.
    """

    def __init__(
        self, collection: Collection, folder: Path, cache: Cache, encoders: Encoders, doing: Doing
    ) -> None:
        self.collection = collection
        self.folder = folder
        self._doing = doing
        self._cache = cache
        self._encoders = encoders
        self._corpus: dict[str, str | int] = {}
        self._open: dict[str, tuple[Index, IndexFacts]] = {}

    def progress(self, doing: str, done: int, total: int = 0) -> None:
        """Say what is being done, and how far it is; `total` is 0 where nobody knows."""
        self._doing(doing, done, total)

    def documents(self) -> Iterator[Document]:
        """Yield the collection's documents.

        Raises:
            FormatError: one of them cannot be read.
        """
        yield from self.collection.documents()

    @property
    def document_count(self) -> int:
        """How many documents there are."""
        return int(self._corpus_facts()["documents"])

    @property
    def corpus_fingerprint(self) -> str:
        """A hash of what is in the documents, wherever they lie."""
        return str(self._corpus_facts()["fingerprint"])

    def _corpus_facts(self) -> dict[str, str | int]:
        if not self._corpus:
            key = digest(
                [self.collection.fingerprint, code_fingerprint(("indexer.readers", "indexer.document"))]
            )
            path = self._cache.folder / "corpora" / f"{key}.json"
            self._corpus = self._cache.record(path)
            if not self._corpus:
                total, count = hashlib.blake2b(digest_size=16), 0
                for count, document in enumerate(self.documents(), 1):
                    total.update(
                        f"{document.doc_id}\0{replace(document, source='').content_hash()}\n".encode()
                    )
                    self.progress("reading documents", count, 0)
                self._corpus = {"documents": count, "fingerprint": total.hexdigest()}
                self._cache.keep_record(path, self._corpus)
        return self._corpus

    def encoder(self, settings: IndexingSettings) -> Encoder:
        """Return the encoder that the settings name."""
        return self._encoders.get(settings)

    def index_fingerprint(self, settings: IndexingSettings) -> str:
        """Return a hash of documents, analyser, encoder and splitter, and of whether tokens' vectors are kept."""
        kept = ["token vectors"] if settings.token_vectors else []
        return digest([self.corpus_fingerprint, *self._makers(settings).values(), *kept])

    def _makers(self, settings: IndexingSettings) -> dict[str, str]:
        from indexer.analyser import Analyser
        from indexer.splitter import Splitter, SplitterSettings

        encoder = self.encoder(settings)
        splitter = Splitter(encoder, SplitterSettings(settings.tokens, settings.overlap))
        return {
            "encoder": encoder.fingerprint,
            "analyser": Analyser(settings.language).fingerprint,
            "splitter": splitter.fingerprint,
        }

    def index(self, settings: IndexingSettings) -> tuple[Index, IndexFacts]:
        """Return the collection's index, made or completed now where it is not.

        It is brought up to date again when the code that makes indexes has changed; what is the same then is
        recognised, and costs reading alone.

        Raises:
            PipelineFailed: a document cannot be indexed.
        """
        key = self.index_fingerprint(settings)
        if key not in self._open:
            self._open[key] = self._opened(settings, key)
        return self._open[key]

    def _opened(self, settings: IndexingSettings, key: str) -> tuple[Index, IndexFacts]:
        from indexer.errors import IndexNotFound
        from indexer.index import Index
        from indexer.splitter import SplitterSettings

        folder = self._cache.index_folder(self.collection.name, key)
        made, code = (
            self._cache.record(folder / "made.json"),
            code_fingerprint(INDEXING),
        )
        encoder = self.encoder(settings)
        try:
            index = Index.open(folder / "index", encoder=encoder)
        except IndexNotFound:
            index = Index.create(
                folder / "index",
                encoder=encoder,
                precision=settings.precision,
                language=settings.language,
                passages=SplitterSettings(settings.tokens, settings.overlap),
                token_vectors=settings.token_vectors,
            )
            made = {}
        if made.get("code") != code:
            made = self._completed(index, made) | {"code": code}
            self._cache.keep_record(folder / "made.json", made)
        stats = index.stats()
        facts = IndexFacts(
            documents=stats.documents,
            passages=stats.passages,
            megabytes=stats.megabytes,
            seconds=float(made["seconds"]),
            **self._makers(settings),
        )
        return index, facts

    def _completed(self, index: Index, made: dict[str, object]) -> dict[str, object]:
        """Index what is not there yet; return what is to be remembered of it."""
        from indexer.pipeline import index_corpus

        started = time.monotonic()

        def show(report: IndexingReport) -> None:
            self.progress("indexing documents", report.seen, self.document_count)

        report = index_corpus(index, self.documents(), progress=show, delete_missing=True)
        if report.failures:
            first = report.failures[0]
            raise PipelineFailed(
                f"{len(report.failures):,} documents of {self.collection.name} cannot be indexed; "
                f"the first is {first.source}: {first.reason}"
            )
        if report.updated or report.deleted:
            index.compact()
        return {"seconds": made.get("seconds") or round(time.monotonic() - started, 1)}

    def kept(self, key: str, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return an array that belongs to the documents, from the cache if it is there."""
        return self._cache.array(digest([self.corpus_fingerprint, key]), make)

    def close(self) -> None:
        """Close the indexes."""
        for index, _ in self._open.values():
            index.close()
        self._open.clear()
