"""What a store of readers does, wherever it keeps them: in a file (`store`), or on Elasticsearch (`elastic`).

Both keep what they were given before a call returns, both show it to the next call, whoever makes it; both can be
shared by threads, and several processes may read and write at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeAlias

from engine.event import Event
from engine.personal.history import Forgotten, History, Recorded
from indexer.protocol import Numbers, Scores

if TYPE_CHECKING:
    from engine.personal.coreading import Reads
    from engine.personal.learned import Learned

LIKING = ("read", "click", "dwell", "like", "save")
DISLIKING = ("dislike", "hide")
"""Which kinds of events say that a reader liked a document, and which the contrary."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What tells whether anything has changed that a reader's results rest on.

    Args:
        version: Of the reader's history; 0 of somebody unknown.
        learnt: Of what readers share (`Lists.stamp`).
    """

    version: int
    learnt: str


class Readers(Protocol):
    """The readers of one tenant."""

    @property
    def tenant(self) -> str:
        """Whose readers."""
        ...

    @property
    def place(self) -> str:
        """Where they are kept, for messages."""
        ...

    @property
    def weights_place(self) -> str:
        """Where the weights are kept that were learnt from clicks, for messages."""
        ...

    @property
    def exists(self) -> bool:
        """Whether anything was ever written for this tenant; asking costs next to nothing."""
        ...

    @property
    def lists(self) -> Lists:
        """What was learnt of all of them together."""
        ...

    def add(self, events: Iterable[Event], *, now: datetime | None = None) -> Recorded:
        """Keep events; those that are kept already count as duplicates.

        Args:
            events: In any order.
            now: The clock; events over a day later are refused, and counted.

        Raises:
            InvalidEvent: something among them is no event; nothing was kept.
            ReaderStoreError: they cannot be written; adding the same again is no harm.
        """
        ...

    def version(self, user_id: str) -> int:
        """Return the number of the last change of a reader; 0 of somebody unknown."""
        ...

    def standing(self, user_id: str) -> Standing:
        """Return what a reader's results rest on, as it stands now."""
        ...

    def history(self, user_id: str) -> History:
        """Return what a reader did, declared and turned off; an empty history of somebody unknown."""
        ...

    def declare(self, user_id: str, text: str, *, weight: float = 1.0, at: datetime | None = None) -> None:
        """Keep an interest in the reader's own words, or change its weight and time.

        Args:
            user_id: Who; may be somebody new.
            text: The words, 1 to 1,000 characters.
            weight: How much it counts beside others; finite and over 0.
            at: When; None keeps it from fading.

        Raises:
            InvalidProfileChange: one of these is unusable, or there are 100 already.
        """
        ...

    def undeclare(self, user_id: str, text: str) -> bool:
        """Take back a declared interest; return whether there was one of these words."""
        ...

    def mute(self, user_id: str, name: str) -> bool:
        """Turn an interest off: it stays to be seen, and weighs nothing; return whether it was on.

        Raises:
            InvalidProfileChange: the reader neither met a document of that id nor declared these words.
        """
        ...

    def unmute(self, user_id: str, name: str) -> bool:
        """Turn an interest on again; return whether it was off."""
        ...

    def forget_document(self, user_id: str, doc_id: str) -> int:
        """Forget all that a reader did with one document; return how many events that were."""
        ...

    def forget(self, user_id: str, *others: str) -> Forgotten:
        """Erase readers, so that nothing is left of them; once begun it is finished, by the next to open if need be.

        Raises:
            ReaderStoreBusy: they are in no answer any more, but their bytes could not be taken off the disk yet.
        """
        ...

    def readers(self) -> Iterator[str]:
        """Yield who is known, in the order in which they came."""
        ...

    def events(self) -> Iterator[Event]:
        """Yield every event, reader by reader, each reader's sorted as a history is."""
        ...

    def reads(self, kinds: Collection[str] = LIKING) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield readers with the documents that they met and liked, each once, sorted; none who flood.

        Args:
            kinds: Which events count, those of weight 0 never.
        """
        ...

    def floods(self) -> frozenset[str]:
        """Return the readers who have more events than a person makes."""
        ...

    def export(self, user_id: str) -> dict[str, object]:
        """Return all that is kept of a reader, as plain values for JSON."""
        ...

    def pseudonym(self, user_id: str) -> str:
        """Return what stands for a reader in logs: 16 hexadecimal digits, meaningless once they are erased."""
        ...

    def learned(self) -> Learned | None:
        """Return the weights that were learnt from clicks; None before any were.

        Raises:
            ReaderStoreError: they cannot be read.
        """
        ...

    def keep_learned(self, learned: Learned) -> None:
        """Keep weights, in the place of those before."""
        ...

    def weights_in_use(self) -> Learned | None:
        """Return the weights that searches heed: cheap, not older than a second or two, and never an error."""
        ...

    def close(self) -> None:
        """Let go of what is open; a store that is used again opens it again."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Lists(Protocol):
    """What readers share, as it was learnt last (`engine.personal.together`): for each document those read with it."""

    def stamp(self) -> str:
        """Return another text whenever anything that was learnt has changed; the empty one before anything was."""
        ...

    def facts(self) -> str:
        """Return what was written down of the last learning, JSON; the empty string before there was one."""
        ...

    def near(self, doc_ids: Sequence[str]) -> dict[str, tuple[list[str], Scores]]:
        """Return the nearest of those of some documents that have a list, the nearest first, and how near."""
        ...

    def most_read(self, most: int) -> list[tuple[str, int]]:
        """Return the documents that most readers read, and how many did; ties by id."""
        ...

    def lesson(self) -> Lesson:
        """Begin to learn; nothing is kept before `Lesson.keep`."""
        ...


Found: TypeAlias = tuple[int, Numbers, Scores]
"""A document, those nearest to it, and how near; documents by their place in `Reads.doc_ids`."""


class Lesson(Protocol):
    """One learning of the lists: what stood before it, and what comes of it."""

    @property
    def facts(self) -> str:
        """What was written down of the last learning, JSON; the empty string before there was one."""
        ...

    @property
    def readers(self) -> int:
        """How many readers there are."""
        ...

    def touched(self, reads: Reads) -> Numbers:
        """Return the documents whose lists may be others now, ascending places in `reads.doc_ids`."""
        ...

    def keep(self, reads: Reads, found: Sequence[Found], *, fresh: bool, facts: Callable[[int], str]) -> bool:
        """Keep lists, and drop those of documents that nobody reads any more.

        Args:
            reads: What they were learnt from.
            found: The lists.
            fresh: Whether all others go.
            facts: Told how many documents have neighbours now, gives what to write down.

        Returns:
            Whether they were kept: not where something of what they rest on was taken back since the lesson began.
        """
        ...
