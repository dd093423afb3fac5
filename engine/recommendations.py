"""What comes of recommending without a query: `Recommendations`, and each `Recommendation` with its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from engine.ledger import Because
from indexer.document import MetadataValue

Origin: TypeAlias = Literal["interests", "popular", "recent"]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A document that a reader may want to read next.

    Args:
        doc_id: Its id.
        score: Higher is better, within one list and among those of one origin.
        rank: Its place, from 1.
        title: Its title, or the empty string.
        source: Where it came from.
        metadata: Its metadata.
        origin: `interests` of the reader, `popular` (most readers read it), or `recent` (among the newest).
        interest: The name of the interest that speaks for it most; empty for the other two origins.
        because: What in the reader's past it rests on, the weightiest first; none for the other two origins.
        readers: How many readers it has, where that is why it is here; otherwise 0.
        dated: Its date, where that is why it is here; otherwise None.
    """

    doc_id: str
    score: float
    rank: int
    title: str
    source: str
    metadata: Mapping[str, MetadataValue]
    origin: Origin
    interest: str = ""
    because: tuple[Because, ...] = ()
    readers: int = 0
    dated: date | None = None

    @property
    def reason(self) -> str:
        """Why it is here, in words."""
        if self.origin == "popular":
            return f"read by {self.readers:,} reader{'' if self.readers == 1 else 's'}"
        if self.origin == "recent":
            return f"new: dated {self.dated}"
        return "; ".join(map(in_words, self.because))

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "rank": self.rank,
            "doc_id": self.doc_id,
            "score": self.score,
            "title": self.title,
            "source": self.source,
            "metadata": {name: _plain(value) for name, value in self.metadata.items()},
            "origin": self.origin,
            "interest": self.interest,
            "because": [one.to_json() for one in self.because],
            "readers": self.readers,
            "dated": self.dated.isoformat() if self.dated else None,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Documents for one reader, best first.

    Args:
        user_id: Who.
        items: The documents: those for their interests, then what stands in for more of these.
        notices: What stands in, and why.
        shares: How many of the items each interest speaks for most, by its name.
    """

    user_id: str
    items: tuple[Recommendation, ...]
    notices: tuple[str, ...]
    shares: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Recommendation]:
        return iter(self.items)

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "user_id": self.user_id,
            "notices": list(self.notices),
            "shares": dict(self.shares),
            "items": [item.to_json() for item in self.items],
        }


_DID = {"click": "opened", "dwell": "stayed with", "like": "liked", "save": "saved"}


def in_words(one: Because, longest: int = 1000) -> str:
    """Return one reason in words, the title in it cut to so many characters."""
    name = " ".join((one.title or one.doc_id).split())
    name = name if len(name) <= longest else name[: longest - 1].rstrip() + "…"
    if one.source == "declared":
        return f"because you are interested in “{name}”"
    did = f"because you {_DID.get(one.kind, 'read')} “{name}”"
    return did + (": its readers read this too" if one.source == "together" else f": {one.value:.2f} near")


def _plain(value: MetadataValue) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
