"""The words in text that is written without spaces between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from indexer.scripts import HAN, HANGUL

_HAN = re.compile(f"[{HAN}]{{2,}}")
_OTHER = re.compile(f"[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff]{{2,}}|[{HANGUL}]{{2,}}")


def words_in(stretches: Sequence[str]) -> Iterator[str]:
    """Yield the words of two or more characters: of Chinese those of a dictionary, of Korean and katakana the runs.

    Where other scripts part their words nobody here knows.
    """
    for stretch in stretches:
        for found in _HAN.finditer(stretch):
            yield from _chinese(found.group())
        for found in _OTHER.finditer(stretch):
            yield found.group()


def _chinese(han: str) -> Iterator[str]:
    import rjieba

    for word, first, last in rjieba.tokenize(han, "search"):
        if last - first >= 2:
            yield word
