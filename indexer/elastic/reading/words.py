"""Words and values: how frequent terms are, words near a word, values of metadata fields with their counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from indexer.analyser import Analyser
from indexer.document import FieldKind, Scalar, kind_of
from indexer.elastic.reading import bodies
from indexer.elastic.reading.memory import Memory
from indexer.elastic.reading.pit import PointInTime, Search, Tell
from indexer.elastic.shape.metadata import JSON, escaped, is_shortened
from indexer.field_values import Fields
from indexer.protocol import Numbers, StoredDocument

_LONG = 6  # letters from which on two edits are allowed
_VALUES = 10_000  # of one field are counted, the most frequent ones
_DOCUMENTS = 50_000  # in one question for values


@dataclass(frozen=True, slots=True)
class Words:
    """Counts for one reader. Safe to share between threads.

    Args:
        point: Whom to ask.
        tell: Is called with a sentence where an answer lacks something.
        memory: Frequencies that were asked for before.
        analyser: The index's.
    """

    point: PointInTime
    tell: Tell | None
    memory: Memory
    analyser: Analyser

    def frequencies(self, terms: Sequence[str]) -> list[int]:
        """Return in how many passages each of these terms occurs, in whatever field."""
        known = self.memory.frequencies.known(terms)
        missing = [term for term in dict.fromkeys(terms) if term not in known]
        if missing:
            searches = [Search("passages", bodies.counted(bodies.occurs(term))) for term in missing]
            answers = self.point.ask(searches, self.tell)
            found = {
                term: int(answer["hits"]["total"]["value"])
                for term, answer in zip(missing, answers, strict=True)
            }
            self.memory.frequencies.keep(found)
            known.update(found)
        return [known[term] for term in terms]

    def near(self, word: str, limit: int) -> list[tuple[str, int]]:
        """Return words near a word, with the number of documents that have each: nearest, then most frequent, first."""
        from rapidfuzz.distance import OSA

        word = word.casefold()
        if not word or limit <= 0 or any(map(str.isspace, word)):
            return []
        reach = 2 if len(word) >= _LONG else 1
        search = Search("documents", bodies.near_words(word, reach, 8 * limit))
        (answer,) = self.point.ask([search], self.tell)
        options = [option for entry in answer["suggest"]["near"] for option in entry["options"]]
        ranked = sorted(
            (distance, -option["freq"], option["text"])
            for option in options
            if option["text"] != word and (distance := OSA.distance(word, option["text"])) <= reach
        )[: 4 * limit]
        terms = {near: self.analyser.terms(near) for _, _, near in ranked}
        every = list(dict.fromkeys(term for found in terms.values() for term in found))
        frequency = dict(zip(every, self.frequencies(every), strict=True))
        kept = [
            (near, -negated)
            for _, negated, near in ranked
            if terms[near] and all(frequency[term] for term in terms[near])
        ]
        return kept[:limit]

    def value_counts(
        self,
        names: Sequence[str],
        documents: Numbers,
        fields: Fields,
        records: Callable[[Numbers], Sequence[StoredDocument]],
    ) -> dict[str, list[tuple[Scalar, int]]]:
        """Return for each metadata field its values among these documents, with how many of them have each.

        Args:
            names: The fields.
            documents: The documents.
            fields: Which fields there are.
            records: Gives documents' records, for fields whose values the server cannot count: those cut short, and
                numbers that are written in two ways, both of which one document may have.
        """
        counters: dict[str, Counter[tuple[FieldKind, Scalar]]] = {name: Counter() for name in names}
        asked = [name for name in counters if name in fields]
        unclear: set[str] = set()
        whole = np.unique(documents)
        for at in range(0, len(whole) if asked else 0, _DOCUMENTS):
            within = bodies.matching(
                None, [bodies.DOCUMENTS, bodies.among("number", whole[at : at + _DOCUMENTS])]
            )
            searches = [
                Search("documents", bodies.values_of(f"meta.{escaped(name)}.{JSON}", within, _VALUES))
                for name in asked
            ]
            for name, answer in zip(asked, self.point.ask(searches, self.tell), strict=True):
                found = _values(answer["aggregations"]["of"]["buckets"])
                if found is None:
                    unclear.add(name)
                else:
                    counters[name].update(found)
        if unclear:
            stored = records(whole)
            counters.update((name, _counted(name, stored)) for name in unclear)
        return {
            name: [(value, count) for (_, value), count in counter.items()]
            for name, counter in counters.items()
        }


def _counted(name: str, documents: Sequence[StoredDocument]) -> Counter[tuple[FieldKind, Scalar]]:
    counter: Counter[tuple[FieldKind, Scalar]] = Counter()
    for document in documents:
        value = document.metadata.get(name, ())
        values = value if isinstance(value, tuple) else (value,)
        counter.update({(kind_of(item), item) for item in values})
    return counter


def _values(buckets: Sequence[Mapping[str, Any]]) -> Counter[tuple[FieldKind, Scalar]] | None:
    """Return the values that `metadata.json_form` wrote; None where their counts say too little."""
    counter: Counter[tuple[FieldKind, Scalar]] = Counter()
    for bucket in buckets:
        if is_shortened(bucket["key"]):
            return None
        value = _value(bucket["key"])
        counter[kind_of(value), value] += bucket["doc_count"]
    return counter if len(counter) == len(buckets) else None


def _value(text: str) -> Scalar:
    """Return the value that `metadata.json_form` wrote."""
    found = json.loads(text)
    if isinstance(found, Mapping):
        iso = str(found["$date"])
        return datetime.fromisoformat(iso) if "T" in iso else date.fromisoformat(iso)
    value: Scalar = found
    return value
