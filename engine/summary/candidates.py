"""Which sentences may stand in a summary: those of the passages nearest to its target.

The passages' vectors are in the index; a sentence's has to be made. So that a long document costs no more than a
short one, only the sentences of its best passages are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.summary.substance import says_something
from indexer.atoms import sections_of
from indexer.document import Document
from indexer.protocol import IndexReader, StoredDocument, StoredPassage

PASSAGES = 8
"""So many passages are looked at, and more where a long summary is wanted."""
_TIMES = 8  # ... and so many times the characters of the summary


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be taken: its text and place in the document, and what stands around it."""

    text: str
    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    passage: int


def nearest(
    passages: Sequence[StoredPassage], scores: NDArray[np.float64], length: int
) -> list[StoredPassage]:
    """Return the passages with the highest scores, enough for a summary of a length, in the document's order.

    Args:
        passages: All of a document's.
        scores: One for each; of equals the first is taken.
        length: Characters of the summary.
    """
    chosen: list[int] = []
    held = 0
    for place in np.argsort(-np.round(scores, 6), kind="stable").tolist():
        if len(chosen) >= PASSAGES and held >= _TIMES * length:
            break
        chosen.append(place)
        held += passages[place].passage.end - passages[place].passage.start
    return [passages[place] for place in sorted(chosen)]


def sentences_of(
    reader: IndexReader, document: StoredDocument, passages: Sequence[StoredPassage]
) -> list[Candidate]:
    """Return the sentences of these passages in order, each once though passages overlap.

    Headings are left out; so are sentences too short to say anything by themselves, and rows of tables and lines
    of code, unless there is nothing else.

    Args:
        reader: Has the text.
        document: Whose passages they are.
        passages: In the document's order.
    """
    found: list[tuple[str, Candidate]] = []
    for stretch in _stretches(passages):
        start, end = stretch[0].passage.start, max(each.passage.end for each in stretch)
        text = reader.text(document.number, start, end)
        atoms, _ = sections_of(Document(document.doc_id, text))
        at = 0
        for atom in atoms:
            while at + 1 < len(stretch) and stretch[at + 1].passage.start <= start + atom.start:
                at += 1
            inside = stretch[at]
            candidate = Candidate(
                text[atom.start : atom.end],
                start + atom.start,
                start + atom.end,
                inside.passage.page,
                inside.passage.headings,
                inside.number,
            )
            found.append((atom.kind, candidate))
    running = [each for kind, each in found if kind == "sentence"]
    return [each for each in running if says_something(each.text)] or running or [each for _, each in found]


def _stretches(passages: Sequence[StoredPassage]) -> list[list[StoredPassage]]:
    """Return the passages, those that overlap or touch together."""
    stretches: list[list[StoredPassage]] = []
    end = -2
    for each in passages:
        if each.passage.start <= end + 1:
            stretches[-1].append(each)
        else:
            stretches.append([each])
        end = max(end, each.passage.end)
    return stretches
