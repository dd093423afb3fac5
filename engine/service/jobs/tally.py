"""What becomes of the documents of one job where several are added to the index together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import cast

from engine.service.jobs.job import SHOWN_REFUSALS, Refusal
from indexer.backend import DocumentIndex, DocumentWriter, Settled


@dataclass(slots=True)
class Tally:
    """What became of the documents of one job.

    Args:
        added: New ones.
        updated: Those that replaced an older version.
        unchanged: Those that were there already.
        unfit: Those that could not be indexed.
        passages: Passages encoded.
        generation: Of the index, once it holds them.
        refusals: The first of what was refused, as source and reason.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    unfit: int = 0
    passages: int = 0
    generation: int = 0
    refusals: list[list[str]] = field(default_factory=list)

    def refuse(self, source: str, reason: str) -> None:
        """Count a document that was refused."""
        self.unfit += 1
        if len(self.refusals) < SHOWN_REFUSALS:
            refusal = Refusal.of(source, reason)
            self.refusals.append([refusal.source, refusal.reason])

    def settle(self, settled: Settled) -> None:
        """Count what became of a document that was put."""
        match settled.outcome:
            case "added":
                self.added += 1
            case "updated":
                self.updated += 1
            case "unchanged":
                self.unchanged += 1
            case "refused":
                self.refuse(settled.source or settled.doc_id, f"could not be indexed: {settled.reason}")

    def counts(self) -> dict[str, int]:
        """Return all that was counted."""
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "unfit": self.unfit,
            "passages": self.passages,
            "generation": self.generation,
        }


def watching(index: DocumentIndex, tell: Callable[[Settled], None]) -> DocumentIndex:
    """Return an index to write to, which tells what becomes of each document, once."""
    return cast(DocumentIndex, _WatchedIndex(index, tell))


class _WatchedIndex:
    """Of an index, what indexing a corpus asks of it: its writer."""

    def __init__(self, index: DocumentIndex, tell: Callable[[Settled], None]) -> None:
        self._index = index
        self._tell = tell

    def writer(self) -> DocumentWriter:
        return cast(DocumentWriter, _WatchedWriter(self._index.writer(), self._tell))


class _WatchedWriter:
    """A writer whose `settled` is overheard; all else is the writer's own."""

    def __init__(self, writer: DocumentWriter, tell: Callable[[Settled], None]) -> None:
        self._writer = writer
        self._tell = tell

    def settled(self) -> list[Settled]:
        found = self._writer.settled()
        for each in found:
            self._tell(each)
        return found

    def __getattr__(self, name: str) -> object:
        return getattr(self._writer, name)

    def __enter__(self) -> _WatchedWriter:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)
