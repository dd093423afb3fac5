"""Three questions that show why there are two indexes: what each alone would have missed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quire.results import hit_lines, ordinal
from quire.terminal import Screen, cut

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
        "make text safe to show on a web page",
        "library/html.md",
        "Said in other words than the document's, which speaks of escaping. Words alone find what happens to "
        "contain them; meaning finds the module that does it.",
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
        "Some of both. Each of the two sees the answer from one side and ranks others above it; together they "
        "put it higher than either does alone.",
    ),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the answer stands in one ranking, None when it is not found; and what stands first."""

    rank: int | None
    first: str


def standing(engine: SearchEngine, question: Question, alpha: float, rerank_depth: int = 0) -> Standing:
    """Return where a question's answer stands with this weight of meaning, and so many documents reranked."""
    settings = replace(engine.settings, alpha=alpha, rerank_depth=rerank_depth, passages_per_hit=1)
    hits = engine.search(question.query, k=DEEP, settings=settings).hits
    rank = next((hit.rank for hit in hits if hit.doc_id == question.answer), None)
    return Standing(rank, hits[0].doc_id if hits else "nothing")


def show(engine: SearchEngine, screen: Screen) -> Iterator[str]:
    """Yield the lines of the tour."""
    alpha, depth = engine.settings.alpha, engine.settings.rerank_depth
    ways = [("words alone (BM25)", 0.0, 0), ("meaning alone (vectors)", 1.0, 0), ("both", alpha, 0)]
    if depth:
        ways.append(("both, reranked", alpha, depth))
    for number, question in enumerate(QUESTIONS, 1):
        yield ""
        yield screen.style(f"{number}. {question.query}", "bold")
        yield from screen.wrap([(question.shows, False)], "   ")
        yield ""
        yield cut(f"   {question.answer:<24}  stands        first is", screen.width)
        for label, weight, reranked in ways:
            found = standing(engine, question, weight, reranked)
            place = ordinal(found.rank) if found.rank else "not found"
            line = cut(f"   by {label:<23}  {place:<11}   {found.first}", screen.width)
            yield screen.style(line, "red") if found.rank is None or found.rank > PAGE else line
        yield ""
        settings = replace(engine.settings, passages_per_hit=1)
        hits = engine.search(question.query, k=PAGE, explain=True, settings=settings).hits
        for hit in hits:
            if hit.doc_id == question.answer:
                yield from hit_lines(hit, screen, explain=True)
    yield ""
