"""The pieces that passages are packed from: headings, sentences, table rows, lines of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from indexer.context import heading_text
from indexer.document import Block, Document
from indexer.sentences import sentence_spans
from indexer.structure import plain_blocks

AtomKind: TypeAlias = Literal["heading", "sentence", "line", "piece"]

_MAX_MARKS = 200
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
    """Yield the document's blocks, or those that its text shows, and paragraphs of what lies between them.

    Marks without letters or digits are no paragraph: the # before a heading whose block is its words goes
    to that heading, and others, such as a line under it, to the block before.
    """
    text = document.text
    held: Block | None = None
    for block in document.blocks or plain_blocks(text):
        at = held.end if held is not None else 0
        line = max(text.rfind("\n", at, block.start) + 1, at)
        if held is None and _only_marks(text, at, block.start):
            line = at
        if _only_marks(text, line, block.start):
            block = replace(block, start=line)
        yield from _until(text, held, block.start)
        held = block
    yield from _until(text, held, len(text))


def _until(text: str, block: Block | None, end: int) -> Iterator[Block]:
    """Yield a block with the marks that follow it, and a paragraph of what else comes before `end`."""
    at = 0
    if block is not None:
        at = block.end
        line = text.find("\n", at, end)
        for stop in (end, line):
            if stop > at and _only_marks(text, at, stop):
                at = stop
                break
        yield replace(block, end=at)
    if not text[at:end].isspace() and at < end:
        yield Block("paragraph", at, end)


def _only_marks(text: str, start: int, end: int) -> bool:
    return end - start <= _MAX_MARKS and not any(map(str.isalnum, text[start:end]))


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
