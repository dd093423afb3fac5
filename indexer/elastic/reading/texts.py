"""Stretches of documents' texts: from passages just read, or from the pieces that texts are stored in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.elastic.reading import bodies
from indexer.elastic.reading.memory import Memory
from indexer.elastic.reading.pit import PointInTime, Search, Tell, hits_of, is_partial
from indexer.elastic.shape.numbers import CHUNK, chunk_id
from indexer.errors import IndexUnavailable

_AT_A_TIME = 100  # pieces of up to 65,536 characters


@dataclass(frozen=True, slots=True)
class Texts:
    """Reads for one reader. Safe to share between threads.

    Args:
        point: Whom to ask.
        tell: Is called with a sentence where an answer lacks something.
        memory: What was read before.
    """

    point: PointInTime
    tell: Tell | None
    memory: Memory

    def of(self, spans: Sequence[tuple[int, int, int]]) -> list[str]:
        """Return the text of each of these: document, start, end."""
        begun = self.memory.texts.known((document, start) for document, start, _ in spans)
        found: dict[int, str] = {}
        for at, (document, start, end) in enumerate(spans):
            text = begun.get((document, start))
            if start >= end:
                found[at] = ""
            elif text is not None and start + len(text) >= end:
                found[at] = text[: end - start]
        others = [at for at in range(len(spans)) if at not in found]
        if others:
            pieces = self._pieces([spans[at] for at in others])
            found.update((at, _cut(pieces, *spans[at])) for at in others)
        return [found[at] for at in range(len(spans))]

    def _pieces(self, spans: Sequence[tuple[int, int, int]]) -> dict[tuple[int, int], str]:
        wanted = dict.fromkeys((document, at) for document, start, end in spans for at in _starts(start, end))
        known = self.memory.chunks.known(wanted)
        missing = [name for name in wanted if name not in known]
        for at in range(0, len(missing), _AT_A_TIME):
            names = missing[at : at + _AT_A_TIME]
            query = {"ids": {"values": [chunk_id(document, start) for document, start in names]}}
            body = bodies.listed(query, len(names), [{"start": "asc"}], source=("document", "start", "chunk"))
            (answer,) = self.point.ask([Search("documents", body)], self.tell)
            told = [hit["_source"] for hit in hits_of(answer)]
            pieces = {(one["document"], one["start"]): one["chunk"] for one in told}
            if len(pieces) < len(names) and is_partial(answer):
                raise IndexUnavailable("a document's text cannot be read now: its shard does not answer")
            self.memory.chunks.keep(pieces)
            known.update(pieces)
        return known


def _starts(start: int, end: int) -> range:
    return range(max(start, 0) // CHUNK * CHUNK, max(end, 0), CHUNK)


def _cut(pieces: dict[tuple[int, int], str], document: int, start: int, end: int) -> str:
    first = max(start, 0) // CHUNK * CHUNK
    text = "".join(pieces.get((document, at), "") for at in _starts(start, end))
    return text[max(start, 0) - first : max(end, 0) - first]
