"""From a document to what is sent of it: looked up, split, its passages hashed and encoded. Nothing is written here.

Documents are looked up some at a time: one that is unchanged costs its share of one request. Of a changed one only
the passages that changed are encoded; the vectors of the others are taken from the version that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

from indexer.analyser import Analyser
from indexer.backend import Outcome, Settled
from indexer.document import Document
from indexer.elastic.errors import ElasticError
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.shape import metadata
from indexer.elastic.shape.numbers import document_number
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.kept import kept_encodings, known_documents
from indexer.elastic.writing.mapped_fields import MappedFields
from indexer.elastic.writing.parcels import Known, Writing
from indexer.errors import IndexFull, IndexingError, ModelError
from indexer.passage_encoding import Encoded, EncodingQueue, PassageEncoder, prepared
from indexer.splitter import Splitter

Amounts: TypeAlias = Outcome | Literal["refused"]
"""What a document amounts to."""

_TOGETHER = 64  # documents looked up in one request
_CHARACTERS = 1 << 20  # or so much text


class Intake:
    """Prepares documents. For one thread's use.

    Args:
        cluster: Where.
        analyser: Makes the terms.
        encoder: Encodes passages.
        splitter: Makes passages of documents.
        fields: What the mappings know.
        generation: Returns what is written to now.
        deliver: Takes what is ready to be sent.
        report: Is told of documents that are unchanged or refused.
    """

    def __init__(
        self,
        cluster: Cluster,
        analyser: Analyser,
        encoder: PassageEncoder,
        splitter: Splitter,
        fields: MappedFields,
        *,
        generation: Callable[[], Generation],
        deliver: Callable[[Writing], None],
        report: Callable[[Settled], None],
    ) -> None:
        self._cluster = cluster
        self._analyser = analyser
        self._encoder = encoder
        self._splitter = splitter
        self._fields = fields
        self._generation = generation
        self._deliver = deliver
        self._report = report
        self._waiting: dict[int, Document] = {}
        self._characters = 0
        self._awaiting: set[int] = set()
        self._encoding: EncodingQueue[tuple[Writing, int]] = EncodingQueue(encoder)

    @property
    def encoded(self) -> int:
        """Passages encoded so far."""
        return self._encoding.encoded

    @property
    def pending(self) -> int:
        """Passages that wait to be encoded."""
        return self._encoding.pending

    def __contains__(self, number: int) -> bool:
        """Whether the document of this number is here."""
        return number in self._waiting or number in self._awaiting

    def take(self, document: Document, commit: int) -> None:
        """Take a document, which is not here; looks at those that wait when enough have come together.

        Args:
            document: The document.
            commit: The commit that it is expected to be part of.
        """
        self._waiting[document_number(document.doc_id)] = document
        self._characters += len(document.text)
        if len(self._waiting) >= _TOGETHER or self._characters >= _CHARACTERS:
            self.look_up(commit)

    def look_up(self, commit: int) -> dict[str, Amounts]:
        """Look at the documents that wait, prepare those that are not unchanged; return what each amounts to, by id."""
        documents, self._waiting, self._characters = list(self._waiting.values()), {}, 0
        amounts: dict[str, Amounts] = {}
        parcels: list[Writing] = []
        for document, known in zip(documents, self.known([each.doc_id for each in documents]), strict=True):
            content_hash = document.content_hash()
            if known is not None and known.doc_id != document.doc_id:
                reason = (
                    f"its id has the same number as that of {known.doc_id!r} in the index: rename one of them"
                )
                amounts[document.doc_id] = self._refuse(document, reason)
            elif known is not None and known.content_hash == content_hash:
                amounts[document.doc_id] = "unchanged"
                self._report(Settled(document.doc_id, document.source, "unchanged"))
            else:
                parcel = self._prepared(document, content_hash, known, commit)
                amounts[document.doc_id] = parcel.outcome if parcel else "refused"
                parcels += [parcel] if parcel else []
        for parcel in self._with_unknown_fields(parcels):
            amounts[parcel.doc_id] = "refused"
            parcels.remove(parcel)
        if parcels:
            self._encode(parcels)
        self._hand_over(self._encoding.some())
        return amounts

    def finish(self, commit: int) -> None:
        """Look at all that waits, and wait until it is encoded."""
        self.look_up(commit)
        self._hand_over(self._encoding.rest())

    def known(self, doc_ids: Sequence[str]) -> list[Known | None]:
        """Return what the index has of each of these documents."""
        numbers = [document_number(doc_id) for doc_id in doc_ids]
        found = known_documents(self._cluster, self._generation(), numbers)
        return [found.get(number) for number in numbers]

    def close(self) -> None:
        """Forget what is left."""
        self._encoding.close()

    def _prepared(
        self, document: Document, content_hash: str, known: Known | None, commit: int
    ) -> Writing | None:
        try:
            passages = prepared(document, self._splitter.split(document), self._encoder)
            metadata.stored(document.metadata, as_json=True)  # refuses names that are too long
        except (IndexFull, ModelError):
            raise
        except (IndexingError, ValueError) as error:
            self._refuse(document, str(error))
            return None
        return Writing(self._analyser, document, content_hash, passages, known, commit)

    def _with_unknown_fields(self, parcels: Sequence[Writing]) -> list[Writing]:
        """Have the server know all metadata fields of these documents; return those whose fields it refuses."""
        generation = self._generation()
        wanted = [(parcel, metadata.kinds_of(parcel.document.metadata)) for parcel in parcels]
        try:
            self._fields.add(generation, {pair for _, pairs in wanted for pair in pairs})
            return []
        except ElasticError as error:
            if error.status != 400:
                raise
        refused = []
        for parcel, pairs in wanted:
            try:
                self._fields.add(generation, pairs)
            except ElasticError as error:
                if error.status != 400:
                    raise
                self._refuse(parcel.document, f"its metadata fields cannot be added: {error.reason}")
                refused.append(parcel)
        return refused

    def _encode(self, parcels: Sequence[Writing]) -> None:
        """Give the passages that need it to the encoder; hand over the documents that wait for none."""
        changed = [parcel.number for parcel in parcels if parcel.known is not None and parcel.known.passages]
        kept = kept_encodings(self._cluster, self._generation(), changed, codes=self._encoder.keeps_tokens)
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
                self._awaiting.add(parcel.number)
                self._encoding.add(waiting)
            else:
                self._deliver(parcel)

    def _hand_over(self, batches: Iterator[Encoded[tuple[Writing, int]]]) -> None:
        for batch in batches:
            for row, (parcel, at) in enumerate(batch.keys):
                parcel.encodings[at].vector = batch.vectors[row]
                parcel.encodings[at].codes = batch.codes[row] if batch.codes else None
                parcel.awaited -= 1
                if not parcel.awaited:
                    self._awaiting.discard(parcel.number)
                    self._deliver(parcel)

    def _refuse(self, document: Document, reason: str) -> Literal["refused"]:
        self._report(Settled(document.doc_id, document.source, "refused", reason))
        return "refused"
