"""What systems are judged on: `Topic`s, `Judgements`, and the `Collection` that holds them with its documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from eval.run import Span
from indexer.document import Document

Qrels: TypeAlias = Mapping[str, Mapping[str, int]]
"""Query to document to grade; 1 and more is relevant, 0 and less judged and not relevant."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A query of a collection.

    Args:
        query_id: Its name in judgements and runs.
        text: What is asked.
        user_id: Who asks; None where the collection does not say.
        at: When; None where the collection does not say. Without a zone it is UTC.
        metadata: What else the file says of it, as strings.
    """

    query_id: str
    text: str
    user_id: str | None = None
    at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgements:
    """What is known to be right.

    Args:
        qrels: Documents' grades.
        evidence: Query to the spans of text that answer it; empty where nobody marked them.
        subtopics: Query to subtopic to document to grade, for measures of diversity; empty where there are none.
    """

    qrels: Qrels
    evidence: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    subtopics: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collection:
    """A test collection. The documents are read anew each time that they are asked for.

    Args:
        name: Its name in tables.
        topics: Queries by id. One without judgement is not measured.
        judgements: What is right.
        documents: Returns an iterator over the documents, in the order of the corpus.
        fingerprint: A hash of all of its files.
    """

    name: str
    topics: Mapping[str, Topic]
    judgements: Judgements
    documents: Callable[[], Iterable[Document]]
    fingerprint: str
