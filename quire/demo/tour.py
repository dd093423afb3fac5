"""Three questions that show why there are two indexes: what each alone would have missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quire.results import hit_lines, ordinal
from quire.terminal import Screen

if TYPE_CHECKING:
    from engine import SearchEngine

PAGE = 10
DEEP = 1000


@dataclass(frozen=True, slots=True)
class Question:
    """A query, the document that answers it, and what it shows."""

    query: str
    answer: str
    shows: str


QUESTIONS = (
    Question(
        "draw lots fairly",
        "library/random.md",
        "Said in other words than the document's. Words alone find what happens to contain them; meaning finds "
        "the module that makes random choices.",
    ),
    Question(
        "ECMA-262",
        "library/json.md",
        "An exact name, which stands once, in the middle of a sentence. A vector hardly notices it; words find "
        "it at once.",
    ),
    Question(
        "always take out the least item first",
        "library/heapq.md",
        "Some of both. Each of the two sees the answer from one side and ranks others above it; where they agree, "
        "it comes first.",
    ),
)


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where a document stands by words alone, by meaning alone and by both; None when it is not found."""

    words: int | None
    meaning: int | None
    both: int | None


def ranks(engine: SearchEngine, question: Question) -> Ranks:
    """Return where the question's answer stands, three ways."""

    def rank(alpha: float) -> int | None:
        settings = replace(engine.settings, alpha=alpha, passages_per_hit=1)
        hits = engine.search(question.query, k=DEEP, settings=settings).hits
        return next((hit.rank for hit in hits if hit.doc_id == question.answer), None)

    return Ranks(rank(0.0), rank(1.0), rank(engine.settings.alpha))


def show(engine: SearchEngine, screen: Screen) -> Iterator[str]:
    """Yield the lines of the tour."""
    for number, question in enumerate(QUESTIONS, 1):
        yield ""
        yield screen.style(f"{number}. {question.query}", "bold")
        yield from screen.wrap([(question.shows, False)], "   ")
        yield ""
        found = ranks(engine, question)
        yield f"   where {question.answer} stands"
        for label, rank in (
            ("by words alone (BM25)", found.words),
            ("by meaning alone (vectors)", found.meaning),
            ("by both", found.both),
        ):
            place = f"{ordinal(rank):>6}" if rank else "  not found"
            missed = "   not on the first page" if rank is None or rank > PAGE else ""
            yield f"   {label:<28}{place}{screen.style(missed, 'red')}"
        yield ""
        settings = replace(engine.settings, passages_per_hit=1)
        hits = engine.search(question.query, k=PAGE, explain=True, settings=settings).hits
        for hit in hits:
            if hit.doc_id == question.answer:
                yield from hit_lines(hit, screen, explain=True)
    yield ""
