"""What an index holds, as the page tells it: how much, in which languages, and which fields are worth a facet."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.everyone import date_field
from engine.search_engine import SearchEngine
from engine.service.box.page.scripts import FIELDS, language_of
from engine.service.box.search.examples import examples
from indexer.document import Scalar
from indexer.protocol import IndexReader, Numbers

MOST_FACETS = 4
_COUNTED = 20_000  # documents that are looked at for facets and languages, spread over the index
_SAMPLE = 60
_VALUES = range(2, 201)
_OFTEN = 0.3
_PLAIN = re.compile(r"[^\W_]{1,20}")


@dataclass(frozen=True, slots=True)
class Holdings:
    """One generation of an index, told in a few words.

    Args:
        generation: Which.
        documents: How many documents.
        passages: How many passages.
        languages: The languages of its documents as BCP 47 tags, most frequent first, as far as they are known.
        date_field: The field that says how new a document is; empty where there is none.
        facets: Fields of few values, which many documents have.
        examples: What to search for first.
        condition: A condition on one of the facets, as one writes it in a query; empty where there is none to show.
    """

    generation: int
    documents: int
    passages: int
    languages: tuple[str, ...]
    date_field: str
    facets: tuple[str, ...]
    examples: tuple[str, ...]
    condition: str


class HoldingsOf:
    """Looks at an index once a generation. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Holdings | None = None

    @property
    def known(self) -> Holdings | None:
        """What was seen last; None before anybody looked."""
        return self._known

    def now(self, engine: SearchEngine, reader: IndexReader, wished_date: str) -> Holdings:
        """Return what the index holds now.

        Args:
            engine: It names documents.
            reader: The current generation.
            wished_date: The date field of the settings; empty for the one that is found.
        """
        known = self._known
        if known is not None and known.generation == reader.generation:
            return known
        with self._lock:
            if self._known is None or self._known.generation != reader.generation:
                self._known = look(engine, reader, wished_date)
            return self._known


def look(engine: SearchEngine, reader: IndexReader, wished_date: str) -> Holdings:
    """Return what an index holds."""
    live = reader.live_documents()
    spread = live[:: max(1, len(live) // _COUNTED)]
    fields = reader.fields()
    named = wished_date if "date" in fields.get(wished_date, ()) else date_field(reader)
    countable = sorted(name for name, kinds in fields.items() if kinds != {"date"})
    counts = reader.value_counts(countable, spread) if countable and len(spread) else {}
    facets = engine.settings.facets or _worth_a_facet(counts, len(spread))
    return Holdings(
        generation=reader.generation,
        documents=reader.document_count,
        passages=reader.passage_count,
        languages=_languages(reader, spread),
        date_field=named,
        facets=facets,
        examples=examples(engine, reader, spread),
        condition=_condition(facets, counts),
    )


def _worth_a_facet(counts: Mapping[str, Sequence[tuple[Scalar, int]]], documents: int) -> tuple[str, ...]:
    """Return the fields that split the documents in some few parts, the one that most documents have first."""
    found = []
    for name, values in counts.items():
        having = sum(count for _, count in values)
        if len(values) in _VALUES and having >= _OFTEN * documents and having >= 2 * len(values):
            found.append((-having, len(values), name))
    return tuple(name for _, _, name in sorted(found)[:MOST_FACETS])


def _condition(facets: Sequence[str], counts: Mapping[str, Sequence[tuple[Scalar, int]]]) -> str:
    """Return a condition that holds for many documents, such as `kind:module`: a field and a value of one word."""
    for name in filter(_PLAIN.fullmatch, facets):
        for value, _ in sorted(counts.get(name, ()), key=lambda one: (-one[1], str(one[0]))):
            if isinstance(value, str | int) and not isinstance(value, bool) and _PLAIN.fullmatch(str(value)):
                return f"{name}:{value}"
    return ""


def _languages(reader: IndexReader, documents: Numbers) -> tuple[str, ...]:
    some = reader.documents(documents[:: max(1, len(documents) // _SAMPLE)][:_SAMPLE])
    silent = [stored.number for stored in some if not any(name in stored.metadata for name in FIELDS)]
    starts = dict(zip(silent, reader.texts([(number, 0, 400) for number in silent]), strict=True))
    tags = [language_of(starts.get(stored.number, ""), stored.metadata) for stored in some]
    found = Counter(tag.partition("-")[0].lower() for tag in tags)
    return tuple(tag for tag, count in found.most_common(6) if tag and count > 1)
