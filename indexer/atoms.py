"""The pieces that passages are packed from: headings, sentences, table rows, lines of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from indexer.context import heading_text
from indexer.document import Block, Document
from indexer.sentences import sentence_spans
from indexer.structure import plain_blocks

AtomKind: TypeAlias = Literal["heading", "sentence", "line", "piece"]

_LINE = re.compile(r"\S[^\n]*")


class Atom(NamedTuple):
    """What a passage holds whole.

    Args:
        kind: A heading, a sentence, a line (of code, or a table's row), or a piece of one too long for a passage.
        start: First character in the document's text.
        end: One past the last.
        closes: Whether a paragraph, item, or stretch of lines ends with it.
    """

    kind: AtomKind
    start: int
    end: int
    closes: bool = False


class Section(NamedTuple):
    """Atoms `first` up to `last` of a document, which stand under the same headings.

    Args:
        path: The headings, outermost first.
        first: Its first atom.
        last: One past its last atom.
        bare: Whether it holds headings only.
    """

    path: tuple[str, ...]
    first: int
    last: int
    bare: bool


def sections_of(document: Document) -> tuple[list[Atom], list[Section]]:
    """Return the document's atoms in order, and the sections that they make up.

    Atoms hold every character that is not white space, and neither begin nor end with white space.
    """
    atoms: list[Atom] = []
    sections: list[Section] = []
    above: list[tuple[int, str]] = []
    path: tuple[str, ...] = ()
    first = 0
    bare = True
    for block in _blocks(document):
        if block.kind == "heading":
            if len(atoms) > first:
                sections.append(Section(path, first, len(atoms), bare))
                first, bare = len(atoms), True
            while above and above[-1][0] >= block.level:
                above.pop()
            above.append((block.level, heading_text(document.text[block.start : block.end])))
            path = tuple(text for _, text in above if text)
            atoms += [Atom("heading", *span) for span in _trimmed(document.text, block.start, block.end)]
        else:
            before = len(atoms)
            atoms += _atoms(document.text, block)
            bare = bare and len(atoms) == before
    if len(atoms) > first:
        sections.append(Section(path, first, len(atoms), bare))
    return atoms, sections


def _blocks(document: Document) -> Iterator[Block]:
    """Yield the document's blocks, or those that its text shows, and what lies between them as paragraphs."""
    text = document.text
    at = 0
    for block in document.blocks or plain_blocks(text):
        if block.start > at and not text[at : block.start].isspace():
            yield Block("paragraph", at, block.start)
        yield block
        at = block.end
    if at < len(text):
        yield Block("paragraph", at, len(text))


def _atoms(text: str, block: Block) -> Iterator[Atom]:
    kind: AtomKind = "sentence"
    if block.kind in ("table", "code"):
        kind = "line"
        spans = _line_spans(text, block)
    else:
        spans = sentence_spans(text, block.start, block.end)
    held: tuple[int, int] | None = None
    for span in spans:
        if held is not None:
            # Lines after an empty one begin anew.
            yield Atom(kind, *held, closes=kind == "line" and text.count("\n", held[1], span[0]) > 1)
        held = span
    if held is not None:
        yield Atom(kind, *held, closes=True)


def _line_spans(text: str, block: Block) -> Iterator[tuple[int, int]]:
    for found in _LINE.finditer(text, block.start, block.end):
        yield found.start(), found.start() + len(found.group().rstrip())


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    bare = piece.strip()
    if bare:
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(bare)
