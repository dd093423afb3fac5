"""The terms of a document's passages, as every backend indexes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.analyser import Analyser
from indexer.document import Passage


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """The terms of a passage's headings, and of its text."""

    headings: list[str]
    body: list[str]


def passage_terms(analyser: Analyser, text: str, passages: Sequence[Passage]) -> Iterator[PassageTerms]:
    """Yield the terms of each passage of a document's text, in order."""
    headings: tuple[str, ...] = ()
    heading_terms: list[str] = []
    for passage in passages:
        if passage.headings != headings:
            headings = passage.headings
            heading_terms = [term for heading in headings for term in analyser.terms(heading)]
        yield PassageTerms(heading_terms, analyser.terms(text[passage.start : passage.end]))


def document_words(analyser: Analyser, title: str, text: str) -> Iterator[str]:
    """Yield the case-folded words of a document, of which spellings are suggested, one for each time it is said."""
    return (word for word, _ in analyser.words(f"{title}\n{text}"))
