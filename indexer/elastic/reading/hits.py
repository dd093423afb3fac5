"""Hits, which are known by what they are sorted by (`bodies.BY_SCORE`), as numbers and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from indexer.elastic.reading.memory import Memory
from indexer.protocol import NOTHING, Candidates, Numbers, Scores

Hit: TypeAlias = Mapping[str, Any]


def candidates(hits: Sequence[Hit], memory: Memory) -> Candidates:
    """Return passages that were ranked, and remember whose they are."""
    if not hits:
        return NOTHING
    passages, documents = column(hits, 1), column(hits, 2)
    owners = documents.tolist()
    memory.owners.keep(dict(zip(passages.tolist(), owners, strict=True)))
    memory.doc_ids.keep(dict(zip(owners, (hit["sort"][3] for hit in hits), strict=True)))
    return Candidates(passages, documents, np.array([hit["sort"][0] for hit in hits], dtype=np.float32))


def column(hits: Sequence[Hit], place: int) -> Numbers:
    """Return the numbers at one place of what each hit was sorted by."""
    return np.array([hit["sort"][place] for hit in hits], dtype=np.int64)


def placed(found: Mapping[int, float], numbers: Numbers, otherwise: float) -> Scores:
    """Return the score of each of these numbers, in their order."""
    return np.array([found.get(number, otherwise) for number in numbers.tolist()], dtype=np.float32)
