"""Training data without any label: a title or heading is the query, what stands under it the answer.

A heading names its section better than any generated question would, and its author wrote it. The section's first
passage is the positive; passages of other sections of the same document are judged wrong, and mining adds neighbours
in other documents. The name itself is hidden from all passages (`concealing`), or the answer could be read off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from reranker.data.boilerplate import BOILERPLATE
from reranker.data.concealing import concealed
from reranker.data.judged import JudgedDocument, JudgedQuery, Shown
from reranker.data.wording import normal, text_hash, words
from reranker.errors import InvalidTrainingSettings
from reranker.pairs import PassageText

_NUMBERING = re.compile(
    r"\s*(?:(?i:chapter|section|part|book|volume|appendix|article)\s+(?:\d+(?:\.\d+)*|[A-Z]|[IVXLC]+)\b[.:)]?"
    r"|(?:[A-Z]\.)?\d{1,2}(?:\.\d{1,2})*[.:)]?(?=\s)|[IVXLC]+[.)](?=\s)|第[零〇一二三四五六七八九十百千两\d]{1,8}[章节節回卷部篇])"
    r"\s*[-–—:：]?\s*"
)
_LETTERS = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, slots=True)
class PlacedPassage:
    """A passage of a document, and its place among the document's passages, from 0."""

    doc_id: str
    ordinal: int
    passage: PassageText


@dataclass(frozen=True, slots=True)
class StructureSettings:
    """Which names become queries.

    Args:
        titles: Whether titles do.
        headings: Whether headings do.
        least_words: Headings of fewer words are asked together with the document's title; titles of fewer are skipped
            unless they have at least two.
        least_characters: A positive is at least so long.
        siblings: Passages of other sections of the same document that are judged wrong, the nearest first.
        most_per_document: Queries a document gives at most, so that one long book does not outweigh a library.

    Raises:
        InvalidTrainingSettings: a value is outside its range.
    """

    titles: bool = True
    headings: bool = True
    least_words: int = 3
    least_characters: int = 100
    siblings: int = 4
    most_per_document: int = 20

    def __post_init__(self) -> None:
        for name, least in (
            ("least_words", 1),
            ("least_characters", 1),
            ("siblings", 0),
            ("most_per_document", 1),
        ):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InvalidTrainingSettings(
                    f"{name} is a whole number of at least {least}, found {value!r}"
                )


def from_structure(
    passages: Iterable[PlacedPassage], settings: StructureSettings | None = None, source: str = "structure"
) -> Iterator[JudgedQuery]:
    """Yield judged queries from titles and headings; each query once, however many documents bear the name.

    Args:
        passages: Those of a document follow each other, in its order. One document is held at a time.
        settings: Which names become queries.
        source: What reports call them.
    """
    settings = settings or StructureSettings()
    asked: set[bytes] = set()
    for _, group in groupby(passages, lambda placed: placed.doc_id):
        document, given = list(group), 0
        for query in _of_document(document, settings, source):
            name = text_hash(query.query)
            if name not in asked and given < settings.most_per_document:
                asked.add(name)
                given += 1
                yield query


def heading_query(heading: str, title: str = "", least_words: int = 3) -> str:
    """Return what a heading asks, without its numbering; the empty string where it says nothing.

    A heading of fewer than `least_words` words is asked together with the title: "Diet" is not a question, "European
    badger Diet" is.
    """
    bare = " ".join(heading.split())
    numbering = _NUMBERING.match(bare)
    bare = bare[numbering.end() :] if numbering else bare
    if not _telling(bare):
        return ""
    if len(words(bare)) >= least_words:
        return bare
    title = " ".join(title.split())
    if not _telling(title) or normal(title) == normal(bare):
        return ""
    return f"{title} {bare}"


def _telling(name: str) -> bool:
    return not name.endswith("…") and bool(_LETTERS.search(name)) and normal(name) not in BOILERPLATE


def _of_document(
    document: list[PlacedPassage], settings: StructureSettings, source: str
) -> Iterator[JudgedQuery]:
    first = document[0]
    title = " ".join(first.passage.title.split())
    enough = len(words(title)) >= min(settings.least_words, 2)
    if settings.titles and _telling(title) and enough and len(title) < len(first.passage.text):
        query = _query(f"{first.doc_id}#title", title, first, [], "text", settings, source)
        if query is not None:
            yield query
    if not settings.headings:
        return
    seen: set[tuple[str, ...]] = set()
    for placed in document:
        path = placed.passage.headings
        if not path or path in seen:
            continue
        seen.add(path)
        asked = heading_query(path[-1], title, settings.least_words)
        if not asked or normal(path[-1]) == normal(title):
            continue
        query = _query(
            f"{placed.doc_id}#{placed.ordinal}",
            asked,
            placed,
            _siblings(document, placed, settings.siblings),
            "parents",
            settings,
            source,
        )
        if query is not None:
            yield query


def _siblings(document: list[PlacedPassage], placed: PlacedPassage, count: int) -> list[PlacedPassage]:
    """Return the nearest passages that stand neither under the same headings, nor above or below them."""
    path = placed.passage.headings

    def elsewhere(other: tuple[str, ...]) -> bool:
        shared = min(len(path), len(other))
        return path[:shared] != other[:shared]

    others = [other for other in document if elsewhere(other.passage.headings)]
    return sorted(others, key=lambda other: (abs(other.ordinal - placed.ordinal), other.ordinal))[:count]


def _query(
    query_id: str,
    asked: str,
    placed: PlacedPassage,
    siblings: list[PlacedPassage],
    shown: Shown,
    settings: StructureSettings,
    source: str,
) -> JudgedQuery | None:
    text = concealed(placed.passage, shown).text
    if len(text) < settings.least_characters:
        return None
    judged = [JudgedDocument(placed.doc_id, 1.0, ordinal=placed.ordinal)]
    judged += [JudgedDocument(other.doc_id, 0.0, ordinal=other.ordinal) for other in siblings]
    return JudgedQuery(query_id, asked, tuple(judged), source, shown, probe=text[:1000])
