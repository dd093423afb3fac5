"""The indexes that a recipe needs: opened by their folder, or made of a collection's documents; each encoder once."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from engine.configuration import IndexingSettings
from indexer.encoding import Encoder
from indexer.errors import IndexNotFound
from quire.training.events import Doing, Noted, Tell
from reranker.errors import TrainingDataError

if TYPE_CHECKING:
    from eval.collection import Collection
    from indexer.backend import DocumentIndex
    from indexer.opening import Place


class Library:
    """Opens indexes and makes them. Close it, or use it in a `with` statement.

    Args:
        folder: Where those go that are made.
        settings: How they are made.
        tell: Told how far that is.
    """

    def __init__(self, folder: Path, settings: IndexingSettings, tell: Tell) -> None:
        self._folder = folder
        self._settings = settings
        self._tell = tell
        self._open: dict[Place, DocumentIndex] = {}
        self._encoders: dict[str, Encoder] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Library:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what is open."""
        self._stack.close()

    def index(self, path: str | Path) -> DocumentIndex:
        """Return the index in a folder, or at an address.

        Raises:
            IndexingError: there is none, or it cannot be read.
        """
        from indexer.opening import place_of
        from quire.index_argument import opened

        place = place_of(path)
        if place not in self._open:
            index = self._open[place] = opened(place)
            self._stack.callback(index.close)
        return self._open[place]

    def encoder(self, index: DocumentIndex) -> Encoder:
        """Return the encoder that an index was made with; indexes of the same encoder share it."""
        name = index.encoder_identity.fingerprint
        if name not in self._encoders:
            self._encoders[name] = index.encoder
        return self._encoders[name]

    def made_of(self, collection: Collection) -> DocumentIndex:
        """Return an index of a collection's documents; what was begun before is finished.

        Raises:
            TrainingDataError: none of the documents can be indexed.
        """
        from indexer.pipeline import IndexingReport, index_corpus

        path = self._folder / self._name(collection)
        if (path.with_suffix(".json")).is_file():
            return self.index(path)
        what = f"indexing {collection.name}"

        def progress(report: IndexingReport) -> None:
            self._tell(Doing(what, report.seen))

        index = self._opened_or_created(path)
        report = index_corpus(index, collection.documents(), progress=progress)
        if not index.reader().document_count:
            raise TrainingDataError(f"{collection.name}: of its documents none could be indexed")
        for failure in report.failures[:3]:
            self._tell(Noted(f"{collection.name}: skipped {failure.source}: {failure.reason}", warning=True))
        path.with_suffix(".json").write_text(json.dumps({"documents": report.seen}), encoding="utf-8")
        return index

    def _name(self, collection: Collection) -> str:
        values = json.dumps([collection.fingerprint, asdict(self._settings)], sort_keys=True)
        plain = "".join(letter if letter.isalnum() else "-" for letter in collection.name)
        return f"{plain[:40]}-{blake2b(values.encode(), digest_size=4).hexdigest()}"

    def _opened_or_created(self, path: Path) -> DocumentIndex:
        from indexer.encoder import load_encoder
        from indexer.index import Index
        from indexer.splitter import SplitterSettings

        settings = self._settings
        try:
            return self.index(path)
        except IndexNotFound:
            encoder = load_encoder(
                settings.encoder,
                precision=settings.precision,
                device=settings.device,
                offline=settings.offline or None,
            )
        encoder = self._encoders.setdefault(encoder.fingerprint, encoder)
        path.parent.mkdir(parents=True, exist_ok=True)
        index = self._open[path] = Index.create(
            path,
            encoder=encoder,
            precision=settings.precision,
            language=settings.language,
            passages=SplitterSettings(settings.tokens, settings.overlap),
            token_vectors=False,  # mining has no use for them
        )
        self._stack.callback(index.close)
        return index
