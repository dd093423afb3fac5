"""What fills a generation, and what it has done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.elastic.rebuilding.differences import Difference
from indexer.elastic.rebuilding.scans import Moment


@dataclass(frozen=True, slots=True)
class Moments:
    """Points in time of both generations, as one pass reads them."""

    old_documents: Moment
    old_passages: Moment
    new_documents: Moment


@dataclass(frozen=True, slots=True)
class Torn:
    """A document of which the parts do not fit together: a writer has it under way, or died over it."""

    number: int
    doc_id: str


@dataclass(frozen=True, slots=True)
class Done:
    """What was done in one batch or pass.

    Args:
        documents: Copied.
        passages: Copied.
        deleted: Documents deleted.
        torn: Documents that were left, as the old generation has not the whole of them.
    """

    documents: int = 0
    passages: int = 0
    deleted: int = 0
    torn: tuple[Torn, ...] = ()

    @property
    def differed(self) -> int:
        """In how many documents the generations differed."""
        return self.documents + self.deleted + len(self.torn)

    def __add__(self, other: Done) -> Done:
        return Done(
            self.documents + other.documents,
            self.passages + other.passages,
            self.deleted + other.deleted,
            self.torn + other.torn,
        )


class Filler(Protocol):
    """Brings documents of the new generation up to date: by copying, or by writing them anew."""

    threads: int
    content_only: bool
    """Whether documents differ by their content alone."""

    def fill(self, moments: Moments, batch: Sequence[Difference], *, last: bool) -> Done:
        """Make these documents in the new generation as they are in the old.

        On the last pass, when nobody writes to the old one, nothing is kept of what is torn.
        """
        ...

    def finish(self) -> Done:
        """Have everything acknowledged; return what was done that no `fill` has told."""
        ...
