"""The titles and headings of an index, each once: what is offered whole to one who types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from sys import intern

import numpy as np

from engine.completion.pieces import Piece, joined, pieces_of
from indexer.protocol import IndexReader, Numbers
from indexer.scripts import UNSPACED

MOST_DOCUMENTS = 50_000
"""Of so many documents at most the titles are read; of more, those of an even spread."""
MOST_PASSAGES = 50_000
"""Of so many passages of theirs at most the headings; of more, likewise."""
MOST_HEADINGS = 100_000
"""So many different headings are kept: the first ones that are met."""
LONGEST_TITLE, LONGEST_HEADING = 200, 120
"""What is longer is no name of anything, and left out."""
_AT_A_TIME = 1000
_CUT = "…"  # ends a heading that the splitter shortened, which passages of few tokens have

_QUOTES = str.maketrans({'"': "'", "“": "‘", "”": "’"})
_SIGN = re.compile(r"(?<!\S)[+-]+(?=\S)")
_FIELD = re.compile(r"(?<!\S)([^\W\d][\w.-]*:)(?=[^\s/\\:])")
_FILE_NAME = re.compile(r"\S*[\d_./\\]\S*")
_UNSPACED = re.compile(f"[{UNSPACED}]")


@dataclass(slots=True)
class Entry:
    """A title or a heading.

    Args:
        text: On one line, and such that a search takes it as plain words.
        name: Its pieces joined: what it has in common with every other way to write the same.
        words: Its words as they are compared.
        written: The same as they are written.
        stretches: Its stretches of unspaced text as they are compared.
        is_title: Whether a document is called so; the name of a heading alone otherwise.
        doc_id: Of a title, the first document by id that is called so.
        documents: How many documents have it, as title or heading.
        offers_words: Whether its words are worth completing; those of a file's name are not.
    """

    text: str
    name: str
    words: tuple[str, ...]
    written: tuple[str, ...]
    stretches: tuple[str, ...]
    is_title: bool = False
    doc_id: str = ""
    documents: int = 0
    offers_words: bool = True

    @classmethod
    def of(cls, text: str, pieces: Sequence[Piece], doc_id: str | None) -> Entry:
        """Return an entry that no document has yet: a title where a document is named, otherwise a heading."""
        words = [piece for piece in pieces if not piece.unspaced]
        return cls(
            text,
            joined(pieces),
            tuple(
                intern(piece.folded) for piece in words
            ),  # of a million there are not so many different ones
            tuple(intern(text[piece.start : piece.end]) for piece in words),
            tuple(piece.folded for piece in pieces if piece.unspaced),
            doc_id is not None,
            doc_id or "",
            offers_words=not is_file_name(text),
        )


def entries_of(reader: IndexReader, most_documents: int, most_headings: int) -> list[Entry]:
    """Return the titles and headings of an index in the order in which they are offered.

    Titles come before headings, then what more documents have, then what is shorter, then by text. Of texts with the
    same words one is kept, and counts for all.

    Args:
        reader: The index.
        most_documents: Of how many documents to read titles and headings.
        most_headings: How many different headings to keep.
    """
    live = _spread(reader.live_documents(), most_documents)
    found: dict[str, Entry] = {}
    for at in range(0, len(live), _AT_A_TIME):
        for document in reader.documents(live[at : at + _AT_A_TIME]):
            _add_title(found, document.title, document.doc_id)
    room = len(found) + most_headings
    for heading in _headings(reader, live):
        _add_heading(found, heading, room)
    return sorted(
        found.values(),
        key=lambda entry: (not entry.is_title, -entry.documents, len(entry.text), entry.text),
    )


def _add_title(found: dict[str, Entry], title: str, doc_id: str) -> None:
    text = searchable(title)
    if not 0 < len(text) <= LONGEST_TITLE:
        return
    pieces = pieces_of(text)
    if not pieces:
        return
    entry = found.setdefault(joined(pieces), Entry.of(text, pieces, doc_id))
    entry.documents += 1
    entry.doc_id = min(entry.doc_id, doc_id)


def _add_heading(found: dict[str, Entry], heading: str, room: int) -> None:
    text = searchable(heading)
    if not 0 < len(text) <= LONGEST_HEADING or text.endswith(_CUT):
        return
    pieces = pieces_of(text)
    name = joined(pieces)
    if name and name not in found and len(found) < room:
        found[name] = Entry.of(text, pieces, None)
    if name in found:
        found[name].documents += 1


def searchable(text: str) -> str:
    """Return a text on one line, with quotation marks, signs and colons such that a search takes them as plain text."""
    line = " ".join(text.split())
    if line.isalpha():
        return line
    line = line.translate(_QUOTES)
    while True:  # what follows a colon may have a sign or a colon of its own
        plain = _FIELD.sub(r"\1 ", _SIGN.sub("", line))
        if plain == line:
            return line
        line = plain


def is_file_name(text: str) -> bool:
    """Whether a text looks like a file's name: no white space, but a digit, a dot, a line or a slash."""
    return _FILE_NAME.fullmatch(text) is not None and _UNSPACED.search(text) is None


def _headings(reader: IndexReader, documents: Numbers) -> Iterator[str]:
    """Yield the headings of documents, each once a document as far as they follow each other."""
    passages, owners = reader.passages_of_all(documents)
    places = _spread(np.arange(len(passages)), MOST_PASSAGES)
    first = _spread(places, _AT_A_TIME)
    if not any(stored.passage.headings for stored in reader.passages(passages[first])):
        return  # so many without any: there are none, or next to none
    seen: set[str] = set()
    document = -1
    for at in range(0, len(places), _AT_A_TIME):
        piece = places[at : at + _AT_A_TIME]
        for owner, stored in zip(owners[piece].tolist(), reader.passages(passages[piece]), strict=True):
            if owner != document:
                document = owner
                seen.clear()
            yield from _new(stored.passage.headings, seen)


def _new(headings: Iterable[str], seen: set[str]) -> Iterator[str]:
    for heading in headings:
        if heading not in seen:
            seen.add(heading)
            yield heading


def _spread(numbers: Numbers, most: int) -> Numbers:
    """Return all of some numbers, or so many of them, evenly spread."""
    if len(numbers) <= most:
        return numbers
    spread: Numbers = numbers[np.linspace(0, len(numbers) - 1, most).astype(np.int64)]
    return spread
