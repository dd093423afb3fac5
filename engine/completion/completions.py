"""`Completions`: what may be meant by what was typed so far, of one generation of an index."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.completion.completion import Completion, CompletionKind
from engine.completion.entries import MOST_DOCUMENTS, MOST_HEADINGS, Entry, entries_of
from engine.completion.pieces import Piece, beginning, joined, pieces_of, spans_of
from engine.completion.postings import LAST, Counts, Mask, Postings, Stretches
from engine.completion.unspaced import words_in
from engine.syntax import parse
from indexer.analyser import Analyser
from indexer.protocol import FieldKind, IndexReader

LONGEST_TYPED = 200
"""Of more characters than this nothing is completed."""
_MOST_PIECES = 24
_SUFFIX = 8  # so much at the end of unspaced text may be the beginning of a word
_TRIED = 20  # words with which each such beginning is tried


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed.

    Args:
        text: As it was, white space before it left out.
        wanted: Its words, without operators and what is excluded.
        complete: Whether the last of them is a whole word.
    """

    text: str
    wanted: tuple[Piece, ...]
    complete: bool

    @property
    def last(self) -> Piece:
        return self.wanted[-1]


class Completions:
    """Answers what a text may become. Never changes, so threads may share it; `build_completions` makes it.

    Args:
        entries: Titles and headings, in the order in which they are offered.
        analyser: Knows which words say nothing by themselves.
        fields: The metadata fields, which conditions in what is typed name.
    """

    def __init__(
        self, entries: Sequence[Entry], analyser: Analyser, fields: Mapping[str, frozenset[FieldKind]]
    ) -> None:
        self._analyser = analyser
        self._fields = fields
        self._texts = [entry.text for entry in entries]
        self._doc_ids = [entry.doc_id for entry in entries]
        self._titles = sum(entry.is_title for entry in entries)
        names = [entry.name for entry in entries]
        order = sorted(range(len(names)), key=names.__getitem__)
        self._names = [names[at] for at in order]
        self._named = np.array(order, dtype=np.int64)
        stretches = [entry.stretches for entry in entries]
        self._words = Postings(entry.words for entry in entries)
        self._stretches = Stretches(stretches)
        self._unspaced_words = Postings(map(words_in, stretches))
        self._telling: Mask = np.array([_tells(name) for name in self._words.names], dtype=np.bool_)
        self._worth: Mask = np.array([entry.offers_words for entry in entries], dtype=np.bool_)
        self._written = _written(entries)

    def __len__(self) -> int:
        """How many titles and headings."""
        return len(self._texts)

    def complete(self, text: str, k: int) -> tuple[Completion, ...]:
        """Return up to k queries that a text may become, each with something to find.

        Completed words come first, the most frequent before others, at most half of k as long as there are titles
        and headings for the rest: first those that begin with what was typed, then those that hold it, titles before
        headings. No text comes twice: of a word and a title the title, unless there is too little room for it.

        Args:
            text: What was typed. A word at its end is begun, unless something that is no part of a word follows.
            k: How many.
        """
        typed = self._typed(text)
        if typed is None or k <= 0:
            return ()
        others = self._others(typed)
        whole = {self._name(self._texts[entry]): entry for entry in self._whole(typed, others, k)}
        room = k - min(len(whole), k // 2)
        titles = {name for name in list(whole)[: k - room] if whole[name] < self._titles}
        words: list[Completion] = []
        for completion in self._completed(typed, others):
            if len(words) == room:
                break
            name = self._name(completion.text)
            if name not in titles:
                words.append(completion)
                whole.pop(name, None)
        return (*words, *(self._entry(entry, typed) for entry in list(whole.values())[: k - len(words)]))

    @staticmethod
    def _name(text: str) -> str:
        return joined(pieces_of(text))

    def _typed(self, text: str) -> _Typed | None:
        """Return what was typed, or None where that ends with nothing that can be completed."""
        if len(text) > LONGEST_TYPED:
            return None
        text = text.lstrip()
        pieces = pieces_of(text)
        wanted = pieces_of(parse(text, self._fields).positive)
        if not pieces or not wanted or wanted[-1].folded != pieces[-1].folded or len(wanted) > _MOST_PIECES:
            return None  # nothing, a condition, or a word that is to be left out
        complete = pieces[-1].end < len(text) and not pieces[-1].unspaced
        return _Typed(text, (*wanted[:-1], pieces[-1]), complete)

    def _others(self, typed: _Typed) -> Mask:
        """Return which entries have all that was typed before the last piece."""
        mask = np.ones(len(self._texts), dtype=np.bool_)
        for piece in typed.wanted[:-1]:
            mask &= (self._stretches if piece.unspaced else self._words).having(piece.folded)
        return mask

    def _whole(self, typed: _Typed, others: Mask, k: int) -> list[int]:
        """Return the first k entries that hold what was typed, those that begin with it before others."""
        last = typed.last
        if last.unspaced:
            mask = others & self._stretches.having(last.folded)
        elif typed.complete:
            mask = others & self._words.having(last.folded)
        else:
            mask = others & self._words.with_any(*self._words.begun_by(last.folded))
        name = joined(typed.wanted)
        if typed.complete:
            same = self._named[bisect_left(self._names, name) : bisect_right(self._names, name)]
            name += " "
            begun = np.concatenate([same, self._begun(name)])
        else:
            begun = self._begun(name)
        first = np.sort(begun)[:k] if len(begun) <= k else np.sort(np.partition(begun, k - 1)[:k])
        mask[begun] = False
        return [*first.tolist(), *np.flatnonzero(mask)[: k - len(first)].tolist()]

    def _begun(self, name: str) -> Counts:
        return self._named[bisect_left(self._names, name) : bisect_left(self._names, name + LAST)]

    def _entry(self, entry: int, typed: _Typed) -> Completion:
        text = self._texts[entry]
        kind: CompletionKind = "title" if entry < self._titles else "heading"
        return Completion(text, kind, self._doc_ids[entry], spans_of(text, typed.wanted, typed.complete))

    def _completed(self, typed: _Typed, others: Mask) -> Iterator[Completion]:
        """Yield what was typed with its last word completed, by words that stand beside the others; best first."""
        if typed.complete:
            return
        start = typed.last.start
        before = typed.text[:start]
        marked = [(piece.start, piece.end) for piece in pieces_of(typed.text)[:-1]]
        words = self._unspaced(typed, others) if typed.last.unspaced else self._spaced(typed, others)
        for word, length in words:
            yield Completion(before + word, "word", "", (*marked, (start, start + length)))

    def _spaced(self, typed: _Typed, others: Mask) -> Iterator[tuple[str, int]]:
        """Yield words that begin with the last one, as they are written, and how much of each was typed.

        Of words with one stem, for which the same is found, the most frequent alone.
        """
        begun = typed.last.folded
        first, last = self._words.begun_by(begun)
        names = self._words.names
        counts = self._words.counts(first, last, others & self._worth)
        known = first < last and names[first] == begun
        said = {tuple(self._analyser.terms(begun))} if known else set()
        for place in _most(counts * self._telling[first:last]):
            name = names[first + place]
            terms = tuple(self._analyser.terms(name))
            if terms not in said and not all(map(self._analyser.is_stopword, terms)):
                said.add(terms)
                word = self._written.get(name, name)
                yield word, beginning(word, begun)

    def _unspaced(self, typed: _Typed, others: Mask) -> Iterator[tuple[str, int]]:
        """Yield the last stretch, completed by words that its end begins, where that is said somewhere."""
        stretch = typed.last.folded
        names = self._unspaced_words.names
        done: set[str] = set()
        for length in range(min(len(stretch), _SUFFIX), 0, -1):
            first, last = self._unspaced_words.begun_by(stretch[-length:])
            counts = self._unspaced_words.counts(first, last, others & self._worth)
            for tried, place in enumerate(_most(counts)):
                if tried == _TRIED:
                    break
                longer = stretch[:-length] + names[first + place]
                if longer == stretch or longer in done:
                    continue
                done.add(longer)
                if self._stretches.any_having(longer, others):
                    yield longer, len(stretch)


def build_completions(
    reader: IndexReader, most_documents: int = MOST_DOCUMENTS, most_headings: int = MOST_HEADINGS
) -> Completions:
    """Return the completions of one generation of an index: seconds of work for a large one, best done beforehand.

    Args:
        reader: The index.
        most_documents: Of how many documents to read titles and headings; of more, those of an even spread.
        most_headings: How many different headings to keep.

    Raises:
        IndexUnavailable: an index on a server does not answer.
    """
    return Completions(entries_of(reader, most_documents, most_headings), reader.analyser, reader.fields())


def _tells(word: str) -> bool:
    """Whether a word is more than a letter or a number."""
    return len(word) > 1 and any(map(str.isalpha, word))


def _most(counts: Counts) -> Iterator[int]:
    """Yield the places of counts above 0, the highest first, of equals the first."""
    left = counts.copy()
    for _ in range(len(left)):
        place = int(np.argmax(left))
        if left[place] <= 0:
            return
        yield place
        left[place] = 0


def _written(entries: Sequence[Entry]) -> dict[str, str]:
    """Return how words are mostly written where that is not as they are compared; capitals of titles do not count."""
    forms: dict[str, Counter[str]] = {}
    for entry in entries:
        if entry.offers_words:
            for word, form in zip(entry.words, entry.written, strict=True):
                plain = form.lower() if form[1:].islower() or len(form) == 1 else form
                forms.setdefault(word, Counter())[plain] += 1
    written = {name: min(found, key=lambda form: (-found[form], form)) for name, found in forms.items()}
    return {name: form for name, form in written.items() if form != name}
