"""The index in a folder: create or open it, then take a reader or the writer.

    index = Index.create("my-index", encoder=load_encoder())
    with index.writer() as writer:
        writer.add(Document("hamlet", text))
    index.reader().passage_count

A reader sees one generation whole; the writer makes the next one at `commit`. What was committed survives a
crash at any moment, and whatever of the derived files is missing, half-written or behind is rebuilt on open.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from indexer.analyser import Analyser
from indexer.backend import IndexStats, Verification
from indexer.document import Document
from indexer.encoder.load import Precision
from indexer.encoding import Encoder, TokenEncoder
from indexer.errors import FingerprintMismatch, IndexCorrupt, IndexExists, IndexNotFound
from indexer.identity import EncoderIdentity, OwnEncoder, identify
from indexer.local import truth
from indexer.local.durable import mapped_storage_errors
from indexer.local.graph import EXACT_UP_TO
from indexer.local.lock import WriterLock
from indexer.local.manifest import FORMAT, Manifest, epoch_name, read_manifest, version_mismatch
from indexer.local.reader import LocalReader
from indexer.local.recovery import (
    Recovery,
    current_epoch,
    nothing_derived,
    remove_stale_epochs,
    stored_generation,
)
from indexer.local.token_vectors import KEY as TOKEN_CODING
from indexer.local.token_vectors import coding_of
from indexer.local.token_vectors import stored as stored_tokens
from indexer.local.verify import verify
from indexer.local.verify_truth import stored_document
from indexer.local.writer import IndexWriter
from indexer.passage_encoding import PassageEncoder
from indexer.splitter import Splitter, SplitterSettings
from indexer.token_sample import fit_coding

_log = logging.getLogger(__name__)
_TRIES = 20
_UNFINISHED = f".{truth.FILE}.new"


class Index:
    """The index in one folder. Safe to share between threads; the writer is one thread's own."""

    def __init__(self, path: Path, meta: dict[str, str], encoder: Encoder | None, exact_up_to: int) -> None:
        self.path = path
        self.analyser = Analyser(meta["language"])
        self.passages = SplitterSettings(**json.loads(meta["passages"]))
        self.encoder_identity = EncoderIdentity(**json.loads(meta["encoder"]))
        self._coding = coding_of(meta)
        self._recovery = Recovery(path, self.analyser, self.encoder_identity, exact_up_to)
        self._lock = threading.Lock()
        self._current: LocalReader | None = None
        if self.analyser.fingerprint != meta["analyser"]:
            raise FingerprintMismatch("analyser", meta["analyser"], self.analyser.fingerprint)
        self._own_encoder = OwnEncoder(self.encoder_identity, encoder)

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        encoder: Encoder,
        precision: Precision = "auto",
        language: str = "english",
        passages: SplitterSettings | None = None,
        token_vectors: bool = True,
        exact_up_to: int = EXACT_UP_TO,
    ) -> Index:
        """Make an empty index in the folder `path`, which must be absent or empty.

        Args:
            path: The folder.
            encoder: Encodes passages and queries; an index is opened with the same.
            precision: What to load the encoder at when the index is opened without one.
            language: Of the analyser: a Snowball language.
            passages: How documents are split.
            token_vectors: Whether to keep each token's own vector, coded in 24 bytes, for late interaction; only
                of encoders that give them (`indexer.encoding.TokenEncoder`).
            exact_up_to: Passages from which on an HNSW graph is used.

        Raises:
            IndexExists: there is an index already, or files of something else.
        """
        folder = Path(path)
        if _holds_something(folder):
            raise IndexExists(
                f"{folder} is there already and not an empty folder; open it, or name another folder"
            )
        analyser = Analyser(language)
        identity = identify(encoder, precision)
        meta = {
            "format": str(FORMAT),
            "generation": "0",
            "language": language,
            "analyser": analyser.fingerprint,
            "encoder": json.dumps(asdict(identity)),
            "passages": json.dumps(asdict(passages or SplitterSettings())),
        }
        if token_vectors and isinstance(encoder, TokenEncoder):
            meta[TOKEN_CODING] = fit_coding(encoder).to_text()
        with mapped_storage_errors(f"creating {folder}"):
            epoch = folder / epoch_name(1)
            epoch.mkdir(parents=True, exist_ok=True)
            beside = epoch / _UNFINISHED
            beside.unlink(missing_ok=True)
            truth.create(beside, meta)
            beside.replace(epoch / truth.FILE)
        return cls.open(folder, encoder=encoder, exact_up_to=exact_up_to)

    @classmethod
    def open(
        cls, path: str | Path, *, encoder: Encoder | None = None, exact_up_to: int = EXACT_UP_TO
    ) -> Index:
        """Open the index in the folder `path`, and repair what a crash left behind.

        Args:
            path: The folder.
            encoder: The one it was made with; without it, that one is loaded by name when first needed.
            exact_up_to: Passages from which on an HNSW graph is used.

        Raises:
            IndexNotFound: there is none.
            IndexCorrupt: its SQLite file is damaged.
            IndexVersionMismatch: it is of another format version.
            FingerprintMismatch: it was made with another analyser or encoder.
            IndexLocked: it needs repair, and a writer is at work.
        """
        folder = Path(path)
        connection = truth.connect(folder / epoch_name(current_epoch(folder)) / truth.FILE)
        try:
            meta = truth.read_meta(connection)
        finally:
            connection.close()
        if meta.get("format") != str(FORMAT):
            raise version_mismatch(folder, meta.get("format"))
        index = cls(folder, meta, encoder, exact_up_to)
        index._recovery.after_crash()
        return index

    @property
    def keeps_token_vectors(self) -> bool:
        """Whether it was made with them."""
        return self._coding is not None

    @property
    def encoder(self) -> Encoder:
        """The encoder the index was made with, loaded on first use.

        Raises:
            ModelNotFound: it is nowhere to be found.
            FingerprintMismatch: what was found under its name is another one.
        """
        return self._own_encoder.get()

    def reader(self) -> LocalReader:
        """Return a reader of the current generation; the same one until there is a newer."""
        with self._lock:
            for _ in range(_TRIES):
                manifest = self._manifest()
                if self._current is not None and self._current.generation == manifest.generation:
                    return self._current
                try:
                    self._current = self._read(manifest)
                    return self._current
                except (IndexCorrupt, IndexNotFound, FileNotFoundError):
                    # Either a writer has moved on meanwhile, or a derived file is damaged.
                    if self._manifest().generation == manifest.generation:
                        self._repair()
            raise IndexCorrupt(f"{self.path}: no generation could be opened; run `quire verify {self.path}`")

    def _repair(self) -> None:
        """Make derived files that are missing or cut short anew."""
        with WriterLock(self.path):
            self._recovery.caught_up()

    def _read(self, manifest: Manifest) -> LocalReader:
        return LocalReader(self.path, manifest, self.analyser, self.encoder_identity)

    def writer(self) -> IndexWriter:
        """Return the writer; there is one at a time. Use it as a context manager.

        Raises:
            IndexLocked: another writer is at work; names it.
            InvalidSettings: the index keeps token vectors, and the encoder gives none.
        """
        encoder = PassageEncoder(self.encoder, self._coding)
        lock = WriterLock(self.path)
        lock.acquire()
        try:
            remove_stale_epochs(self.path)
            derived = self._recovery.writing(self._recovery.caught_up())
            path = derived.manifest.folder(self.path) / truth.FILE
            splitter = Splitter(self.encoder, self.passages)
            return IndexWriter(lock, path, derived, self.analyser, encoder, splitter)
        except BaseException:
            lock.release()
            raise

    def compact(self) -> None:
        """Write the index anew without what was deleted or replaced, and take that off the disk.

        Readers of the old generation go on; a crash leaves the old index.

        Raises:
            IndexLocked: a writer is at work.
            IndexFull: there is no room for the new copy beside the old one.
        """
        from indexer.local.compact import rewrite

        with WriterLock(self.path):
            remove_stale_epochs(self.path)
            manifest = self._recovery.caught_up()
            with mapped_storage_errors(f"compacting {self.path}"):
                generation = rewrite(self.path, manifest, self.analyser)
                self._recovery.derive(nothing_derived(manifest.epoch + 1), generation)
            shutil.rmtree(manifest.folder(self.path), ignore_errors=True)

    def documents(self) -> Iterator[Document]:
        """Yield every document of the current generation as it was added, in the order they came."""
        numbers = self.reader().live_documents()
        connection = truth.connect(self.truth_path())
        try:
            for number in numbers.tolist():
                yield stored_document(connection, number)
        finally:
            connection.close()

    def verify(self) -> Verification:
        """Check every invariant of the current generation; reads all of the index."""
        return verify(self.path, self._manifest(), self.encoder_identity.dim)

    def stats(self) -> IndexStats:
        """Return what the index holds and how much room it takes."""
        reader = self.reader()
        manifest = self._manifest()
        kept, size = self._stored_tokens()
        sizes = [path.stat().st_size for path in self.path.rglob("*") if path.is_file()]
        return IndexStats(
            path=str(self.path),
            generation=manifest.generation,
            documents=reader.document_count,
            passages=reader.passage_count,
            vectors=reader.vector_count,
            removed_passages=manifest.rows - reader.passage_count,
            graph_passages=manifest.graph.items if manifest.graph else 0,
            megabytes=round(sum(sizes) / 1e6, 1),
            token_vectors=kept,
            token_megabytes=round(size / 1e6, 1),
            encoder=self.encoder_identity.fingerprint,
            analyser=self.analyser.fingerprint,
            fields={name: tuple(sorted(kinds)) for name, kinds in sorted(reader.fields().items())},
        )

    def _stored_tokens(self) -> tuple[int | None, int]:
        if self._coding is None:
            return None, 0
        connection = truth.connect(self.truth_path())
        try:
            return stored_tokens(connection)
        finally:
            connection.close()

    def truth_path(self) -> Path:
        """Return the SQLite file of the current generation."""
        return self._manifest().folder(self.path) / truth.FILE

    def rebuild(self) -> None:
        """Make the derived files anew from SQLite.

        Raises:
            IndexLocked: a writer is at work.
        """
        with self._lock:
            self._rebuild()

    def _rebuild(self) -> None:
        with WriterLock(self.path):
            epoch = current_epoch(self.path)
            _log.warning("%s: rebuilding the lexical and vector indexes from SQLite", self.path)
            self._recovery.derive(nothing_derived(epoch), stored_generation(self.path / epoch_name(epoch)))
            self._current = None

    def _manifest(self) -> Manifest:
        manifest = read_manifest(self.path)
        if manifest is None:
            raise IndexNotFound(f"{self.path} has lost its manifest; open the index again to make a new one")
        return manifest

    def close(self) -> None:
        """Close the reader."""
        with self._lock:
            if self._current is not None:
                self._current.close()
                self._current = None

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _holds_something(folder: Path) -> bool:
    """Return whether there is anything at `folder` but an index that was never finished being made."""
    if not folder.is_dir():
        return folder.exists()
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return any(not path.name.startswith(_UNFINISHED) for path in files)
