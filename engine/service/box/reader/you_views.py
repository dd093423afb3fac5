"""Who the system thinks a reader is: interests with their documents, what is disliked, what all of it weighs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.errors import translated
from engine.service.box.page.naming import LONGEST_TITLE, name_of, openings, shortened
from engine.service.box.page.rendering import Frame
from engine.service.box.page.scripts import language_of
from engine.service.box.reader.opinions import opinions_in
from engine.service.box.why.accounts import did, when

if TYPE_CHECKING:
    from engine.personal.history import History
    from engine.personal.interests import Interest
    from engine.search_engine import SearchEngine
    from indexer.protocol import IndexReader, StoredDocument

_PHRASES = 5
_LISTED = 12  # documents of one interest that are seen at once
_MOST = 200  # documents that the page lists of what is disliked, hidden or not there


@dataclass(frozen=True, slots=True)
class Met:
    """A document that the reader met: what they did with it last, and when; `there` says whether the index has it."""

    doc_id: str
    title: str
    language: str
    href: str
    did: str
    when: str
    there: bool = True


@dataclass(frozen=True, slots=True)
class InterestView:
    """One interest.

    Args:
        name: What it is turned off by: a document's id, or the words that were declared.
        title: What it is called.
        language: The title's.
        href: Where the document in its middle is read; empty for a declared one.
        declared: Whether the reader put it into words.
        muted: Whether they turned it off.
        percent: Its share of all interest.
        when: When something last happened with it.
        phrases: What its documents have in common.
        documents: What it rests on, the heaviest first.
        more: Those behind the fold.
        unread: Whether the encoder made nothing of the words, so that it has no effect.
    """

    name: str
    title: str
    language: str
    href: str
    declared: bool
    muted: bool
    percent: int
    when: str
    phrases: tuple[str, ...]
    documents: tuple[Met, ...]
    more: tuple[Met, ...]
    unread: bool


@dataclass(frozen=True, slots=True)
class YouView:
    """All that the page shows of a reader.

    Args:
        interests: Heaviest first, those turned off among them.
        disliked: Documents they want less of.
        hidden: Documents they want to see no more.
        absent: Documents that the index does not have (any more).
        rest: Documents that have no part in any interest, such as those that the encoder cannot read.
        events: How many events are kept.
        documents: With how many documents.
        evidence: What all of it weighs, in documents read just now.
        last: When something happened last.
        flooding: Whether there were more events than a person makes.
    """

    interests: tuple[InterestView, ...] = ()
    disliked: tuple[Met, ...] = ()
    hidden: tuple[Met, ...] = ()
    absent: tuple[Met, ...] = ()
    rest: tuple[Met, ...] = ()
    events: int = 0
    documents: int = 0
    evidence: float = 0.0
    last: str = ""
    flooding: bool = False

    @property
    def known(self) -> bool:
        """Whether anything is kept of the reader."""
        return bool(self.interests or self.events)


def you_view(engine: SearchEngine, reader: IndexReader, user_id: str | None, frame: Frame) -> YouView:
    """Return what is known of a reader; nothing of nobody in particular.

    Raises:
        SearchError: the readers' store cannot be read.
    """
    if user_id is None or not engine.readers.exists:
        return YouView()
    history, interests = engine.readers.history(user_id), engine.interests(user_id)
    if interests is None:
        return YouView()
    opinions = opinions_in(history)
    hidden = sorted(doc_id for doc_id, kind in opinions.items() if kind == "hide")[:_MOST]
    disliked = sorted(doc_id for doc_id, kind in opinions.items() if kind == "dislike")[:_MOST]
    absent = _absent(reader, sorted(set(history.doc_ids)))[:_MOST]
    named = {name for one in interests.likes for name in (one.name, *one.documents)}
    rest = sorted(set(history.doc_ids).difference(named, hidden, disliked, absent))[:_MOST]
    shelf = _shelf(reader, history, named.union(hidden, disliked, absent, rest), frame)
    times = [one for one in history.at.tolist() if one == one]
    return YouView(
        interests=tuple(_interest(engine, one, shelf, frame) for one in interests.likes),
        disliked=tuple(shelf[doc_id] for doc_id in disliked),
        hidden=tuple(shelf[doc_id] for doc_id in hidden),
        absent=tuple(shelf[doc_id] for doc_id in absent),
        rest=tuple(shelf[doc_id] for doc_id in rest),
        events=len(history),
        documents=len(set(history.doc_ids)),
        evidence=interests.evidence,
        last=when(_moment(max(times)), frame.words) if times else "",
        flooding=history.flooding,
    )


def _absent(reader: IndexReader, doc_ids: list[str]) -> list[str]:
    """Return which documents the index does not have."""
    with translated():
        numbers = reader.find_all(doc_ids)
    return [doc_id for doc_id, number in zip(doc_ids, numbers.tolist(), strict=True) if number < 0]


def _shelf(reader: IndexReader, history: History, wanted: set[str], frame: Frame) -> dict[str, Met]:
    """Return documents of a history by id, each with what was done with it last."""
    rows = zip(history.doc_ids, history.kinds, history.at.tolist(), strict=True)
    kinds = {doc_id: (kind, at) for doc_id, kind, at in rows if doc_id in wanted}
    known = documents_of(reader, kinds)
    begin = openings(lambda: reader, ((stored.doc_id, stored.title) for stored in known.values()))
    shelf = {}
    for doc_id, (kind, at) in kinds.items():
        stored = known.get(doc_id)
        title, _ = name_of(stored.title if stored else "", doc_id, begin.get(doc_id, ""))
        shelf[doc_id] = Met(
            doc_id=doc_id,
            title=title,
            language=language_of(title, stored.metadata) if stored else "",
            href=frame.link("/document", id=doc_id) if stored else "",
            did=did(kind, frame.words),
            when=when(_moment(at), frame.words),
            there=stored is not None,
        )
    return shelf


def documents_of(reader: IndexReader, doc_ids: Iterable[str]) -> Mapping[str, StoredDocument]:
    """Return what the index has of some documents, by id."""
    wanted = list(doc_ids)
    with translated():
        numbers = reader.find_all(wanted)
        return {stored.doc_id: stored for stored in reader.documents(numbers[numbers >= 0])}


def _interest(engine: SearchEngine, one: Interest, shelf: Mapping[str, Met], frame: Frame) -> InterestView:
    middle = shelf.get(one.name)
    documents = tuple(shelf[doc_id] for doc_id in one.documents if doc_id in shelf)
    phrases: tuple[str, ...] = ()
    if one.documents:
        phrases = tuple(phrase.text for phrase in engine.keyphrases(one.documents[:_LISTED], _PHRASES))
    return InterestView(
        name=one.name,
        title=shortened(one.name, LONGEST_TITLE) if one.declared or middle is None else middle.title,
        language="" if one.declared or middle is None else middle.language,
        href="" if one.declared or middle is None else middle.href,
        declared=one.declared,
        muted=one.muted,
        percent=round(100 * one.weight),
        when=when(_moment(one.at), frame.words),
        phrases=phrases,
        documents=documents[:_LISTED],
        more=documents[_LISTED:],
        unread=one.declared and not one.vector.any(),
    )


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds == seconds else None
