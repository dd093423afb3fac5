"""Writes documents anew into the next generation, for another encoder or other passages: from the text that is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indexer.backend import DocumentWriter
from indexer.elastic.rebuilding.differences import Difference
from indexer.elastic.rebuilding.filling import Done, Moments, Torn
from indexer.elastic.rebuilding.whole import stored_documents
from indexer.errors import InvalidDocument

_COMMIT_PASSAGES = 20_000


class Rewriter:
    """Fills a generation through the ordinary writer. For one thread's use.

    Args:
        writer: Of the generation to be filled.
    """

    threads = 1
    content_only = True

    def __init__(self, writer: DocumentWriter) -> None:
        self._writer = writer
        self._committed = self._told = 0

    def fill(self, moments: Moments, batch: Sequence[Difference], *, last: bool) -> Done:
        """Write these documents anew, and delete those that the old generation has no more."""
        documents = 0
        torn: list[Torn] = []
        gone = [each.number for each in batch if not each.wanted]
        wanted = [each.number for each in batch if each.wanted]
        for found in stored_documents(moments, wanted, passages=False):
            if isinstance(found, Torn):
                torn.append(found)
            else:
                self._writer.put(found.document)
                documents += 1
        there = {each.number for each in batch if each.there}
        if last:  # a copy of before is no copy of anything
            gone += [each.number for each in torn if each.number in there]
        self._writer.delete_all(list(_doc_ids(moments, gone)))
        self._check()
        if self._writer.encoded - self._committed >= _COMMIT_PASSAGES:
            self._writer.commit()
            self._committed = self._writer.encoded
        return Done(documents, self._news(), len(batch) - len(wanted), tuple(torn))

    def finish(self) -> Done:
        """Have everything acknowledged, for the next pass to see."""
        self._writer.commit()
        self._check()
        return Done(passages=self._news())

    def _news(self) -> int:
        """Return how many passages have been encoded that nobody was told of."""
        before, self._told = self._told, self._writer.encoded
        return self._told - before

    def _check(self) -> None:
        refused = [each for each in self._writer.settled() if each.outcome == "refused"]
        if refused:
            raise InvalidDocument(
                f"{len(refused)} documents could not be written anew, the first of them {refused[0].doc_id!r:.80}: "
                f"{refused[0].reason}. Nothing was switched; correct or delete them, and run the rebuild again"
            )


def _doc_ids(moments: Moments, numbers: Sequence[int]) -> Iterator[str]:
    if not numbers:
        return
    hits = moments.new_documents.scan(
        {"bool": {"filter": [{"term": {"kind": "document"}}, {"terms": {"number": list(numbers)}}]}},
        ["number"],
        size=len(numbers),
        _source=["doc_id"],
    )
    for hit in hits:
        yield hit["_source"]["doc_id"]
