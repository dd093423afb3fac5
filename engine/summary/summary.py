"""What a summary is: sentences of a document, where they stand in it, and why each was taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.scripts import HAN, KANA

DEFAULT_LENGTH = 600
"""Characters that a summary may have, unless it is asked for otherwise."""

_UNSPACED_END = re.compile(rf"[{HAN}{KANA}。！？；：，、」』》】][\"'”’）…]*\Z")


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """One sentence of a summary.

    Args:
        text: Exactly what the document has from `start` to `end`.
        start: Its first character in the document's text.
        end: One past its last.
        taken: 1 for the sentence that was taken first, and so on.
        closeness: Cosine of its vector with what the summary was made for: the document, the query, or either
            tilted to a reader; None where vectors had no say.
        highlights: Where the query's words stand in it, as offsets into the document's text.
        reached: The objective (`engine.summary.greedy`) with this sentence and those taken before it.
        page: The page that it starts on at the earliest, from 1; None for documents without pages.
        headings: The headings above it, outermost first.
        whole: Whether it is a whole sentence; of one longer than the summary may be, only a part is shown.
    """

    text: str
    start: int
    end: int
    taken: int
    closeness: float | None
    highlights: tuple[tuple[int, int], ...] = ()
    reached: float = 0.0
    page: int | None = None
    headings: tuple[str, ...] = ()
    whole: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        """The query's words in it, as the document writes them, without repeats."""
        return tuple(
            dict.fromkeys(self.text[low - self.start : high - self.start] for low, high in self.highlights)
        )

    @property
    def why(self) -> str:
        """Why it was taken, in words."""
        reasons = [f"taken {ordinal(self.taken)}"]
        if self.closeness is not None:
            reasons.append(f"closeness {self.closeness:.2f}")
        if self.words:
            reasons.append(f"has {', '.join(self.words)}")
        if self.closeness is None and not self.words:
            reasons.append("from the document's beginning")
        return ", ".join(reasons)

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "taken": self.taken,
            "closeness": self.closeness,
            "highlights": [list(span) for span in self.highlights],
            "reached": self.reached,
            "page": self.page,
            "headings": list(self.headings),
            "whole": self.whole,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """Some sentences of a document that stand for it, in the document's order.

    Args:
        doc_id: The document.
        title: Its title.
        sentences: In the order in which they stand in the document; empty for one without text.
        query: What the summary was to answer; empty when it stands for the whole document.
        tilted: Whether a reader's interest had a say.
        coverage: Cosine of the sentences' combined vector with the document's; None where there are no vectors.
        notices: What the reader ought to know, in sentences.
    """

    doc_id: str
    title: str
    sentences: tuple[SummarySentence, ...]
    query: str = ""
    tilted: bool = False
    coverage: float | None = None
    notices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as one text, every stretch of white space as one space.

        A space parts them, but in scripts that are written without.
        """
        parts: list[str] = []
        for sentence in self.sentences:
            if parts and not _UNSPACED_END.search(parts[-1]):
                parts.append(" ")
            parts.append(" ".join(sentence.text.split()))
        return "".join(parts)

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "doc_id": self.doc_id,
            "title": self.title,
            "query": self.query,
            "tilted": self.tilted,
            "coverage": self.coverage,
            "text": self.text,
            "sentences": [sentence.to_json() for sentence in self.sentences],
            "notices": list(self.notices),
        }


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"
