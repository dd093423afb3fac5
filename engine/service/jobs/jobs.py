"""`Jobs`: what the service offers of them: to take one in, to look at it, to cancel it, and to have it done."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.service.access.caller import Caller
from engine.service.jobs import folders
from engine.service.jobs.documents import write_given
from engine.service.jobs.folders import room_expected
from engine.service.jobs.indexing import CHILD as INDEXING
from engine.service.jobs.indexing import Indexing
from engine.service.jobs.job import Job, Kind, Progress, Refusal, State
from engine.service.jobs.limits import MEBIBYTE, Limits
from engine.service.jobs.reading import Reading
from engine.service.jobs.roots import Roots
from engine.service.jobs.runner import Runner
from engine.service.jobs.store import JobStore
from engine.service.jobs.uploads import Received, Upload, receive, to_its_end
from engine.service.settings import ServiceSettings
from indexer.elastic.environment import settings_from_environment
from indexer.elastic.settings import ElasticSettings
from indexer.local.durable import sync_folder
from indexer.opening import Place
from indexer.readers import ReadOptions

STORE, FOLDER = "jobs.db", "jobs"


class Jobs:
    """The indexing jobs of one service. Safe to share between threads; made by `open`.

    Args:
        state: The service's folder.
        store: The jobs.
        runner: What does them, in whichever process holds the lock.
        roots: What jobs may read.
        settings: Of the service.
    """

    def __init__(
        self, state: Path, store: JobStore, runner: Runner, roots: Roots, settings: ServiceSettings
    ) -> None:
        self._folder = state / FOLDER
        self._store = store
        self._runner = runner
        self._roots = roots
        self._settings = settings

    @classmethod
    def open(
        cls,
        state: Path,
        place: Place,
        settings: ServiceSettings,
        elastic: ElasticSettings | None = None,
        *,
        reading: ReadOptions | None = None,
        indexing: str = INDEXING,
    ) -> Jobs:
        """Open the jobs in the service's folder.

        Args:
            state: The folder; made when absent.
            place: Where the index is, as `indexer.opening.place_of` returns it.
            settings: Of the service.
            elastic: How to reach Elasticsearch; None for what the environment says.
            reading: How files are read; the section [reading].
            indexing: The module that a process runs to write to the index; another than ours for an index whose
                encoder cannot be loaded by its name.

        Raises:
            OSError: the folder cannot be made.
            JobsFileError: the list of jobs cannot be used.
        """
        folder = state / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if isinstance(place, Path):
            place = place.absolute()
        elif elastic is None:
            elastic = settings_from_environment()
        options = reading or ReadOptions()
        closed = [state, *([place] if isinstance(place, Path) else [])]
        roots = Roots(settings.roots, closed)
        store = JobStore(state / STORE)
        runner = Runner(store, state, folder)
        runner.reading = Reading(store, roots, options, Limits.of(settings), runner.look)
        runner.indexing = Indexing(store, folder, place, elastic, options, runner.look, indexing)
        return cls(state, store, runner, roots, settings)

    def start(self) -> None:
        """Begin doing jobs, in this process or whichever holds the lock; unfinished ones are taken up again."""
        self._runner.start()

    def stop(self) -> None:
        """Have the job at work on commit what it has; it goes on when the service runs again."""
        self._runner.stop(self._settings.drain_seconds + 5.0)

    def close(self) -> None:
        """Stop, and let go of the list of jobs. Closing twice is harmless."""
        self.stop()
        self._store.close()

    def add_documents(
        self,
        caller: Caller,
        documents: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]],
        key: str | None = None,
    ) -> Job:
        """Take in documents that need no reading; they are on the disk when this returns.

        Args:
            caller: Who asks.
            documents: As `documents.write_given` takes them.
            key: The Idempotency-Key of the request.

        Raises:
            Problem: 422, 503, 507.
        """
        with self._new(caller, "documents", key) as new:
            new.digest = _digest([[dict(given), dict(dates)] for given, dates in documents])
            new.size = write_given(new.folder / folders.DOCUMENTS, documents)
            new.progress.documents = len(documents)
            new.ready = True
            return self._take(new)

    async def add_files(
        self, caller: Caller, boundary: bytes, pieces: AsyncIterator[bytes], key: str | None = None
    ) -> Job:
        """Take in an upload, straight to the disk.

        Args:
            caller: Who asks.
            boundary: Of the multipart/form-data body.
            pieces: The body as it arrives.
            key: The Idempotency-Key of the request.

        Raises:
            Problem: 400, 413, 422, 503, 507.
        """
        with self._new(caller, "files", key) as new:
            await to_its_end(self._store.expect_room, self._settings.max_waiting_jobs)
            upload = await to_its_end(Upload, new.folder, boundary, self._settings.max_upload_mb * MEBIBYTE)
            received = await receive(pieces, upload)
            return await to_its_end(self._take_files, new, received)

    def add_paths(self, caller: Caller, paths: Sequence[str], key: str | None = None) -> Job:
        """Take in files and folders under the roots; which files that are is found out later.

        Args:
            caller: Who asks.
            paths: Relative to a root, or absolute and under one.
            key: The Idempotency-Key of the request.

        Raises:
            Problem: 403, 422, 503, 507.
        """
        accepted = [self._roots.accept(path) for path in paths]
        with self._new(caller, "paths", key) as new:
            new.digest = _digest(list(paths))
            folders.write_json(new.folder / folders.PATHS, [[each.path, each.name] for each in accepted])
            return self._take(new)

    def delete(self, caller: Caller, doc_ids: Sequence[str], key: str | None = None) -> Job:
        """Take in that documents are to be deleted.

        Args:
            caller: Who asks.
            doc_ids: Which; each counts once.
            key: The Idempotency-Key of the request.

        Raises:
            Problem: 422, 503, 507.
        """
        with self._new(caller, "delete", key) as new:
            ids = list(dict.fromkeys(doc_ids))
            new.digest = _digest(ids)
            new.progress.documents = len(ids)
            new.ready = True
            folders.write_json(new.folder / folders.IDS, ids)
            return self._take(new)

    def get(self, caller: Caller, job_id: str) -> Job:
        """Return a job of the caller's tenant.

        Raises:
            Problem: 404.
        """
        return self._store.get(job_id, caller.tenant)

    def page(
        self, caller: Caller, *, limit: int = 20, before: str = "", states: Sequence[State] = ()
    ) -> tuple[Job, ...]:
        """Return jobs of the caller's tenant, the newest first, without what was refused of each.

        Args:
            caller: Who asks.
            limit: How many at most.
            before: The name of a job, after which the page begins.
            states: Only jobs in one of these; all where empty.

        Raises:
            Problem: 404: there is no job of the name `before`.
        """
        return self._store.page(caller.tenant, limit=limit, before=before, states=states)

    def cancel(self, caller: Caller, job_id: str) -> Job:
        """Ask a job to stop. What it has indexed stays in the index.

        Raises:
            Problem: 404; 409: it is done, or has failed.
        """
        job = self._store.cancel(job_id, caller.tenant)
        if job.state == "cancelled":
            folders.remove(self._folder / job_id)
        self._runner.wake()
        return job

    def counts(self) -> dict[State, int]:
        """Return how many jobs there are in each state."""
        return self._store.counts()

    def _take_files(self, new: _New, received: Received) -> Job:
        with room_expected():
            folders.write_listed(new.folder, received.files)
        new.digest, new.size, new.refusals = received.digest, received.size, received.refusals
        new.progress.files = len(received.files)
        new.progress.unread = len(received.refusals)
        return self._take(new)

    @contextmanager
    def _new(self, caller: Caller, kind: Kind, key: str | None) -> Iterator[_New]:
        """Give the makings of a job, whose folder does not stay where the block fails before the job is stored."""
        job_id = f"job_{secrets.token_hex(12)}"
        new = _New(job_id, kind, caller, key, self._folder / job_id)
        with room_expected(), folders.made(new.folder):
            try:
                yield new
            except BaseException:
                if not new.stored:
                    folders.remove(new.folder)
                raise

    def _take(self, new: _New) -> Job:
        """Store a job whose files are written; from then on it is done, whatever happens."""
        sync_folder(new.folder)
        sync_folder(self._folder)
        job = Job(
            new.job_id,
            new.kind,
            "queued",
            new.caller.tenant,
            time.time(),
            ready=new.ready,
            size=new.size,
            progress=new.progress,
        )
        stored = self._store.add(
            job,
            new.refusals,
            waiting_at_most=self._settings.max_waiting_jobs,
            key=None if new.key is None else (new.caller.key_id, new.key, f"{new.kind} {new.digest}"),
        )
        new.stored = stored.job_id == new.job_id
        if not new.stored:
            folders.remove(new.folder)
        self._runner.wake()
        return stored


@dataclass(slots=True)
class _New:
    """The makings of a job."""

    job_id: str
    kind: Kind
    caller: Caller
    key: str | None
    folder: Path
    digest: str = ""
    size: int = 0
    ready: bool = False
    stored: bool = False
    progress: Progress = field(default_factory=Progress)
    refusals: list[Refusal] = field(default_factory=list)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
