"""Some of the documents, as a reader of an index on Elasticsearch understands it: filters, and numbers of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from indexer.elastic.reading import bodies
from indexer.elastic.reading.filters import MOST_TERMS, Body, filter_body
from indexer.elastic.reading.pit import Answer, PointInTime, Search, Tell, hits_of
from indexer.errors import InvalidFilter
from indexer.field_values import Fields
from indexer.filters import Filter
from indexer.protocol import Clause, Numbers, Selection


@dataclass(slots=True)
class ElasticSelection:
    """Some documents.

    Args:
        point: Where they are.
        tell: Is called with a sentence where an answer lacks something.
        only: Numbers of documents, ascending: it has no others. None where they are not known.
        without: Numbers of documents that are not among them.
        passages: What a passage of one of them matches.
        documents: What the record of one of them matches.
        not_passages: What no passage that may answer matches.
        not_documents: What the record of none of them matches.
    """

    point: PointInTime
    tell: Tell | None
    only: Numbers | None = None
    without: Numbers | None = None
    passages: list[Body] = field(default_factory=list)
    documents: list[Body] = field(default_factory=list)
    not_passages: list[Body] = field(default_factory=list)
    not_documents: list[Body] = field(default_factory=list)
    known_count: int | None = None

    @property
    def count(self) -> int:
        """How many documents."""
        if self.known_count is None:
            if self.only is not None and self._named:
                self.known_count = len(self.only)
            else:
                (answer,) = self.point.ask([self.counting()], self.tell)
                self.learn(answer)
        return self.known_count or 0

    @property
    def _named(self) -> bool:
        """Whether its numbers say all."""
        return not self.documents and not self.not_documents

    def counting(self) -> Search:
        """Return the question how many they are."""
        return Search("documents", bodies.counted(self.matched_documents()))

    def learn(self, answer: Answer) -> None:
        """Take the answer to `counting`."""
        self.known_count = int(answer["hits"]["total"]["value"])

    def __contains__(self, document: int) -> bool:
        return bool(self.holds(np.array([document], dtype=np.int64))[0])

    def holds(self, documents: Numbers) -> NDArray[np.bool_]:
        """Return whether each of these documents is one of them, shape (n,)."""
        if self.only is not None and self._named:
            return np.isin(documents, self.only)
        names = np.unique(documents)
        held: list[int] = []
        for at in range(0, len(names), bodies.PAGE):
            piece = names[at : at + bodies.PAGE]
            query = self.matched_documents([bodies.among("number", piece)])
            search = Search("documents", bodies.listed(query, len(piece), [{"number": "asc"}]))
            (answer,) = self.point.ask([search], self.tell)
            held += [hit["sort"][0] for hit in hits_of(answer)]
        return np.isin(documents, np.array(held, dtype=np.int64))

    def matched_documents(self, filters: Sequence[Body] = ()) -> Body:
        """Return the query that their records match."""
        filters = [bodies.DOCUMENTS, *self._numbered("number"), *self.documents, *filters]
        return bodies.matching(None, filters, [*self._not_numbered("number"), *self.not_documents])

    def passage_filters(self) -> tuple[list[Body], list[Body]]:
        """Return what a passage that may answer matches, and what none does."""
        wanted = [*self._numbered("document"), *self.passages]
        return wanted, [*self._not_numbered("document"), *self.not_passages]

    def document_filters(self) -> tuple[list[Body], list[Body]]:
        """Return what a document that may answer matches, and what none does."""
        wanted = [*self._numbered("number"), *self.documents]
        return wanted, [*self._not_numbered("number"), *self.not_documents]

    def _numbered(self, name: str) -> list[Body]:
        return [] if self.only is None else [bodies.among(name, self.only)]

    def _not_numbered(self, name: str) -> list[Body]:
        return [] if self.without is None or not len(self.without) else [bodies.among(name, self.without)]


def own(selection: Selection | None) -> ElasticSelection | None:
    """Return a selection as this index made it.

    Raises:
        InvalidFilter: another one made it.
    """
    if selection is None or isinstance(selection, ElasticSelection):
        return selection
    raise InvalidFilter(
        f"a selection counts with the reader that made it; found a {type(selection).__name__}"
    )


def select(
    point: PointInTime,
    tell: Tell | None,
    fields: Fields,
    filters: Filter | None,
    required: Sequence[Clause],
    excluded: Sequence[Clause],
) -> ElasticSelection | None:
    """Return the documents that pass the filter, hold every required and no excluded clause in some passage.

    What documents hold a clause is asked of the passages, and they are known by their numbers from then on. Where
    more hold it than can be named, passages are asked for it themselves.

    Raises:
        InvalidFilter: an unknown field, or a value of the wrong type.
    """
    if filters is None and not required and not excluded:
        return None
    passed = [] if filters is None else [filter_body(filters, fields)]
    chosen = ElasticSelection(point, tell, passages=[*passed], documents=[*passed])
    clauses = [(clause, True) for clause in required] + [(clause, False) for clause in excluded]
    searches = [
        Search(
            "passages",
            bodies.values_of("document", bodies.matching(None, [*passed, bodies.holds(clause)]), MOST_TERMS),
        )
        for clause, _ in clauses
    ]
    without = np.zeros(0, dtype=np.int64)
    for (clause, wanted), answer in zip(clauses, point.ask(searches, tell), strict=True):
        found = answer["aggregations"]["of"]
        if found["sum_other_doc_count"]:
            _ask_of_passages(chosen, clause, wanted)
            continue
        numbers = np.sort(np.array([bucket["key"] for bucket in found["buckets"]], dtype=np.int64))
        if not wanted:
            without = np.union1d(without, numbers)
        else:
            chosen.only = numbers if chosen.only is None else np.intersect1d(chosen.only, numbers)
    if chosen.only is not None:
        # They were asked for among those that pass the filter.
        chosen.passages = [body for body in chosen.passages if body not in passed]
        chosen.documents = [body for body in chosen.documents if body not in passed]
        chosen.only = np.setdiff1d(chosen.only, without)
    elif len(without):
        chosen.without = without
    return chosen


def _ask_of_passages(chosen: ElasticSelection, clause: Clause, wanted: bool) -> None:
    """Let each passage answer for itself whether it holds a clause that too many documents hold to name them."""
    holding, whole = bodies.holds(clause), bodies.held_by_whole(clause)
    (chosen.passages if wanted else chosen.not_passages).append(holding)
    if whole is not None:
        (chosen.documents if wanted else chosen.not_documents).append(whole)
    if chosen.tell is not None:
        words = " ".join(clause.terms)
        what = "that hold it themselves were looked at" if wanted else "that hold it themselves were left out"
        chosen.tell(f"More than {MOST_TERMS:,} documents hold {words!r}: only passages {what}.")
