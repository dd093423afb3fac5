"""What is stored of passages and documents, by number or by id; what was met before is not asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from indexer.document import Passage, metadata_from_json
from indexer.elastic.reading import bodies
from indexer.elastic.reading.filters import Body
from indexer.elastic.reading.memory import Memory
from indexer.elastic.reading.pit import Answer, PointInTime, Search, Tell, Where, hits_of, is_partial
from indexer.elastic.shape.numbers import document_number
from indexer.errors import IndexCorrupt, IndexUnavailable
from indexer.protocol import Numbers, StoredDocument, StoredPassage

V = TypeVar("V")

_OF_PASSAGE = ("number", "document", "doc_id", "ordinal", "start", "end", "path", "page", "tokens", "text")
_OF_DOCUMENT = ("number", "doc_id", "title_text", "source", "metadata", "length", "passages", "pages")
_BRIEFLY: list[Any] = [{"number": "asc"}, {"passages": "asc"}, {"doc_id": "asc"}]
_AT_A_TIME = 1_000  # whole records in one answer


@dataclass(frozen=True, slots=True)
class Lookups:
    """Looks up for one reader. Safe to share between threads.

    Args:
        point: Whom to ask.
        tell: Is called with a sentence where an answer lacks something.
        memory: What was looked up before.
    """

    point: PointInTime
    tell: Tell | None
    memory: Memory

    def passages(self, numbers: Sequence[int] | Numbers) -> list[StoredPassage]:
        """Return these passages, in the order asked.

        Their texts, and the records of their documents, come in the same answer: they are wanted next.
        """
        wanted = [int(number) for number in numbers]
        known = self.memory.passages.known(wanted)
        missing = _others(wanted, known)
        if missing:
            owners = set(self.memory.owners.known(wanted).values())
            unknown = _others(owners, self.memory.documents.known(owners))
            partial = False
            for at in range(0, len(missing), _AT_A_TIME):
                searches = [_by_number("passages", missing[at : at + _AT_A_TIME], _OF_PASSAGE)]
                if unknown:
                    searches.append(_by_number("documents", unknown[:_AT_A_TIME], _OF_DOCUMENT))
                answers = self.point.ask(searches, self.tell)
                known.update(self._passages_in(answers[0]))
                if unknown:
                    self._documents_in(answers[1])
                    unknown = unknown[_AT_A_TIME:]
                partial |= is_partial(answers[0])
            _check(_others(wanted, known), "passages", partial)
        return [known[number] for number in wanted]

    def documents(self, numbers: Sequence[int] | Numbers) -> list[StoredDocument]:
        """Return these documents, in the order asked.

        Of one whose shard does not answer, which `tell` is told, no more may be known than its id.
        """
        wanted = [int(number) for number in numbers]
        known = self.memory.documents.known(wanted)
        missing = _others(wanted, known)
        partial = False
        for at in range(0, len(missing), _AT_A_TIME):
            search = _by_number("documents", missing[at : at + _AT_A_TIME], _OF_DOCUMENT)
            (answer,) = self.point.ask([search], self.tell)
            known.update(self._documents_in(answer))
            partial |= is_partial(answer)
        lost = _others(wanted, known)
        if lost and partial:
            met = self.memory.doc_ids.known(lost)
            known.update(
                (number, StoredDocument(number, doc_id, "", "", {}, 0, 0, ()))
                for number, doc_id in met.items()
            )
        _check(_others(wanted, known), "documents", partial)
        return [known[number] for number in wanted]

    def doc_ids(self, documents: Numbers) -> list[str]:
        """Return the ids of these documents, in the order asked."""
        wanted: list[int] = documents.tolist()
        known = self.memory.doc_ids.known(wanted)
        missing = _others(wanted, known)
        if missing:
            known.update((number, doc_id) for number, _, doc_id in self._briefly(missing))
        return [known[number] for number in wanted]

    def counts(self, documents: Numbers) -> Numbers:
        """Return how many passages each of these documents has."""
        wanted: list[int] = documents.tolist()
        known = self.memory.counts.known(wanted)
        missing = _others(wanted, known)
        if missing:
            known.update((number, count) for number, count, _ in self._briefly(missing))
        return np.array([known[number] for number in wanted], dtype=np.int64)

    def find_all(self, doc_ids: Sequence[str]) -> Numbers:
        """Return the numbers of the documents of these ids, in the order asked; -1 where there is none."""
        numbers = [document_number(doc_id) for doc_id in doc_ids]
        known = self.memory.doc_ids.known(numbers)
        missing = _others(numbers, known)
        if missing:
            known.update((number, doc_id) for number, _, doc_id in self._briefly(missing, all_there=False))
        found = [
            number if known.get(number) == doc_id else -1
            for number, doc_id in zip(numbers, doc_ids, strict=True)
        ]
        return np.array(found, dtype=np.int64)

    def find(self, doc_id: str) -> StoredDocument | None:
        """Return the document of this id, or None when there is none."""
        number = document_number(doc_id)
        known = self.memory.documents.known([number])
        if not known:
            (answer,) = self.point.ask([_by_number("documents", [number], _OF_DOCUMENT)], self.tell)
            known = self._documents_in(answer)
            if not known and is_partial(answer):
                raise IndexUnavailable(
                    f"whether there is a document {doc_id!r:.80} cannot be said now: its shard does not answer"
                )
        found = known.get(number)
        return found if found is not None and found.doc_id == doc_id else None

    def live(self) -> Numbers:
        """Return the numbers of all documents, ascending."""
        found: list[int] = []
        after = None
        while True:
            body = bodies.listed(bodies.DOCUMENTS, bodies.PAGE, [{"number": "asc"}], after=after)
            (answer,) = self.point.ask([Search("documents", body)], self.tell)
            hits = hits_of(answer)
            found += [hit["sort"][0] for hit in hits]
            if len(hits) < bodies.PAGE:
                return np.array(found, dtype=np.int64)
            after = hits[-1]["sort"]

    def _briefly(self, numbers: Sequence[int], all_there: bool = True) -> list[tuple[int, int, str]]:
        """Return number, count of passages and id of documents."""
        found: list[tuple[int, int, str]] = []
        partial = False
        for at in range(0, len(numbers), bodies.PAGE):
            piece = numbers[at : at + bodies.PAGE]
            body = bodies.listed(_records(piece), len(piece), _BRIEFLY)
            (answer,) = self.point.ask([Search("documents", body)], self.tell)
            found += [(hit["sort"][0], hit["sort"][1], hit["sort"][2]) for hit in hits_of(answer)]
            partial |= is_partial(answer)
        self.memory.doc_ids.keep({number: doc_id for number, _, doc_id in found})
        self.memory.counts.keep({number: count for number, count, _ in found})
        if all_there:
            _check(_others(numbers, {number: 0 for number, _, _ in found}), "documents", partial)
        return found

    def _passages_in(self, answer: Answer) -> dict[int, StoredPassage]:
        found: dict[int, StoredPassage] = {}
        texts: dict[tuple[int, int], str] = {}
        for hit in hits_of(answer):
            told = hit["_source"]
            passage = _passage(told)
            found[told["number"]] = StoredPassage(told["number"], told["document"], passage)
            texts[told["document"], passage.start] = told["text"]
        self.memory.passages.keep(found)
        self.memory.texts.keep(texts)
        return found

    def _documents_in(self, answer: Answer) -> dict[int, StoredDocument]:
        found = {document.number: document for document in map(_document, hits_of(answer))}
        self.memory.documents.keep(found)
        self.memory.doc_ids.keep({number: document.doc_id for number, document in found.items()})
        self.memory.counts.keep({number: document.passages for number, document in found.items()})
        return found


def _by_number(where: Where, numbers: Sequence[int], source: Sequence[str]) -> Search:
    query = _records(numbers) if where == "documents" else bodies.among("number", numbers)
    return Search(where, bodies.listed(query, len(numbers), [{"number": "asc"}], source=source))


def _records(numbers: Sequence[int]) -> Body:
    return bodies.matching(None, [bodies.DOCUMENTS, bodies.among("number", numbers)])


def _passage(told: Mapping[str, Any]) -> Passage:
    return Passage(
        told["doc_id"],
        told["ordinal"],
        told["start"],
        told["end"],
        tuple(told.get("path") or ()),
        told.get("page"),
        told["tokens"],
    )


def _document(hit: Mapping[str, Any]) -> StoredDocument:
    told = hit["_source"]
    return StoredDocument(
        told["number"],
        told["doc_id"],
        told["title_text"],
        told["source"],
        metadata_from_json(told["metadata"]),
        told["length"],
        told["passages"],
        tuple(json.loads(told["pages"])),
    )


def _others(wanted: Iterable[int], known: Mapping[int, V]) -> list[int]:
    """Return those that are not known, each once."""
    return list(dict.fromkeys(number for number in wanted if number not in known))


def _check(missing: Sequence[int], what: str, partial: bool) -> None:
    if not missing:
        return
    if partial:
        raise IndexUnavailable(f"{len(missing)} {what} cannot be read now: their shards do not answer")
    raise IndexCorrupt(f"the index lacks {what} {list(missing[:5])} that it refers to; run `quire verify`")
