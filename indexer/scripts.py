"""Which script a character belongs to, and the patterns that cut a text into runs of script.

A *run* is what one rule of the analyser handles at a time: a word of a spaced script (with the joiners
that may stand inside it), or an unbroken stretch of Chinese and Japanese, of Korean, or of one of the
South-East Asian scripts that put no space between words.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal, TypeAlias

Script: TypeAlias = Literal["word", "cjk", "hangul", "sea"]

# Ranges as they stand inside a character class of `re`.
HAN = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3105-\u312f\u31a0-\u31bf"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
KANA = "\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001b000-\U0001b16f"
HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7fb\uffa0-\uffdc"
# Thai, Lao, Myanmar, Khmer, Tai Le, New Tai Lue; their digits are left to the words.
SEA = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d\uaa60-\uaa7f"
    "\u1780-\u17d3\u17d7\u17dc\u17dd\u1950-\u1974\u1980-\u19c9"
)
UNSPACED = HAN + KANA + HANGUL + SEA
# Footnote marks and exponents: no part of the word that they follow.
SUPERSCRIPTS = "\u00b2\u00b3\u00b9\u2070\u2074-\u2079"
# Signs that NFKC spells out in several characters or in another script: units, fractions, enclosed letters,
# the numero sign. Each is a run of its own, so that its parts never merge with its neighbours.
SPELT = (
    "\u00bc-\u00be\u2100\u2101\u2103\u2105\u2106\u2109\u2116\u2121\u213b\u2150-\u215f\u2189\u2474-\u249b"
    "\u3192-\u3195\u3200-\u33ff\ufc5e-\ufc63\ufdfa\ufdfb\ufe70-\ufe7f\U0001f100-\U0001f12f"
)
# Invisible inside a word: soft hyphen, zero-width joiners, word joiner, byte order mark.
IGNORABLE = "\u00ad\u200c\u200d\u2060\ufeff"

_ASCII_WORD = (
    r"\w+(?:(?:['.](?=\w)|(?<=\d),(?=\d{3}(?!\d)))\w+)*(?:(?<!_)\+\+(?!\w)|(?<=\b[A-Za-z])\#(?!\w))?"
)


@cache
def marks() -> str:
    """Return the combining marks of Unicode's first two planes as ranges of a character class."""
    found: list[list[int]] = []
    for code in (*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0)):
        if unicodedata.category(chr(code))[0] == "M":
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in found)


@cache
def ascii_pattern() -> re.Pattern[str]:
    """Return the pattern of runs in a text of ASCII characters only."""
    return re.compile(_ASCII_WORD, re.ASCII)


@cache
def run_pattern() -> re.Pattern[str]:
    """Return the pattern of runs in any text; on ASCII text it finds what `ascii_pattern` finds."""
    letter = rf"[^\W{UNSPACED}{SUPERSCRIPTS}{SPELT}]"
    core = rf"{letter}+(?:[{marks()}{IGNORABLE}]+{letter}*)*"
    joiner = rf"(?:['\u2019\uff07.\uff0e\uff3f](?={letter})|(?<=\d)[,\uff0c](?=\d{{3}}(?!\d)))"
    cjk = rf"[{HAN}{KANA}]"
    return re.compile(
        rf"{core}(?:{joiner}{core})*(?:(?<!_)[+\uff0b]{{2}}(?!\w)|(?<=\b[A-Za-z\uff21-\uff3a\uff41-\uff5a])[#\uff03](?!\w))?"
        # A line break between two Chinese or Japanese characters is typography, not a space.
        rf"|{cjk}(?:[{HAN}{KANA}\ufe00-\ufe0f\U000e0100-\U000e01ef]+|\r?\n(?={cjk}))*"
        rf"|[{HANGUL}]+"
        rf"|[{SEA}](?:[{SEA}]|[\u200b-\u200d](?=[{SEA}]))*"
        rf"|[{SPELT}]"
    )


@cache
def unspaced_pattern() -> re.Pattern[str]:
    """Return a pattern whose last group names the script of an unspaced run, matched at its start."""
    return re.compile(rf"(?P<cjk>[{HAN}{KANA}])|(?P<hangul>[{HANGUL}])|(?P<sea>[{SEA}])")


def script_of(run: str) -> Script:
    """Return the script of a run that `run_pattern` found."""
    found = unspaced_pattern().match(run)
    if found is None:
        return "word"
    script = found.lastgroup
    return "cjk" if script == "cjk" else "hangul" if script == "hangul" else "sea"
