"""From a folded word to its term: Snowball stems by script, accents folded where readers leave them out."""

from __future__ import annotations

import re
import threading

import Stemmer

from indexer.errors import InvalidSettings
from indexer.folding import fold_accents, letters_script

MAX_TERM_BYTES = 255

# Snowball's languages in other scripts than Latin; the language for each script unless another is chosen.
_SCRIPT_OF_LANGUAGE = {
    "russian": "cyrillic", "greek": "greek", "arabic": "arabic", "persian": "arabic", "armenian": "armenian",
    "hindi": "devanagari", "nepali": "devanagari", "tamil": "tamil", "yiddish": "hebrew",
}  # fmt: skip
_DEFAULT_LANGUAGES = {
    "latin": "english", "cyrillic": "russian", "greek": "greek", "arabic": "arabic", "armenian": "armenian",
    "devanagari": "hindi", "tamil": "tamil",
}  # fmt: skip
# Latin-script languages whose accents are often left out, with the letters that are no accents to them.
_ACCENTS_FOLDED = {
    "english": "", "porter": "", "french": "", "italian": "", "portuguese": "", "catalan": "", "german": "",
    "dutch": "", "dutch_porter": "", "irish": "", "spanish": "ñ", "basque": "ñ",
}  # fmt: skip
_KNOW_NO_ACCENTS = frozenset({"english", "porter"})  # these stemmers; accents are folded before them
_NOT_ONLY_LETTERS = re.compile(r"[\d+#._]")


class Stems:
    """Gives each word its term. Safe to share between threads.

    Args:
        language: A Snowball language. It stems the words of its own script; the rest keep their default.

    Raises:
        InvalidSettings: no such language.
    """

    def __init__(self, language: str) -> None:
        choices = Stemmer.algorithms()
        if language not in choices:
            raise InvalidSettings(
                f"there is no stemmer for language {language!r}; expected one of {', '.join(sorted(choices))}"
            )
        self._languages = _DEFAULT_LANGUAGES | {_SCRIPT_OF_LANGUAGE.get(language, "latin"): language}
        if language == "serbian":
            self._languages["cyrillic"] = language
        self._stemmers: dict[str, Stemmer.Stemmer] = {}
        self._lock = threading.Lock()  # a Snowball stemmer is no place for two threads at once

    def term(self, word: str) -> str:
        """Return the term of a case-folded word: stemmed if of letters only, at most 255 bytes long."""
        word = word[:MAX_TERM_BYTES]
        script = letters_script(word)
        language = self._languages.get(script, "")
        if _NOT_ONLY_LETTERS.search(word):
            term = self._without_accents(word, script, language)
        elif language in _KNOW_NO_ACCENTS:
            term = self._stem(language, fold_accents(word))
        elif language:
            term = self._without_accents(self._stem(language, word), script, language)
        else:
            term = fold_accents(word)
        return cut(term or word)

    def _without_accents(self, word: str, script: str, language: str) -> str:
        if script == "latin" and language not in _ACCENTS_FOLDED:
            return word
        return fold_accents(word, _ACCENTS_FOLDED.get(language, ""))

    def _stem(self, language: str, word: str) -> str:
        with self._lock:
            stemmer = self._stemmers.get(language)
            if stemmer is None:
                stemmer = self._stemmers[language] = Stemmer.Stemmer(language, 0)
            return str(stemmer.stemWord(word))


def cut(term: str) -> str:
    """Return `term` cut to 255 bytes of UTF-8, at a character's end; the longest that every index takes."""
    if len(term) * 4 <= MAX_TERM_BYTES or len(term.encode()) <= MAX_TERM_BYTES:
        return term
    return term.encode()[:MAX_TERM_BYTES].decode(errors="ignore")
