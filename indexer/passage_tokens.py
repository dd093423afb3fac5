"""How many tokens a passage has once it stands alone under its headings, mostly without reading all of it again.

The map of the whole text has seen the passage's tokens already. Alone, they can differ in three places only:

* At the beginning. There is no space before the first word any more (byte-level BPE), a mark of a space where
  there was none (Unigram), or a word's end that is now a word (WordPiece). So the first characters are read
  again, after title and headings, up to a joint: white space, beyond which all three begin anew; or, in text
  without any, a run of tokens of one character each. WordPiece and BPE go on as before where they have come to
  the same joint. So does Unigram, if the run is longer than its longest piece: any other path would meet this
  one inside the run, and from there on the better path is the same one.
* At the end, if it lies inside a token, or after a character that tokenizers drop or read as a space. Where a
  token ends, all three keep what is before it: WordPiece takes the longest piece from the left; the best Unigram
  path up to there is part of the best path; and BPE joined nothing across it.
* Where the map itself cut the text or made tokens up.

Where one of these is in doubt, the whole passage is read again. A tokenizer of another kind, one whose tokens go
on over white space, could differ elsewhere; Quire knows of no encoder that has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from indexer.context import contextual_text
from indexer.document import Document, Passage
from indexer.encoding import Encoder
from indexer.token_map import TokenMap

_HEAD = 24  # characters of a passage that are read again at least
_LONGEST_HEAD = 128  # and at most, unless the whole is
_AGREEING = 4  # tokens before the joint that must begin where they began inside the text
_RUN = 20  # tokens of one character each, one after the other; SentencePiece makes pieces of up to 16
_SPACES = frozenset(" \t\n\r\u00a0\u3000")  # those that part words for every tokenizer


class TokenCount(NamedTuple):
    """Tokens of one passage.

    Args:
        read: All that the encoder reads for it, but for special tokens and prompt: title, headings, passage.
        own: Those of them that are the passage's.
    """

    read: int
    own: int


def count_tokens(
    encoder: Encoder, document: Document, tokens: TokenMap, passages: Sequence[Passage]
) -> list[TokenCount]:
    """Return the tokens of each passage's `contextual_text`, as counting that whole text would find them.

    Args:
        encoder: Whose tokens.
        document: The passages' own.
        tokens: The map of the document's text.
        passages: Any stretches of the text.
    """
    heads = _heads(document.text, tokens, passages)
    found = _read(encoder, document, passages, [head.end for head in heads])
    joints = tokens.before([head.end for head in heads])
    lasts = tokens.before([passage.end for passage in passages])
    counts: list[TokenCount] = []
    doubtful: list[int] = []
    for place, (head, joint, last, (count, starts)) in enumerate(
        zip(heads, joints, lasts, found, strict=True)
    ):
        counts.append(TokenCount(count.read + last - joint, count.own + last - joint))
        expected = tokens.starts(joint - head.agreeing, joint)
        if head.agreeing and not np.array_equal(starts[-head.agreeing :], expected):
            doubtful.append(place)
    again = [passages[place] for place in doubtful]
    whole = _read(encoder, document, again, [passage.end for passage in again])
    for place, (count, _) in zip(doubtful, whole, strict=True):
        counts[place] = count
    return counts


class _Head(NamedTuple):
    """The beginning of a passage that is read again: up to `end`, where so many tokens before it must agree."""

    end: int
    agreeing: int


def _heads(text: str, tokens: TokenMap, passages: Sequence[Passage]) -> list[_Head]:
    starts = np.array([passage.start for passage in passages], np.int32)
    ends = np.array([passage.end for passage in passages], np.int32)
    at_space = np.array([end == len(text) or text[end] in _SPACES for end in ends.tolist()], bool)
    visible = np.array([end > 0 and _visible(text[end - 1]) for end in ends.tolist()], bool)
    sure = tokens.intact(starts, ends) & (tokens.begin_at(ends) | at_space) & visible
    return [
        _head(text, tokens, passage.start, passage.end) if known else _Head(passage.end, 0)
        for passage, known in zip(passages, sure.tolist(), strict=True)
    ]


def _visible(character: str) -> bool:
    return category(character)[0] in "LNPS" and character != "\ufffd"


def _head(text: str, tokens: TokenMap, start: int, end: int) -> _Head:
    """Return the shortest head of a passage that ends at a joint, or all of the passage where there is none."""
    first, last = tokens.before([start, min(start + _LONGEST_HEAD, end)])
    previous, run = -1, 0
    for number, at in enumerate(tokens.starts(first, last).tolist()):
        run = run + 1 if at == previous + 1 else 0 if at != previous else -1
        previous = at
        if at >= start + _HEAD:
            if number >= _AGREEING and (text[at] in _SPACES or text[at - 1] in _SPACES):
                return _Head(at, _AGREEING)
            if run >= _RUN:
                return _Head(at, _RUN)
    return _Head(end, 0)


def _read(
    encoder: Encoder, document: Document, passages: Sequence[Passage], ends: Sequence[int]
) -> list[tuple[TokenCount, NDArray[np.int32]]]:
    """Return the tokens of the passages' beginnings under their headings, and where the beginnings' own start."""
    if not passages:
        return []
    pieces = [document.text[passage.start : end] for passage, end in zip(passages, ends, strict=True)]
    texts = [
        contextual_text(document.title, passage.headings, piece)
        for passage, piece in zip(passages, pieces, strict=True)
    ]
    found: list[tuple[TokenCount, NDArray[np.int32]]] = []
    for passage, piece, text, spans in zip(
        passages, pieces, texts, encoder.token_offsets(texts), strict=True
    ):
        before = len(text) - len(piece) if piece else len(text)
        own = spans[spans[:, 1] > before]
        found.append((TokenCount(len(spans), len(own)), own[:, 0] - np.int32(before - passage.start)))
    return found
