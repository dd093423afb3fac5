"""Every word of the pages, in English and Chinese: `Words`, and which language a browser is answered in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.service.box.words import reading, search, shared, you

ENGLISH, CHINESE = "en", "zh"
LANGUAGES: Mapping[str, str] = MappingProxyType({ENGLISH: "English", CHINESE: "中文"})
"""The languages there are, each under its own name."""

_TAGS = {ENGLISH: "en", CHINESE: "zh-Hans"}
_WORDS: dict[str, dict[str, str]] = {
    ENGLISH: {**shared.ENGLISH, **search.ENGLISH, **reading.ENGLISH, **you.ENGLISH},
    CHINESE: {**shared.CHINESE, **search.CHINESE, **reading.CHINESE, **you.CHINESE},
}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language.

    A word or sentence is asked for by its key, with the values that stand in it in braces. Where it holds a `|`, what
    is before that is said of one, what is after it of any other `n`.

    Args:
        language: One of LANGUAGES.
    """

    language: str

    @property
    def tag(self) -> str:
        """The language as HTML's `lang` has it."""
        return _TAGS[self.language]

    def __call__(self, key: str, **values: object) -> str:
        """Return what a key stands for, with values in it."""
        said = _WORDS[self.language][key]
        if "|" in said:
            one, _, many = said.partition("|")
            said = one if values.get("n") == 1 else many
        return said.format(**values) if values else said

    def or_else(self, key: str, fallback: str) -> str:
        """Return what a key stands for, or `fallback` where there is no such key."""
        return _WORDS[self.language].get(key, fallback)


def keys(language: str) -> Mapping[str, str]:
    """Return all that there is in a language, by key."""
    return MappingProxyType(_WORDS[language])


def negotiated(accepted: str) -> str:
    """Return the language, of those there are, that a browser likes best.

    Args:
        accepted: The header Accept-Language; what cannot be read of it is passed over.
    """
    best, liked = ENGLISH, 0.0
    for part in accepted[:1000].split(","):
        name, _, weight = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        if language not in LANGUAGES:
            continue
        try:
            how_much = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if liked < how_much <= 1:
            best, liked = language, how_much
    return best
