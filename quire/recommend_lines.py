"""Recommendations, and what was learnt of readers, as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.recommendations import in_words
from quire.progress import plural
from quire.terminal import Screen, cells, cut, harmless

if TYPE_CHECKING:
    from engine.personal.learning import Learnt
    from engine.recommendations import Recommendation, Recommendations

INDENT = "    "
SHOWN = 2  # reasons of a document


def recommendation_lines(found: Recommendations, screen: Screen) -> Iterator[str]:
    """Yield the lines of a list: notices, documents with their reasons, and what share each interest has."""
    for notice in found.notices:
        yield from screen.wrap([(notice, False)], "  ", "! ")
    if found.notices:
        yield ""
    if not found.items:
        yield "Nothing to recommend."
        return
    for item in found.items:
        yield from _item(item, screen)
        yield ""
    if len(found.shares) > 1:
        titles = {one.doc_id: one.title for item in found.items for one in item.because if one.title}
        parts = [f"{count:,} by {_name(titles.get(name) or name)}" for name, count in found.shares.items()]
        yield from (screen.style(line, "dim") for line in screen.wrap([(", ".join(parts), False)]))


def _item(item: Recommendation, screen: Screen) -> Iterator[str]:
    number, score = f"{item.rank:>2}. ", f"{item.score:.3f}" if item.origin == "interests" else ""
    room = screen.width - cells(number) - cells(score) - 2
    title = cut(harmless(" ".join((item.title or item.doc_id).split())), room)
    gap = " " * (room - cells(title) + 2) if score else ""
    yield number + screen.style(title, "bold") + gap + screen.style(score, "green")
    if item.title and item.title != item.doc_id:
        yield INDENT + screen.style(cut(harmless(item.doc_id), screen.width - 4), "cyan")
    if item.origin != "interests":
        yield from (screen.style(line, "dim") for line in screen.wrap([(item.reason, False)], INDENT))
    for one in item.because[:SHOWN]:
        why = harmless(in_words(one, max(20, screen.width - 52)))
        yield from (screen.style(text, "dim") for text in screen.wrap([(why, False)], INDENT + "  ", INDENT))


def _name(text: str) -> str:
    return f"“{cut(harmless(' '.join(text.split())), 60)}”"


def learnt_lines(done: Learnt, screen: Screen) -> Iterator[str]:
    """Yield what was learnt, from whom, and how long it took."""
    if not done.reads:
        yield from screen.wrap([("No reader has read anything yet, so there is nothing to learn.", False)])
        return
    text = (
        f"Learnt from {plural(done.readers, 'reader')}, who read {plural(done.documents, 'document')} "
        f"({plural(done.reads, 'time')} in all): {done.with_neighbours:,} of these "
        f"{'was' if done.with_neighbours == 1 else 'were'} read together with others."
    )
    yield from screen.wrap([(text, False)])
    if done.floods:
        left = f"{plural(done.floods, 'reader')} left out, with more events than a person makes."
        yield from screen.wrap([(left, False)], "  ", "! ")
    if done.settings.least > 1:
        yield from screen.wrap(
            [(f"A pair counts from {done.settings.least:,} common readers on.", False)], "  ", ""
        )
    went = f"{plural(done.refreshed, 'document')} gone over, in {done.seconds:.1f} s."
    yield from (screen.style(line, "dim") for line in screen.wrap([(went, False)]))
