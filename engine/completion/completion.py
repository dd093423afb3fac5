"""What is offered to one who types: `Completion`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

CompletionKind: TypeAlias = Literal["title", "heading", "word"]


@dataclass(frozen=True, slots=True)
class Completion:
    """A query that what was typed may become.

    Args:
        text: What would be searched, as it stands: a title's quotes and signs are such that none is an operator.
        kind: `title` of a document, `heading` in one, or `word`: what was typed, its last word completed.
        doc_id: Of a title, the document; the first by id where several share it. Otherwise the empty string.
        highlights: Spans of `text` that were typed, ascending, not overlapping.
    """

    text: str
    kind: CompletionKind
    doc_id: str = ""
    highlights: tuple[tuple[int, int], ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return {
            "text": self.text,
            "kind": self.kind,
            "doc_id": self.doc_id,
            "highlights": [list(span) for span in self.highlights],
        }
