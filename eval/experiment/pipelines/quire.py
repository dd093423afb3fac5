"""The `quire` kind: Quire's own engine, with any search and indexing settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import ClassVar

from engine.configuration import IndexingSettings
from engine.settings import SearchSettings
from eval.collection import Topic
from eval.experiment.fingerprint import INDEXING
from eval.experiment.pipeline import Answer, Ground, Ready
from eval.reranker_identity import reranker_identity
from eval.run import Span

SPANS = 30
"""At most so many passages are kept of each answer: what a reader sees on a page of ten."""

_NOTICES = 5
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")


def in_words(value: object) -> str:
    """Return a setting's value as tables show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def words_of(settings: object, *but: str) -> dict[str, str]:
    """Return the fields of a settings object in words, without those named."""
    return {
        item.name: in_words(getattr(settings, item.name))
        for item in fields(settings)  # type: ignore[arg-type]
        if item.name not in but
    }


def index_words(indexing: IndexingSettings) -> dict[str, str]:
    """Return in words the settings that decide what an index holds."""
    return words_of(indexing, "device", "offline")


@dataclass(frozen=True, slots=True)
class Quire:
    """Quire's engine over its own index. `alpha` 0 is BM25 alone, 1 meaning alone.

    Args:
        search: How it searches.
        indexing: How the index is made.
    """

    kind: ClassVar[str] = "quire"
    sources: ClassVar[tuple[str, ...]] = ("engine.search_engine", *INDEXING)
    search: SearchSettings = field(default_factory=SearchSettings)
    indexing: IndexingSettings = field(default_factory=IndexingSettings)

    def settings(self) -> Mapping[str, str]:
        """Return every setting in words."""
        return words_of(self.search) | index_words(self.indexing)

    def ingredients(self, ground: Ground) -> Mapping[str, str]:
        """Return the index's fingerprint, and the cross-encoder's where one is asked."""
        made = {"index": ground.index_fingerprint(self.indexing)}
        reranker = reranker_identity(self.search)
        return made | {"reranker": reranker} if reranker else made

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        """Open the index, made first where it is not there."""
        from engine.query import Query
        from engine.search_engine import SearchEngine

        index, facts = ground.index(self.indexing)
        engine = SearchEngine(index, index.encoder, self.search)
        notices: dict[str, set[str]] = {}

        def answer(topic: Topic, k: int) -> Answer:
            # Everyone's list: what is kept of an answer says nothing of what readers had done by then.
            ranking = engine.search(Query(topic.text, operators=False), k=k)
            for notice in ranking.notices:
                notices.setdefault(_NUMBER.sub("…", notice), set()).add(topic.query_id)
            shown = [Span(hit.doc_id, part.start, part.end) for hit in ranking.hits for part in hit.passages]
            return Answer([(hit.doc_id, hit.score) for hit in ranking.hits], shown[:SPANS])

        yield Ready(answer, facts, paged=True, warnings=lambda: _counted(notices))


def _counted(notices: Mapping[str, Collection[str]]) -> list[str]:
    """Return the most frequent notices, numbers left out, each with the number of topics whose answer carried it."""
    often = sorted(notices.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        f"{len(topics):,} {'answers' if len(topics) != 1 else 'answer'} carried the notice: {notice}"
        for notice, topics in often[:_NOTICES]
    ]
