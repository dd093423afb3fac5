"""A writer on Elasticsearch: documents in, whole documents visible at each commit.

Others may write other documents meanwhile; `intake` says what is encoded, `delivery` in what order things are sent.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType

from indexer.analyser import Analyser
from indexer.backend import Outcome, Settled
from indexer.document import Document
from indexer.elastic.errors import ElasticError
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.rebuilding.turns import where_to_go_on
from indexer.elastic.shape.numbers import document_number
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.bulk import Bulk
from indexer.elastic.writing.delivery import Delivery
from indexer.elastic.writing.intake import Intake
from indexer.elastic.writing.journal import Journal
from indexer.elastic.writing.loading import relax, restore
from indexer.elastic.writing.mapped_fields import MappedFields
from indexer.elastic.writing.parcels import Deletion, Parcel, Writing
from indexer.elastic.writing.repair import tidy_up
from indexer.elastic.writing.state import State, change_state, read_state
from indexer.errors import IndexingError, IndexUnavailable
from indexer.passage_encoding import PassageEncoder
from indexer.splitter import Splitter

_DELETED_TOGETHER = 256
_PAGE = 5_000
_REFRESH_SECONDS = 600.0  # the graph of what is in memory is built then

_log = logging.getLogger(__name__)


class ElasticWriter:
    """Adds, updates and deletes documents; a context manager that commits when its block ends well.

    For one thread's use. What was committed is safe and visible. What was not may be in the index or not, whole
    documents only; adding it again costs nothing for what is.

    Args:
        cluster: Where.
        generation: Of the index.
        analyser: Makes the terms.
        encoder: Encodes passages.
        splitter: Makes passages of documents.
        relaxes: Whether to change the settings for writing while it is at work.
        bulk: What sends the requests; its own where None.
    """

    def __init__(
        self,
        cluster: Cluster,
        generation: Generation,
        analyser: Analyser,
        encoder: PassageEncoder,
        splitter: Splitter,
        *,
        relaxes: bool = True,
        bulk: Bulk[Parcel] | None = None,
    ) -> None:
        self._cluster = cluster
        self._relaxes = relaxes
        self._fields = MappedFields(cluster)
        self._settled: list[Settled] = []
        self._added: set[str] = set()
        self._refused: list[Settled] = []
        self._changed = self._closed = self._failed = False
        journal = self._join(generation)
        self._delivery = Delivery(
            cluster,
            generation,
            journal,
            limit=int(cluster.settings.bulk_megabytes * 1e6),
            move=lambda written: where_to_go_on(cluster, written),
            joined=self._join,
            settled=self._tell,
            bulk=bulk,
        )
        self._intake = Intake(
            cluster,
            analyser,
            encoder,
            splitter,
            self._fields,
            generation=lambda: self._delivery.generation,
            deliver=self._deliver,
            report=self._report,
        )
        self._generation = read_state(cluster, generation.documents).generation

    @property
    def generation(self) -> int:
        """The generation of the last commit that this writer knows of."""
        return self._generation

    @property
    def encoded(self) -> int:
        """Passages encoded so far."""
        return self._intake.encoded

    @property
    def pending(self) -> int:
        """Passages that wait to be encoded."""
        return self._intake.pending

    @property
    def failed(self) -> bool:
        """Whether it failed halfway: it can only be closed."""
        return self._failed

    def put(self, document: Document) -> None:
        """Add a document, or replace the one of the same id, in its turn; `settled` tells what became of it.

        Raises:
            IndexUnavailable: the server could not be reached, or take it, for too long.
            IndexFull: its disk is full.
            IndexLocked: a rebuild, or the user who set it so, keeps the index closed to writers.
            ModelError: the encoder failed.
            IndexingError: this writer is closed, or has failed; or the server refuses us.
        """
        with self._all_or_nothing():
            number = document_number(document.doc_id)
            if number in self._intake or number in self._delivery:
                self._drain()
            self._intake.take(document, self._generation + 1)

    def add(self, document: Document) -> Outcome:
        """Add a document, or replace the one of the same id, and look at once what that amounts to.

        `put` is quicker for many. What the server refuses is told by `commit`.

        Raises:
            as `put`, and IndexingError for what is wrong with the document.
        """
        self.put(document)
        self._added.add(document.doc_id)
        with self._all_or_nothing():
            amounts = self._intake.look_up(self._generation + 1)
        outcome = amounts[document.doc_id]
        if outcome == "refused":
            found = next(each for each in self._refused if each.doc_id == document.doc_id)
            self._refused.remove(found)
            raise IndexingError(f"{document.doc_id}: {found.reason}")
        return outcome

    def settled(self) -> list[Settled]:
        """Return what became of documents that were put, each once; after `commit`, all that were put before it."""
        found, self._settled = self._settled, []
        return found

    def delete(self, doc_id: str) -> bool:
        """Delete a document; return whether there was one."""
        return self.delete_all([doc_id]) == 1

    def delete_all(self, doc_ids: Iterable[str]) -> int:
        """Delete documents; return how many of them there were."""
        count = 0
        wanted = iter(doc_ids)
        while some := list(dict.fromkeys(islice(wanted, _DELETED_TOGETHER))):
            with self._all_or_nothing():
                self._drain()
                for doc_id, known in zip(some, self._intake.known(some), strict=True):
                    if known is not None and known.doc_id == doc_id:
                        self._deliver(Deletion(known))
                        count += 1
        return count

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield id and source of every document."""
        with self._all_or_nothing():
            self._drain()
            self._delivery.guarded(self._refresh)
        with Moment(self._cluster, self._delivery.generation.documents) as moment:
            hits = moment.scan(
                {"term": {"kind": "document"}}, ["number"], size=_PAGE, _source=["doc_id", "source"]
            )
            for hit in hits:
                yield hit["_source"]["doc_id"], hit["_source"]["source"]

    def commit(self) -> int:
        """Make all changes since the last commit durable and visible; return the generation.

        Raises:
            as `put`; and IndexingError when the server refused a document that was given to `add`: all others are
            committed.
        """
        with self._all_or_nothing():
            self._drain()
            if self._changed:
                self._delivery.guarded(self._refresh)
                state = self._delivery.guarded(
                    lambda generation: change_state(self._cluster, generation.documents, State.after_commit)
                )
                self._generation = state.generation
                self._changed = False
        if self._refused:
            refused, self._refused = self._refused, []
            raise IndexingError(
                f"{len(refused)} documents were refused and are not in the index, all others are; the first: "
                f"{refused[0].doc_id}: {refused[0].reason}"
            )
        return self._generation

    def close(self) -> None:
        """Stop. What is under way is written to its end or tidied up by the next writer."""
        if self._closed:
            return
        self._closed = True
        self._intake.close()
        self._delivery.close()
        try:
            if self._relaxes:
                restore(self._cluster, self._delivery.generation, own=self._delivery.journal.id)
            self._delivery.journal.close()
        except IndexingError as error:
            self._delivery.journal.abandon()
            _log.warning("a writer has left without tidying up, the next one will do so: %s", error)

    def __enter__(self) -> ElasticWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
        finally:
            self.close()

    def _join(self, generation: Generation) -> Journal:
        """Make ourselves known to other writers of a generation, and tidy up after those that died."""
        journal = Journal(self._cluster, generation.documents)
        try:
            journal.open()
            tidy_up(self._cluster, generation, journal.id)
            if self._relaxes:
                relax(self._cluster, generation)
            self._fields.adopt(generation)
        except BaseException:
            with contextlib.suppress(IndexingError):
                journal.close()
            raise
        return journal

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Let nothing more be written when the block fails: what was given may be lost."""
        if self._closed:
            raise IndexingError("this writer is closed; take another one with index.writer()")
        if self._failed:
            raise IndexingError(
                "this writer failed before; close it and take another one: what was committed is safe, "
                "what came after the last commit is to be added again"
            )
        try:
            yield
        except BaseException:
            self._failed = True
            raise

    def _refresh(self, generation: Generation) -> None:
        failed, reason = 0, ""
        try:
            told = self._cluster.request("POST", f"/{generation.both}/_refresh", timeout=_REFRESH_SECONDS)
            failed = int(told["_shards"]["failed"])
        except ElasticError as error:
            if error.status < 500:
                raise
            failed, reason = 1, f" ({error})"
        if failed:
            raise IndexUnavailable(
                f"{generation.name} could not be committed: not all of its shards answer{reason}. What was "
                "acknowledged is safe: see the cluster's health, then index once more"
            )

    def _drain(self) -> None:
        """Have everything that was given acknowledged or refused."""
        self._intake.finish(self._generation + 1)
        self._delivery.finish()

    def _deliver(self, parcel: Parcel) -> None:
        self._changed = True
        self._delivery.deliver(parcel)

    def _tell(self, parcel: Parcel, settled: Settled) -> None:
        if isinstance(parcel, Writing):
            self._report(settled)
        elif settled.outcome == "refused":
            raise IndexingError(f"{parcel.doc_id} could not be deleted: {settled.reason}")

    def _report(self, settled: Settled) -> None:
        if settled.doc_id not in self._added:
            self._settled.append(settled)
            return
        self._added.discard(settled.doc_id)
        if settled.outcome == "refused":
            self._refused.append(settled)
