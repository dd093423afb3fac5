"""From readers to a committed index: the loop behind `quire index`.

Interrupted at any moment, it is run again with the same arguments: what was committed is recognised by its
content hash and costs no encoding.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from indexer.backend import DocumentIndex, DocumentWriter
from indexer.document import Document, ReadFailure
from indexer.sharding import WHOLE, Shard

COMMIT_SECONDS = 30.0
COMMIT_PASSAGES = 5_000


@dataclass(slots=True)
class IndexingReport:
    """What has been done so far; the same object grows while indexing goes on.

    Args:
        added: Documents that are new.
        updated: Documents that replaced an older version.
        unchanged: Documents that were there already, word for word.
        deleted: Documents that were no longer among those given.
        failures: What could not be read or indexed, and why.
        encoded: Passages encoded.
        seconds: Time since the beginning.
        interrupted: Whether it was stopped before the end.
        generation: Of the last commit.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failures: list[ReadFailure] = field(default_factory=list)
    encoded: int = 0
    seconds: float = 0.0
    interrupted: bool = False
    generation: int = 0

    @property
    def seen(self) -> int:
        """Documents given so far, those that failed included."""
        return self.added + self.updated + self.unchanged + len(self.failures)


Progress = Callable[[IndexingReport], None]


def index_corpus(
    index: DocumentIndex,
    items: Iterable[Document | ReadFailure],
    *,
    shard: Shard = WHOLE,
    progress: Progress | None = None,
    delete_missing: bool = False,
    should_stop: Callable[[], bool] | None = None,
    commit_seconds: float = COMMIT_SECONDS,
    commit_passages: int = COMMIT_PASSAGES,
) -> IndexingReport:
    """Bring the index up to `items`, committing as it goes.

    Args:
        index: The index. Of one in a folder nobody else may be writing; on Elasticsearch others may, of other shards.
        items: Documents and failures, as `read_corpus` yields them. Of several documents with the same id
            the first counts, the others are reported.
        shard: Take only the documents of this shard, and with `delete_missing` delete only among these.
        progress: Called after each item and each commit, with the report so far.
        delete_missing: Delete documents that are not among the items. What could not be read is kept.
        should_stop: Asked before each item; when it says so, what is done is committed and the report returned.
        commit_seconds: Commit after so much time,
        commit_passages: or so many passages encoded.

    Returns:
        The finished report.

    Raises:
        IndexLocked: another writer is at work.
        IndexFull: the disk is full; what was committed is safe.
        ModelError: the encoder failed; what was committed is safe.
    """
    report = IndexingReport()
    started = last_commit = time.monotonic()
    encoded_at_commit = 0
    seen: set[str] = set()
    with index.writer() as writer:
        for item in items:
            if should_stop is not None and should_stop():
                report.interrupted = True
                break
            _take(writer, item, report, seen, shard)
            report.encoded = writer.encoded
            report.seconds = time.monotonic() - started
            if (
                writer.encoded + writer.pending - encoded_at_commit >= commit_passages
                or time.monotonic() - last_commit >= commit_seconds
            ):
                report.generation = writer.commit()
                _count(writer, report)
                report.encoded = encoded_at_commit = writer.encoded
                last_commit = time.monotonic()
            if progress is not None:
                progress(report)
        if delete_missing and not report.interrupted:
            report.deleted = _delete_missing(writer, seen, report.failures, shard)
        report.generation = writer.commit()
        _count(writer, report)
        report.encoded = writer.encoded
        report.seconds = time.monotonic() - started
        if progress is not None:
            progress(report)
    return report


def _take(
    writer: DocumentWriter, item: Document | ReadFailure, report: IndexingReport, seen: set[str], shard: Shard
) -> None:
    if isinstance(item, ReadFailure):
        report.failures.append(item)
    elif item.doc_id not in shard:
        return
    elif item.doc_id in seen:
        reason = f"its id {item.doc_id!r} was used by an earlier document of this run, which is kept; make ids unique"
        report.failures.append(ReadFailure(item.source or item.doc_id, reason))
    else:
        seen.add(item.doc_id)
        writer.put(item)
        _count(writer, report)


def _count(writer: DocumentWriter, report: IndexingReport) -> None:
    for document in writer.settled():
        match document.outcome:
            case "added":
                report.added += 1
            case "updated":
                report.updated += 1
            case "unchanged":
                report.unchanged += 1
            case "refused":
                reason = f"it could not be indexed: {document.reason}"
                report.failures.append(ReadFailure(document.source or document.doc_id, reason))


def _delete_missing(writer: DocumentWriter, seen: set[str], failures: list[ReadFailure], shard: Shard) -> int:
    failed = {failure.source for failure in failures}
    gone = [
        doc_id
        for doc_id, source in writer.sources()
        if doc_id in shard and doc_id not in seen and source not in failed
    ]
    return writer.delete_all(gone)
