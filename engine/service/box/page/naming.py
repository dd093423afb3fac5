"""What things are called on a page: text on one line, no longer than there is room for; documents by their titles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

import numpy as np

from engine.errors import translated
from indexer.protocol import IndexReader

LONGEST_TITLE = 240
LONGEST_LABEL = 120
OPENING = 300
"""So many characters of a text are enough to call it by its beginning."""
_LONGEST_OPENING, _LONGEST_UNSPACED = 72, 36
_SENTENCE = re.compile(r"(.{12,}?)[.!?](?=\s|$)")
_CLAUSE = re.compile(r"(.{6,}?)[，。！？；]")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_SEEN = frozenset("LNPS")


def shortened(text: str, most: int) -> str:
    """Return text on one line, of at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def is_seen(text: str) -> bool:
    """Return whether there is anything to see in a text: white space and characters without a shape are nothing."""
    return any(unicodedata.category(character)[0] in _SEEN for character in text[:LONGEST_TITLE])


def name_of(title: str, doc_id: str, opening: str = "") -> tuple[str, bool]:
    """Return what a document is called, and whether that is its title.

    Without a title it goes by the beginning of its text, else by the last part of its id.

    Args:
        title: The document's.
        doc_id: The document's.
        opening: The first `OPENING` characters of its text; empty where they are not at hand.
    """
    if is_seen(title):
        return shortened(title, LONGEST_TITLE), True
    line = " ".join(opening.split()).lstrip("#>*=-_ ")
    if is_seen(line):
        unspaced = bool(_UNSPACED.search(line[:_LONGEST_UNSPACED]))
        end = (_CLAUSE if unspaced else _SENTENCE).match(line)
        return shortened(end[1] if end else line, _LONGEST_UNSPACED if unspaced else _LONGEST_OPENING), False
    last = doc_id.rstrip("/").rpartition("/")[2]
    return shortened(last or doc_id, LONGEST_TITLE) or "—", False


def openings(open_reader: Callable[[], IndexReader], documents: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return how the texts begin of those documents that have no title, by id.

    Args:
        open_reader: Gives a reader of the index; called where a text has to be looked at.
        documents: Ids and titles.
    """
    doc_ids = [doc_id for doc_id, title in documents if not is_seen(title)]
    if not doc_ids:
        return {}
    with translated():
        reader = open_reader()
        numbers: list[int] = np.asarray(reader.find_all(doc_ids)).tolist()
        there = [(doc_id, number) for doc_id, number in zip(doc_ids, numbers, strict=True) if number >= 0]
        texts = reader.texts([(number, 0, OPENING) for _, number in there])
    return {doc_id: text for (doc_id, _), text in zip(there, texts, strict=True)}
