"""From text to terms: one analyser for documents and queries, on every backend.

A text is cut into runs of one script (`indexer.scripts`). Each run gives a *stream* of terms in reading
order, which quoted phrases are matched against, and *extra* terms beside it: an identifier whole beside
its parts, the bigrams and dictionary words of Chinese beside its characters. All extras of a text follow
its whole stream, so that they come between no two neighbours. docs/analyser.md explains the choices.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from itertools import pairwise
from typing import NamedTuple

import Stemmer

from indexer.folding import Span, fold_case_and_width
from indexer.scripts import Script, ascii_pattern, run_pattern, script_of
from indexer.stemming import MAX_TERM_BYTES, Stems, cut
from indexer.stopwords import STOPWORDS, UNSPACED_STOPWORDS
from indexer.unspaced import units
from indexer.unspaced import words as unspaced_words

FORMAT = 1
_CACHED_RUNS = 100_000
_CACHED_LENGTH = 48
# What parts an identifier, a number, an abbreviation; an apostrophe too, unless an English ending follows.
_SEPARATOR = re.compile(r"[._,]+|'(?!(?:s|t|d|m|ll|re|ve)(?![^\W_]))")
# Where an apostrophe parts an article from its noun, l'homme joined is no word; O'Brien joined is one.
_ELIDING = frozenset({"french", "italian", "catalan"})
_INITIALS = re.compile(r"[^\W\d_](?:\.[^\W\d_])+")
_SIGN = re.compile(r"[\d+#']")


@dataclass(frozen=True, slots=True)
class Token:
    """A term and where it came from.

    Args:
        term: What is indexed.
        start: First character in the analysed text.
        end: One past the last character.
    """

    term: str
    start: int
    end: int


class _Run(NamedTuple):
    """What a run gives.

    Args:
        stream: Its terms in reading order.
        extra: The terms beside them.
        spans: Where both come from in the run, the stream's first.
        words: Words of letters only, with their terms.
        letters: Whether the stream is mere letters (of Thai, of an abbreviation), which a query leaves
            out where extras say more.
    """

    stream: tuple[str, ...]
    extra: tuple[str, ...]
    spans: tuple[Span, ...]
    words: tuple[tuple[str, str], ...]
    letters: bool


class _Runs(dict[str, _Run]):
    """Runs by their text, analysed when first met; emptied when full."""

    def __init__(self, analyse: Callable[[str], _Run]) -> None:
        super().__init__()
        self._analyse = analyse

    def __missing__(self, run: str) -> _Run:
        found = self._analyse(run)
        if len(run) <= _CACHED_LENGTH:
            if len(self) >= _CACHED_RUNS:
                self.clear()
            self[run] = found
        return found


class Analyser:
    """Turns text into terms. Safe to share between threads.

    Args:
        language: The Snowball language of the text. It decides about the words of its own script; words
            in other scripts keep the stemmer of their script.

    Raises:
        InvalidSettings: `language` is none of Snowball's.
    """

    def __init__(self, language: str = "english") -> None:
        self._language = language
        self._stems = Stems(language)
        self._runs = _Runs(self._analyse)
        self._stopwords = UNSPACED_STOPWORDS | {
            term for word in STOPWORDS.get(language, "").split() for term in self._plain_terms(word)
        }

    def __repr__(self) -> str:
        return f"Analyser(language={self._language!r})"

    @cached_property
    def fingerprint(self) -> str:
        """`quire-analyser-1:language:hash`, the hash of all that decides terms: rules, stemmers, dictionary."""
        decisive = f"{FORMAT}\n{self._language}\nsnowball {Stemmer.version()}\njieba {version('rjieba')}"
        digest = hashlib.blake2b(decisive.encode(), digest_size=4).hexdigest()
        return f"quire-analyser-{FORMAT}:{self._language}:{digest}"

    def terms(self, text: str) -> list[str]:
        """Return the terms of `text`, stopwords included: its stream in order, then its extras.

        No term is empty, holds white space, or is longer than 255 bytes of UTF-8 (longer words are cut).
        """
        stream: list[str] = []
        extra: list[str] = []
        runs = self._runs
        for run in _pattern_for(text).findall(text):
            found = runs[run]
            stream += found.stream
            if found.extra:
                extra += found.extra
        return stream + extra

    def tokens(self, text: str) -> list[Token]:
        """Return the terms of `text`, in the order of `terms`, with their offsets into `text`."""
        stream: list[Token] = []
        extra: list[Token] = []
        for match in _pattern_for(text).finditer(text):
            at = match.start()
            found = self._runs[match.group()]
            terms = found.stream + found.extra
            located = [
                Token(term, at + start, at + end)
                for term, (start, end) in zip(terms, found.spans, strict=True)
            ]
            stream += located[: len(found.stream)]
            extra += located[len(found.stream) :]
        return stream + extra

    def find(self, text: str, wanted: Set[str]) -> list[Token]:
        """Return the tokens of `text` whose terms are wanted, in the order in which they begin.

        The same tokens as `tokens` gives, several times quicker when few are wanted.
        """
        pattern, runs = _pattern_for(text), self._runs
        apart = wanted.isdisjoint
        relevant = {
            run
            for run in set(pattern.findall(text))
            if not (apart(runs[run].stream) and apart(runs[run].extra))
        }
        found: list[Token] = []
        for match in pattern.finditer(text) if relevant else ():
            if match.group() in relevant:
                at, run = match.start(), runs[match.group()]
                found += [
                    Token(term, at + start, at + end)
                    for term, (start, end) in zip(run.stream + run.extra, run.spans, strict=True)
                    if term in wanted
                ]
        return sorted(found, key=lambda token: (token.start, token.end))

    def query_terms(self, text: str) -> list[str]:
        """Return the terms to search for: those of `text` without stopwords, unless nothing else is left.

        Left out too are the letters of an abbreviation (U.S. is searched as us), and the single characters
        of Thai and its neighbours, which are letters, where there are bigrams.
        """
        stream: list[str] = []
        extra: list[str] = []
        for run in _pattern_for(text).findall(text):
            found = self._runs[run]
            if not (found.letters and found.extra):
                stream += found.stream
            extra += found.extra
        kept = [term for term in stream + extra if term not in self._stopwords]
        return kept or stream + extra

    def phrases(self, text: str) -> list[tuple[str, ...]]:
        """Return the runs of terms that stand in consecutive places of `terms(document)` if it quotes `text`.

        True of any piece of the document that begins and ends where a token does. Punctuation is not
        compared.
        """
        stream = tuple(term for run in _pattern_for(text).findall(text) for term in self._runs[run].stream)
        return [stream] if stream else []

    def is_stopword(self, term: str) -> bool:
        """Say whether queries leave out `term` (a term, not the surface form of a word)."""
        return term in self._stopwords

    def words(self, text: str) -> list[tuple[str, str]]:
        """Return (case-folded word, its term) for each word of letters only, in order: for suggestions."""
        return [pair for run in _pattern_for(text).findall(text) for pair in self._runs[run].words]

    def _plain_terms(self, word: str) -> tuple[str, ...]:
        found = self._runs[word]
        return found.extra if found.letters and found.extra else found.stream

    def _analyse(self, run: str) -> _Run:
        folded, origin = fold_case_and_width(run, turkish=self._language == "turkish")
        pieces = _Pieces(self._stems, self._language in _ELIDING)
        if origin is None:
            pieces.add(folded, 0, script_of(run))
        else:  # folding may have made several runs of it: ㍿ is four characters, ﷺ four words
            for match in run_pattern().finditer(folded):
                pieces.add(match.group(), match.start(), script_of(match.group()))
        return pieces.run(origin)


class _Pieces:
    """Collects what the pieces of one folded run give."""

    def __init__(self, stems: Stems, eliding: bool) -> None:
        self._stems = stems
        self._eliding = eliding
        self._stream: list[tuple[str, Span]] = []
        self._extra: list[tuple[str, Span]] = []
        self._words: list[tuple[str, str]] = []
        self._letters = True

    def add(self, piece: str, at: int, script: Script) -> None:
        """Add a folded piece of one script that starts at offset `at` of the folded run."""
        self._letters = self._letters and (script == "sea" or _INITIALS.fullmatch(piece) is not None)
        if script == "word":
            self._add_word(piece, at)
        else:
            self._add_unspaced(piece, at, script)

    def run(self, origin: list[Span] | None) -> _Run:
        """Return all, with spans led back through `origin`, the source of each folded character."""
        spans = [span for _, span in self._stream] + [span for _, span in self._extra]
        if origin is not None:
            spans = [(origin[start][0], origin[end - 1][1]) for start, end in spans]
        return _Run(
            tuple(term for term, _ in self._stream),
            tuple(term for term, _ in self._extra),
            tuple(spans),
            tuple(self._words),
            self._letters,
        )

    def _add_word(self, piece: str, at: int) -> None:
        parts: list[str] = []
        start = 0
        for end, after in (*(gap.span() for gap in _SEPARATOR.finditer(piece)), (len(piece), len(piece))):
            part = piece[start:end].strip("'")
            if part:
                parts.append(part)
                term = self._stems.term(part)
                self._stream.append((term, (at + start, at + end)))
                if not _SIGN.search(part):
                    self._words.append((part, term))
            start = after
        if parts and parts != [piece.strip("'")] and not (self._eliding and "'" in piece):
            self._extra.append((self._stems.term(_whole(piece)), (at, at + len(piece))))

    def _add_unspaced(self, piece: str, at: int, script: Script) -> None:
        characters = units(piece)
        self._stream += [(cut(c.text), (at + c.start, at + c.end)) for c in characters]
        self._extra += [
            (cut(first.text + second.text), (at + first.start, at + second.end))
            for first, second in pairwise(characters)
        ]
        plain = "".join(c.text for c in characters) if len(characters) != len(piece) else piece
        if len(plain) != len(characters):
            return  # characters with marks on them: none of the scripts that words are known of
        for word, start, end in unspaced_words(plain, script):
            self._extra.append((cut(word), (at + characters[start].start, at + characters[end - 1].end)))
        if script == "hangul":
            self._words.append((plain, cut(plain)))


def _whole(piece: str) -> str:
    # U.S.A as usa, l'homme as lhomme, thousands without their commas, the rest as written.
    first = piece[: 2 * MAX_TERM_BYTES]
    if _INITIALS.fullmatch(first):
        return first.replace(".", "")
    whole = first.replace(",", "").strip("'")
    return _SEPARATOR.sub(lambda gap: "" if gap.group() == "'" else gap.group(), whole)


def _pattern_for(text: str) -> re.Pattern[str]:
    return ascii_pattern() if text.isascii() else run_pattern()
