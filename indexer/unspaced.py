"""Terms of scripts written without spaces: single characters in order, then bigrams and known words.

Measured by benchmarks/chinese_terms.py: single characters with bigrams find Chinese passages better than
either, or than a dictionary's words, and hold the phrase of any quotation exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from indexer.scripts import HAN, Script, marks

_HAN_WORDS = re.compile(f"[{HAN}]{{3,}}")
_KATAKANA_WORDS = re.compile("[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff]{3,}")
_SPACE = re.compile(r"\s")
_MIN_WORD = 3  # a word of two characters is one of the bigrams


class Unit(NamedTuple):
    """One character with its marks: text, start and end in the run."""

    text: str
    start: int
    end: int


@cache
def _marked_pattern() -> re.Pattern[str]:
    return re.compile(rf"[^\s{marks()}][{marks()}]*")


@cache
def _mark_pattern() -> re.Pattern[str]:
    return re.compile(f"[{marks()}]")


def units(run: str) -> list[Unit]:
    """Return the run's characters, each with the marks on it; white space between them is left out."""
    if _mark_pattern().search(run) or _SPACE.search(run):
        return [Unit(found.group(), found.start(), found.end()) for found in _marked_pattern().finditer(run)]
    return [Unit(char, at, at + 1) for at, char in enumerate(run)]


def words(characters: str, script: Script) -> Iterator[tuple[str, int, int]]:
    """Yield the known words of three or more characters: text, start, end.

    Chinese words are jieba's, in search mode (a long word and the shorter ones inside it); Japanese
    words in katakana and Korean words are the stretches themselves.
    """
    if script == "hangul":
        if len(characters) >= _MIN_WORD:
            yield characters, 0, len(characters)
    elif script == "cjk":
        for found in _HAN_WORDS.finditer(characters):
            for word, start, end in _jieba_words(found.group()):
                if end - start >= _MIN_WORD:
                    yield word, found.start() + start, found.start() + end
        for found in _KATAKANA_WORDS.finditer(characters):
            yield found.group(), found.start(), found.end()


def _jieba_words(han: str) -> list[tuple[str, int, int]]:
    # Some 0.1 s and 30 MB for the dictionary, spent when the first Chinese text is met.
    import rjieba

    found: list[tuple[str, int, int]] = rjieba.tokenize(han, "search")
    return found
