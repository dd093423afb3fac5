"""Folding of case, width and accents, with the way back to the source text's offsets."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache

from indexer.scripts import IGNORABLE, marks

Span = tuple[int, int]

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'"})
_INVISIBLE = re.compile(f"[{IGNORABLE}\u200b\ufe00-\ufe0f\u20dd-\u20e4\U000e0100-\U000e01ef]")
_FOREIGN_DIGITS = re.compile(r"(?![0-9])\d")

# Where each script starts, in code-point order; a gap's script is "".
_SCRIPT_STARTS: tuple[tuple[int, str], ...] = (
    (0x0000, "latin"), (0x0250, ""), (0x0370, "greek"), (0x0400, "cyrillic"), (0x0530, "armenian"),
    (0x0590, "hebrew"), (0x0600, "arabic"), (0x0700, ""), (0x0750, "arabic"), (0x0780, ""), (0x08A0, "arabic"),
    (0x0900, "devanagari"), (0x0980, ""), (0x0B80, "tamil"), (0x0C00, ""), (0x1C80, "cyrillic"), (0x1C90, ""),
    (0x1E00, "latin"), (0x1F00, "greek"), (0x2000, ""), (0x2C60, "latin"), (0x2C80, ""), (0xA720, "latin"),
    (0xA800, ""),
)  # fmt: skip
_STARTS = [start for start, _ in _SCRIPT_STARTS]

_ARABIC_VARIANTS = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ـ": None})
_LATIN_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "þ": "th", "ŧ": "t"}
)
_CYRILLIC_VARIANTS = str.maketrans({"ё": "е"})


def letters_script(word: str) -> str:
    """Return the name of the script of the word's first letter, or "" for one that has no rules here."""
    for char in word:
        if char.isalpha():
            return _SCRIPT_STARTS[bisect_right(_STARTS, ord(char)) - 1][1]
    return ""


def fold_case_and_width(text: str, *, turkish: bool = False) -> tuple[str, list[Span] | None]:
    """Return `text` in NFKC, case-folded, with ASCII digits, and each character's span in the source.

    Apostrophes become ASCII; characters invisible inside a word are dropped.

    Args:
        text: Any text; meant for a run, since what precedes or follows is not looked at.
        turkish: Fold I to dotless ı and İ to i, as Turkish does.

    Returns:
        The folded text, and for each of its characters the (start, end) of the source characters that
        it came from, or None where each came from the one at the same place.
    """
    if turkish:
        text = text.replace("I", "ı")
        text = text.replace("İ", "i")
    if text.isascii():
        return text.lower(), None
    if unicodedata.is_normalized("NFKC", text) and not _INVISIBLE.search(text):
        folded = text.casefold()
        if len(folded) == len(text) and unicodedata.is_normalized("NFKC", folded):
            return _ascii_digits(folded.translate(_APOSTROPHES)), None
    out: list[str] = []
    spans: list[Span] = []
    for cluster in _cluster_pattern().finditer(text):
        piece = _fold_cluster(cluster.group())
        out.append(piece)
        spans.extend([cluster.span()] * len(piece))
    return "".join(out), spans


def _fold_cluster(cluster: str) -> str:
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", cluster))
    folded = unicodedata.normalize("NFKC", folded.casefold())
    return _ascii_digits(folded.translate(_APOSTROPHES))


def _ascii_digits(text: str) -> str:
    if text.isascii():
        return text
    return _FOREIGN_DIGITS.sub(lambda found: str(unicodedata.decimal(found.group())), text)


@cache
def _cluster_pattern() -> re.Pattern[str]:
    # What composes under NFKC stays together: a base with its marks, and sequences of Hangul letters.
    extending = f"{marks()}{IGNORABLE}\u200b\uff9e\uff9f"
    jamo = "\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7fb\u3131-\u318e\uffa0-\uffdc"
    return re.compile(rf"[\uac00-\ud7a3]?[{jamo}]+[{extending}]*|.[{extending}]*", re.DOTALL)


def fold_accents(word: str, kept: Sequence[str] = "") -> str:
    """Return a folded word without what its script's readers often leave out.

    Latin and Greek lose their accents, Hebrew its points, Arabic its vowel signs and letter variants,
    Cyrillic ё becomes е. Marks of other scripts are vowels or letters of their own, and stay.

    Args:
        word: In NFKC, case-folded.
        kept: Letters to leave alone.
    """
    if word.isascii():
        return word
    script = letters_script(word)
    if script == "cyrillic":
        return word.translate(_CYRILLIC_VARIANTS)
    if script not in ("latin", "greek", "hebrew", "arabic"):
        return word
    if script == "arabic":
        word = word.translate(_ARABIC_VARIANTS)
    plain = "".join(char if char in kept else _without_marks(char) for char in word)
    if script == "latin" and not plain.isascii():
        plain = "".join(char if char in kept else char.translate(_LATIN_LETTERS) for char in plain)
    return plain or word


def _without_marks(char: str) -> str:
    if char.isascii():
        return char
    return "".join(c for c in unicodedata.normalize("NFD", char) if unicodedata.category(c) != "Mn")
