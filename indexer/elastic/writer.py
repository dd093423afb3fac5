"""A writer on Elasticsearch: documents in, passages encoded on the way; others may write other documents meanwhile.

Documents are looked up some at a time: one that is unchanged costs its share of one request. Of a changed one only the
passages that changed are encoded. A commit has everything acknowledged, then shows it to readers.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Literal, TypeAlias

from indexer.analyser import Analyser
from indexer.backend import Outcome, Settled
from indexer.document import Document, FieldKind
from indexer.elastic import metadata
from indexer.elastic.bulk import Bulk
from indexer.elastic.connection import Cluster
from indexer.elastic.delivery import Delivery
from indexer.elastic.errors import ElasticError
from indexer.elastic.generations import Generation
from indexer.elastic.journal import Journal
from indexer.elastic.kept import kept_encodings, known_documents
from indexer.elastic.loading import relax, restore
from indexer.elastic.mappings import metadata_body
from indexer.elastic.numbers import document_number
from indexer.elastic.parcels import Deletion, Known, Parcel, Writing
from indexer.elastic.repair import tidy_up
from indexer.elastic.scans import Moment
from indexer.elastic.state import State, change_state, read_state
from indexer.elastic.turns import where_to_go_on
from indexer.errors import IndexFull, IndexingError, ModelError
from indexer.passage_encoding import Encoded, EncodingQueue, PassageEncoder, prepared
from indexer.splitter import Splitter

_TOGETHER = 64  # documents looked up in one request
_CHARACTERS = 1 << 20  # or so much text
_DELETED_TOGETHER = 256
_PAGE = 5_000
_REFRESH_SECONDS = 600.0  # the graph of what is in memory is built then

Refused: TypeAlias = Literal["refused"]

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
        self._analyser = analyser
        self._encoder = encoder
        self._splitter = splitter
        self._relaxes = relaxes
        self._fields: set[tuple[str, FieldKind]] = set()
        self._waiting: dict[int, Document] = {}
        self._characters = 0
        self._encodes: set[int] = set()
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
        self._encoding: EncodingQueue[tuple[Writing, int]] = EncodingQueue(encoder)
        self._generation = read_state(cluster, generation.documents).generation

    @property
    def generation(self) -> int:
        """The generation of the last commit that this writer knows of."""
        return self._generation

    @property
    def encoded(self) -> int:
        """Passages encoded so far."""
        return self._encoding.encoded

    @property
    def pending(self) -> int:
        """Passages that wait to be encoded."""
        return self._encoding.pending

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
            if number in self._waiting:
                self._look_up()
            if number in self._encodes or number in self._delivery:
                self._drain()
            self._waiting[number] = document
            self._characters += len(document.text)
            if len(self._waiting) >= _TOGETHER or self._characters >= _CHARACTERS:
                self._look_up()

    def add(self, document: Document) -> Outcome:
        """Add a document, or replace the one of the same id, and look at once what that amounts to.

        `put` is quicker for many. What the server refuses is told by `commit`.

        Raises:
            as `put`, and IndexingError for what is wrong with the document.
        """
        self._added.add(document.doc_id)
        self.put(document)
        with self._all_or_nothing():
            outcomes = self._look_up()
        outcome = outcomes[document.doc_id]
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
                for doc_id, known in zip(some, self._known(some), strict=True):
                    if known is not None and known.doc_id == doc_id:
                        self._changed = True
                        self._delivery.deliver(Deletion(known))
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
        self._encoding.close()
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
            told = self._cluster.request("GET", f"/{generation.documents}/_mapping")
            fields = metadata.fields_in(told[generation.documents]["mappings"])
            self._fields = {(name, kind) for name, kinds in fields.items() for kind in kinds}
        except BaseException:
            with contextlib.suppress(IndexingError):
                journal.close()
            raise
        return journal

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
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
        self._cluster.request("POST", f"/{generation.both}/_refresh", timeout=_REFRESH_SECONDS)

    def _known(self, doc_ids: Sequence[str]) -> list[Known | None]:
        numbers = [document_number(doc_id) for doc_id in doc_ids]
        found = known_documents(self._cluster, self._delivery.generation, numbers)
        return [found.get(number) for number in numbers]

    def _drain(self) -> None:
        """Have everything that was given acknowledged or refused."""
        self._look_up()
        self._hand_over(self._encoding.rest())
        self._delivery.finish()

    def _look_up(self) -> dict[str, Outcome | Refused]:
        """Look at the documents that wait, prepare those that are not unchanged; return what each amounts to."""
        documents, self._waiting, self._characters = list(self._waiting.values()), {}, 0
        outcomes: dict[str, Outcome | Refused] = {}
        parcels: list[Writing] = []
        known = self._known([document.doc_id for document in documents])
        for document, there in zip(documents, known, strict=True):
            content_hash = document.content_hash()
            if there is not None and there.doc_id != document.doc_id:
                reason = (
                    f"its id has the same number as that of {there.doc_id!r} in the index: rename one of them"
                )
                outcomes[document.doc_id] = self._refuse(document, reason)
            elif there is not None and there.content_hash == content_hash:
                outcomes[document.doc_id] = "unchanged"
                self._report(Settled(document.doc_id, document.source, "unchanged"))
            else:
                parcel = self._prepare(document, content_hash, there)
                outcomes[document.doc_id] = parcel.outcome if parcel else "refused"
                parcels += [parcel] if parcel else []
        for refused in self._map_fields(parcels):
            outcomes[refused.doc_id] = "refused"
            parcels.remove(refused)
        if parcels:
            self._changed = True
            self._encode(parcels)
        self._hand_over(self._encoding.some())
        return outcomes

    def _prepare(self, document: Document, content_hash: str, known: Known | None) -> Writing | None:
        try:
            passages = prepared(document, self._splitter.split(document), self._encoder)
            metadata.stored(document.metadata, as_json=True)  # refuses names that are too long
        except (IndexFull, ModelError):
            raise
        except (IndexingError, ValueError) as error:
            self._refuse(document, str(error))
            return None
        return Writing(self._analyser, document, content_hash, passages, known, self._generation + 1)

    def _map_fields(self, parcels: Sequence[Writing]) -> list[Writing]:
        """Have the server know all metadata fields of these documents; return those whose fields it refuses."""
        try:
            self._put_fields(
                {pair for parcel in parcels for pair in metadata.kinds_of(parcel.document.metadata)}
            )
            return []
        except ElasticError as error:
            if error.status != 400:
                raise
        refused = []
        for parcel in parcels:
            try:
                self._put_fields(metadata.kinds_of(parcel.document.metadata))
            except ElasticError as error:
                if error.status != 400:
                    raise
                self._refuse(parcel.document, f"its metadata fields cannot be added: {error.reason}")
                refused.append(parcel)
        return refused

    def _put_fields(self, fields: set[tuple[str, FieldKind]]) -> None:
        new = fields - self._fields
        if not new:
            return
        generation = self._delivery.generation
        # Passages last: where the mapping of passages knows a field, that of documents does too.
        for index, as_json in ((generation.documents, True), (generation.passages, False)):
            self._cluster.request("PUT", f"/{index}/_mapping", body=metadata_body(new, as_json=as_json))
        self._fields |= new

    def _encode(self, parcels: Sequence[Writing]) -> None:
        """Give the passages that need it to the encoder; hand over the documents that wait for none."""
        changed = [parcel.number for parcel in parcels if parcel.known is not None and parcel.known.passages]
        kept = kept_encodings(
            self._cluster, self._delivery.generation, changed, codes=self._encoder.keeps_tokens
        )
        for parcel in parcels:
            there = kept.get(parcel.number, {})
            waiting: list[tuple[tuple[Writing, int], str]] = []
            for at, item in enumerate(parcel.passages):
                found = there.get(item.digest.hex())
                if found is not None and item.readable:
                    parcel.encodings[at] = found
                elif item.readable:
                    waiting.append(((parcel, at), item.context))
            parcel.awaited = len(waiting)
            if waiting:
                self._encodes.add(parcel.number)
                self._encoding.add(waiting)
            else:
                self._delivery.deliver(parcel)

    def _hand_over(self, batches: Iterator[Encoded[tuple[Writing, int]]]) -> None:
        for batch in batches:
            for row, (parcel, at) in enumerate(batch.keys):
                parcel.encodings[at].vector = batch.vectors[row]
                parcel.encodings[at].codes = batch.codes[row] if batch.codes else None
                parcel.awaited -= 1
                if not parcel.awaited:
                    self._encodes.discard(parcel.number)
                    self._delivery.deliver(parcel)

    def _refuse(self, document: Document, reason: str) -> Refused:
        self._report(Settled(document.doc_id, document.source, "refused", reason))
        return "refused"

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
