"""Collections that ir_datasets knows, by name; it fetches what is not on this machine yet."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from eval.collection import Collection, Judgements, Topic
from eval.errors import InvalidEvaluation, MissingDependency
from indexer.document import Document

PREFIX = "irds:"
_OF_DOCUMENT = ("doc_id", "text", "body", "title")
_OF_QUERY = ("query_id", "text", "title", "query")


def read_irds(name: str) -> Collection:
    """Return a collection of ir_datasets; its queries that are judged.

    Raises:
        MissingDependency: ir_datasets is not installed.
        InvalidEvaluation: there is no collection of that name, or it lacks documents, queries or judgements.
    """
    try:
        import ir_datasets
    except ImportError as error:
        raise MissingDependency("ir_datasets", f"the collection {PREFIX}{name}", "irds") from error
    try:
        dataset = ir_datasets.load(name)
    except KeyError as error:
        raise InvalidEvaluation(
            f"ir_datasets knows no collection {name!r}; see ir-datasets.com for names"
        ) from error
    for part in ("docs", "queries", "qrels"):
        if not getattr(dataset, f"has_{part}")():
            raise InvalidEvaluation(
                f"{PREFIX}{name} has no {part}; name one of its subsets that has them, as {name}/test may"
            )
    qrels, subtopics = _judgements(dataset)
    topics = {
        topic.query_id: topic for topic in map(_topic, dataset.queries_iter()) if topic.query_id in qrels
    }
    missing = [query_id for query_id in qrels if query_id not in topics]
    if missing:
        raise InvalidEvaluation(
            f"{PREFIX}{name} judges {len(missing)} queries that it does not hold ({missing[0]!r})"
        )
    known = json.dumps(
        [name, dataset.docs_count(), qrels, subtopics, [topic.text for topic in topics.values()]]
    )
    return Collection(
        name=name,
        topics=topics,
        judgements=Judgements(qrels, subtopics=subtopics),
        documents=lambda: map(_document, dataset.docs_iter()),
        fingerprint=hashlib.blake2b(known.encode(), digest_size=16).hexdigest(),
    )


def _judgements(dataset: Any) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, dict[str, int]]]]:
    """Return grades by query and document, the highest of several, and by subtopic where there are any."""
    qrels: dict[str, dict[str, int]] = {}
    subtopics: dict[str, dict[str, dict[str, int]]] = {}
    for judgement in dataset.qrels_iter():
        grade = int(judgement.relevance)
        grades = qrels.setdefault(judgement.query_id, {})
        grades[judgement.doc_id] = max(grade, grades.get(judgement.doc_id, grade))
        subtopic = getattr(judgement, "subtopic_id", None)
        if subtopic is not None:
            subtopics.setdefault(judgement.query_id, {}).setdefault(subtopic, {})[judgement.doc_id] = grade
    return qrels, subtopics


def _topic(query: Any) -> Topic:
    fields = query._asdict()
    text = next((fields[name] for name in _OF_QUERY[1:] if fields.get(name)), "")
    return Topic(query.query_id, str(text), metadata=dict(_strings(fields, _OF_QUERY)))


def _document(document: Any) -> Document:
    fields = document._asdict()
    text = next((fields[name] for name in ("text", "body") if fields.get(name)), None)
    if text is None:
        text = document.default_text()
    return Document(
        document.doc_id, str(text), str(fields.get("title") or ""), dict(_strings(fields, _OF_DOCUMENT))
    )


def _strings(fields: dict[str, Any], used: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if name not in used and isinstance(value, str) and value:
            yield name, value
