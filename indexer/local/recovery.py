"""Brings the derived files back in step with SQLite: after a crash, after damage, after compaction."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from indexer.analyser import Analyser
from indexer.errors import IndexCorrupt, IndexLocked, IndexNotFound
from indexer.identity import EncoderIdentity
from indexer.local import truth
from indexer.local.derive import Derived
from indexer.local.durable import mapped_storage_errors
from indexer.local.lock import WriterLock
from indexer.local.manifest import Manifest, epoch_name, read_manifest
from indexer.local.reader import LocalReader

_log = logging.getLogger(__name__)


def nothing_derived(epoch: int) -> Manifest:
    """Return the manifest of an epoch of which only the SQLite file is there."""
    return Manifest(generation=0, epoch=epoch, rows=0, lexical="")


def current_epoch(index: Path) -> int:
    """Return the epoch that the manifest names, or without it the one whose SQLite file is the newest.

    Raises:
        IndexNotFound: there is no index in the folder.
    """
    try:
        manifest = read_manifest(index)
    except IndexCorrupt:
        manifest = None
    if manifest is not None:
        return manifest.epoch
    generations = {}
    for path in index.glob(f"epoch-*/{truth.FILE}"):
        generations[int(path.parent.name.removeprefix("epoch-"))] = stored_generation(path.parent)
    if not generations:
        raise IndexNotFound(f"there is no index in {index}; make one with `quire index FOLDER {index}`")
    return max(generations, key=lambda epoch: (generations[epoch], -epoch))


def stored_generation(folder: Path) -> int:
    """Return the generation that the SQLite file of an epoch's folder is at."""
    connection = truth.connect(folder / truth.FILE)
    try:
        return int(truth.read_meta(connection)["generation"])
    finally:
        connection.close()


def remove_stale_epochs(index: Path) -> None:
    """Delete what a compaction that crashed left behind; for the holder of the lock."""
    current = epoch_name(current_epoch(index))
    for path in index.glob("epoch-*"):
        if path.name != current:
            shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Rebuilds derived files, as much as is needed, for the index in the folder `index`."""

    index: Path
    analyser: Analyser
    encoder: EncoderIdentity
    exact_up_to: int

    def after_crash(self) -> None:
        """Catch up with SQLite if the manifest is behind, unless a living writer is about to.

        An index made before there was one of whole documents gets it here, too.

        Raises:
            IndexLocked: there is nothing to read yet, and a writer is at work.
        """
        if not self._behind():
            return
        try:
            with WriterLock(self.index):
                if self._behind():  # still so, now that no writer can be in between
                    self.caught_up()
        except IndexLocked:
            if self._manifest() is None:
                raise

    def _behind(self) -> bool:
        manifest = self._manifest()
        generation = stored_generation(self.index / epoch_name(current_epoch(self.index)))
        return manifest is None or manifest.generation < generation or not manifest.whole

    def _manifest(self) -> Manifest | None:
        try:
            return read_manifest(self.index)
        except IndexCorrupt as error:
            _log.warning("%s", error)
            return None

    def caught_up(self) -> Manifest:
        """Return a manifest that is in step with SQLite, its files checked; for the holder of the lock."""
        epoch = current_epoch(self.index)
        generation = stored_generation(self.index / epoch_name(epoch))
        manifest = self._manifest()
        if manifest is not None and manifest.whole:
            try:
                LocalReader(self.index, manifest, self.analyser, self.encoder).close()
            except IndexCorrupt as error:
                _log.warning("%s; rebuilding from SQLite", error)
                manifest = None
        if manifest is not None and manifest.generation == generation and manifest.whole:
            return manifest
        return self.derive(manifest or nothing_derived(epoch), generation)

    def derive(self, manifest: Manifest, generation: int) -> Manifest:
        """Publish SQLite's `generation` on top of `manifest`; from nothing when its files turn out damaged."""
        connection = truth.connect(manifest.folder(self.index) / truth.FILE)
        try:
            with mapped_storage_errors(f"rebuilding {self.index}"):
                try:
                    return self._replay(manifest, connection, generation)
                except (IndexCorrupt, ValueError) as error:
                    if not manifest.lexical:
                        raise
                    _log.warning("%s: %s; rebuilding from SQLite", self.index, error)
                    return self._replay(nothing_derived(manifest.epoch), connection, generation)
        finally:
            connection.close()

    def _replay(self, manifest: Manifest, connection: sqlite3.Connection, generation: int) -> Manifest:
        derived = self.writing(manifest)
        try:
            return derived.catch_up(connection, generation)
        finally:
            derived.close()

    def writing(self, manifest: Manifest) -> Derived:
        """Return the derived files opened for writing."""
        return Derived(self.index, manifest, self.analyser, self.encoder.dim, self.exact_up_to)
