"""The phrases that a text is made of, as candidates for what names it: words in a row, none of them a stopword."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from indexer.analyser import Analyser, Token
from indexer.scripts import HAN

LONGEST = 3
"""Words that a phrase has at most."""
_MOST_CHARACTERS = 60
_BETWEEN = re.compile(r"[ \t]?\n?[ \t]*|-")  # what may stand between two words of a phrase
_LETTERS = re.compile(rf"[^\W\d_]{{2}}|[{HAN}]")
_HAN = re.compile(f"[{HAN}]+")
_MARK = re.compile(
    r"[{<\\&][^\W\d_]*\Z"
)  # what opens a mark of a transcript, an element, a command, an entity

# No stopwords of queries, yet no part of a name.
_NEVER = frozenset(
    "without within between among during through via per across toward towards against upon using based also however "
    "thus therefore while although because since very more most less least many much some any all each both such "
    "other another same one two three first second new well may yeah okay um uh hmm mmm gonna".split()
)


class Phrase(NamedTuple):
    """Words in a row.

    Args:
        terms: What the index knows them by.
        start: Their first character in the text.
        end: One past their last.
    """

    terms: tuple[str, ...]
    start: int
    end: int


def phrases(analyser: Analyser, text: str) -> Iterator[Phrase]:
    """Yield every run of one to three words between which only white space or a hyphen stands.

    A run has no stopword, number or single letter. Words of Chinese are jieba's; a single character is no run by
    itself. Of other text without spaces only what the analyser takes for words is found.

    Args:
        analyser: The index's.
        text: Any.
    """
    row: list[Token] = []
    for token in _words(analyser, text):
        if row and not _BETWEEN.fullmatch(text, row[-1].end, token.start):
            row.clear()
        if not _names(analyser, text, token):
            row.clear()
            continue
        row.append(token)
        for count in range(1, min(LONGEST, len(row)) + 1):
            first = row[-count]
            if 1 < token.end - first.start <= _MOST_CHARACTERS:
                yield Phrase(tuple(each.term for each in row[-count:]), first.start, token.end)


def _names(analyser: Analyser, text: str, token: Token) -> bool:
    """Whether a word can be part of a name."""
    word = text[token.start : token.end]
    if analyser.is_stopword(token.term) or word.casefold() in _NEVER or not _LETTERS.search(word):
        return False
    return not _MARK.search(text, max(0, token.start - 1), token.start)


def _words(analyser: Analyser, text: str) -> Iterator[Token]:
    """Yield the words of a text in order: the analyser's, and those of a dictionary where no spaces part them."""
    stream = analyser.phrases(text)
    tokens = analyser.tokens(text)[: len(stream[0])] if stream else []
    at = 0
    for found in _HAN.finditer(text):
        while at < len(tokens) and tokens[at].start < found.start():
            yield tokens[at]
            at += 1
        yield from _chinese(found.group(), found.start())
        while at < len(tokens) and tokens[at].start < found.end():
            at += 1
    yield from tokens[at:]


def _chinese(han: str, start: int) -> Iterator[Token]:
    import rjieba

    for word, first, last in rjieba.tokenize(han, "default"):
        yield Token(word, start + first, start + last)
