"""From a document to its passages: by structure, then sentences, then the encoder's own tokens.

    sections_of  document -> atoms (headings, sentences, rows, lines) under their headings
    pack         atoms -> passages that fit the encoder, headings and title included
    split        counts the tokens of every passage, so that the encoder never cuts one silently

docs/passages.md tells the rules and their exceptions.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from indexer.atoms import Atom, Section, sections_of
from indexer.context import ELLIPSIS, Contexts, contextual_text
from indexer.document import Document, Passage
from indexer.encoding import Encoder
from indexer.errors import InvalidSettings
from indexer.packing import cut, cut_atom, pack
from indexer.passage_tokens import count_tokens
from indexer.token_map import TokenMap

__all__ = ["Splitter", "SplitterSettings", "contextual_text"]

FORMAT = 2  # 2: long texts are mapped in shorter pieces, cut between words; plain structure from one finder
MIN_TOKENS = 16
_MIN_ROOM = 8
_SLACK = 2  # tokens that a cut may add at the edges of a passage
_BATCH = 256


@dataclass(frozen=True, slots=True)
class SplitterSettings:
    """How long passages are.

    Args:
        tokens: The most tokens of what the encoder reads for a passage, its title and headings included;
            the encoder's own limit if that is lower. At least 16.
        overlap: The most tokens that a passage repeats of the one before it, in whole sentences; from 0 to half
            of `tokens`.

    Raises:
        InvalidSettings: a value is outside its range.
    """

    tokens: int = 256
    overlap: int = 32

    def __post_init__(self) -> None:
        if self.tokens < MIN_TOKENS:
            raise InvalidSettings(f"tokens of a passage must be at least {MIN_TOKENS}, found {self.tokens}")
        if not 0 <= self.overlap <= self.tokens // 2:
            raise InvalidSettings(
                f"the overlap must be from 0 to half of the passage's {self.tokens} tokens, found {self.overlap}"
            )


_DEFAULTS = SplitterSettings()


class Splitter:
    """Splits documents into passages for one encoder. Safe to share between threads.

    Args:
        encoder: Whose tokens are counted and whose limit is kept.
        settings: Length and overlap.

    Raises:
        InvalidSettings: the encoder takes too few tokens to hold a passage.
    """

    def __init__(self, encoder: Encoder, settings: SplitterSettings = _DEFAULTS) -> None:
        self._encoder = encoder
        self._settings = settings
        self._room = min(settings.tokens, encoder.max_tokens) - encoder.overhead_tokens
        if self._room < _MIN_ROOM:
            raise InvalidSettings(
                f"{self._room} tokens are left for a passage of {settings.tokens} tokens with encoder "
                f"{encoder.name}, which takes {encoder.max_tokens} and needs {encoder.overhead_tokens} itself; "
                f"at least {_MIN_ROOM} are needed: choose more tokens, or another encoder"
            )

    @property
    def fingerprint(self) -> str:
        """`quire-splitter-1:tokens:overlap:hash`; the hash is of the encoder."""
        digest = hashlib.blake2b(
            f"{self._encoder.fingerprint}\n{self._room}".encode(), digest_size=4
        ).hexdigest()
        return f"quire-splitter-{FORMAT}:{self._settings.tokens}:{self._settings.overlap}:{digest}"

    def split(self, document: Document) -> list[Passage]:
        """Return the passages of a document, ordered by start, numbered from 0.

        `contextual_text` of title, headings and passage has at most `settings.tokens` tokens and no more
        than the encoder takes. Every character that is not white space is in a passage. A document with a
        title and no text has one empty passage, so that its title can be found; one without either has none.
        """
        atoms, sections = sections_of(document)
        if not atoms and document.title.strip():
            atoms, sections = [Atom("piece", 0, 0)], [Section((), 0, 1, False)]
        tokens = TokenMap(self._encoder, document.text)
        found: list[Passage] = []
        drafts: list[Passage] = []
        for draft in self._drafts(document, tokens, atoms, sections):
            drafts.append(draft)
            if len(drafts) == _BATCH:
                found += self._checked(document, tokens, drafts)
                drafts.clear()
        found += self._checked(document, tokens, drafts)
        return list(_numbered(document, found))

    def _drafts(
        self, document: Document, tokens: TokenMap, atoms: list[Atom], sections: list[Section]
    ) -> Iterator[Passage]:
        before = tokens.before([atom.start for atom in atoms])
        after = tokens.before([atom.end for atom in atoms])
        groups = list(_grouped(sections, before, after, self._room))
        contexts = Contexts(self._encoder, document.title, self._room // 4)
        fitted = contexts.fitted(group.path for group in groups)
        for group in groups:
            headings, context = fitted[group.path]
            size = max(self._room - context - _SLACK, 1)
            for start, end in self._spans(document.text, tokens, atoms, before, after, group, size):
                yield Passage(document.doc_id, 0, start, end, headings)

    def _spans(
        self,
        text: str,
        tokens: TokenMap,
        atoms: list[Atom],
        before: list[int],
        after: list[int],
        group: Section,
        size: int,
    ) -> Iterator[tuple[int, int]]:
        chosen = slice(group.first, group.last)
        own, own_before, own_after = atoms[chosen], before[chosen], after[chosen]
        if any(end - start > size for start, end in zip(own_before, own_after, strict=True)):
            own = list(_with_long_ones_cut(text, own, own_before, own_after, tokens, size))
            own_before = tokens.before([atom.start for atom in own])
            own_after = tokens.before([atom.end for atom in own])
        for places in pack(own, own_before, own_after, size, self._settings.overlap):
            yield own[places.start].start, own[places.stop - 1].end

    def _checked(self, document: Document, tokens: TokenMap, drafts: list[Passage]) -> list[Passage]:
        """Return the drafts with their tokens counted; what is too long for the encoder is cut further."""
        passages: list[Passage] = []
        counts = count_tokens(self._encoder, document, tokens, drafts)
        for draft, count in zip(drafts, counts, strict=True):
            shorter = list(self._shortened(document.text, draft)) if count.read > self._room else []
            if shorter:
                passages += self._checked(document, tokens, shorter)
            else:
                passages.append(replace(draft, tokens=count.own))
        return passages

    def _shortened(self, text: str, draft: Passage) -> Iterator[Passage]:
        """Yield the halves of a draft that is too long after all, or one without headings, or nothing.

        A piece of a text can have more tokens than it had inside the text, so it is looked at alone.
        """
        piece = text[draft.start : draft.end]
        tokens = TokenMap(self._encoder, piece)
        (count,) = tokens.before([len(piece)])
        spans = list(cut(piece, 0, len(piece), tokens, max(1, count // 2)))
        if len(spans) > 1:
            for start, end in spans:
                yield replace(draft, start=draft.start + start, end=draft.start + end)
        elif draft.headings != (ELLIPSIS,):
            yield replace(draft, headings=(ELLIPSIS,))


def _numbered(document: Document, passages: list[Passage]) -> Iterator[Passage]:
    """Yield the passages by start, numbered, with their pages, but for those inside the one before."""
    ordinal = end = 0
    for passage in sorted(passages, key=lambda passage: (passage.start, -passage.end)):
        if passage.end > end or not ordinal:
            page = max(1, bisect_right(document.pages, passage.start)) if document.pages else None
            yield replace(passage, ordinal=ordinal, page=page)
            ordinal, end = ordinal + 1, passage.end


def _with_long_ones_cut(
    text: str, atoms: list[Atom], before: list[int], after: list[int], tokens: TokenMap, size: int
) -> Iterator[Atom]:
    introduced = 0  # tokens of the headings just before, which are to share a passage with the first piece
    for atom, start, end in zip(atoms, before, after, strict=True):
        if end - start > size - min(introduced, size // 2):
            yield from cut_atom(text, atom, tokens, size - min(introduced, size // 2))
        else:
            yield atom
        introduced = introduced + end - start if atom.kind == "heading" else 0


def _grouped(sections: list[Section], before: list[int], after: list[int], room: int) -> Iterator[Section]:
    """Yield sections, those too small for a passage of their own joined to neighbours under the same heading."""
    small = room // 5
    group: Section | None = None
    joined = False
    for section in sections:
        if group is None:
            group, joined = section, False
            continue
        size = after[group.last - 1] - before[group.first]
        own = after[section.last - 1] - before[section.first]
        if group.bare and size <= room // 2:
            group, joined = section._replace(first=group.first), False
        elif (
            not section.bare
            and min(size, own) < small
            and size + own <= room * 3 // 4
            and (section.path[:-1] == group.path or (not joined and section.path[:-1] == group.path[:-1]))
        ):
            path = group.path if section.path[:-1] == group.path else group.path[:-1]
            group, joined = group._replace(path=path, last=section.last), True
        else:
            yield group
            group, joined = section, False
    if group is not None:
        yield group
