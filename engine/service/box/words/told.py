"""The engine's own sentences in the language of the page: notices, and how each term of a score came about.

The engine speaks English. What it says is recognised here by its form and said again; what is not recognised is shown
as it is, marked as English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.service.box.words.engine_in_chinese import CHINESE_OF_ENGLISH
from engine.service.box.words.words import CHINESE, ENGLISH

_NUMBER = r"-?[\d.,]+"
_COMMA = re.compile(
    r", (?:and )?(?=passage |not proposed |× |of the best|of \d|[\d,]+ tokens cut|the whole document has"
    r"|meaning had no say\.|its best by meaning|none of its passages has)"
)


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and whether it stayed in English on a page that is not."""

    text: str
    foreign: bool = False


def told(sentence: str, language: str) -> Told:
    """Return what the engine says, in a language of the pages."""
    if language == ENGLISH:
        return Told(sentence)
    for pattern, said in _CHINESE if language == CHINESE else ():
        found = pattern.fullmatch(sentence)
        if found:
            return Told(said.format(*(part or "" for part in found.groups())))
    parts = _parts(sentence)
    if len(parts) > 1:
        each = [told(part, language) for part in parts]
        if not any(one.foreign for one in each):
            return Told("，".join(one.text for one in each))
    return Told(sentence, foreign=True)


def _parts(sentence: str) -> list[str]:
    """Return the parts of a term's detail, which commas separate."""
    return _COMMA.split(sentence)


def _patterns(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(pattern.replace("#", f"({_NUMBER})"), re.DOTALL), said) for pattern, said in pairs
    )


_CHINESE = _patterns(CHINESE_OF_ENGLISH)
