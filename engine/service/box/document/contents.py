"""A document's table of contents, from the headings that its passages stand under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.document_text import DocumentPassage
from engine.service.box.page.naming import LONGEST_LABEL, shortened
from engine.service.box.urls.place import Place
from indexer.protocol import StoredPassage

MANY_HEADINGS, MOST_HEADINGS = 60, 400
"""From so many headings on, only those of the section that is read are shown in full; beyond so many, none."""


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of the table of contents: where it leads, how deep it is, and whether it is where one reads."""

    text: str
    depth: int
    href: str
    here: bool


def contents(
    passages: Iterable[StoredPassage | DocumentPassage], title: str, place: Place, start: int, end: int
) -> tuple[Heading, ...]:
    """Return the headings of a document, each once, from where its passages say under which ones they stand.

    Args:
        passages: All of the document, in order.
        title: The document's, which is no heading.
        place: Where one reads.
        start: First character that is shown.
        end: One past the last.
    """
    found = _headings(passages, title.strip())
    reading = place.start if place.at is None and place.start is not None else start
    for most in (3, 2, 1):
        if len(found) <= MANY_HEADINGS:
            break
        found = _nearby(found, most - 1, reading) if most > 1 else [one for one in found if not one[0]]
    here = max((number for number, (_, _, at) in enumerate(found) if at <= reading), default=-1)
    return tuple(
        Heading(
            shortened(text, LONGEST_LABEL),
            depth,
            f"#at-{at}" if start <= at < end else replace(place, at=at).url(fragment=f"at-{at}"),
            number == here,
        )
        for number, (depth, text, at) in enumerate(found[:MOST_HEADINGS])
    )


def _headings(passages: Iterable[StoredPassage | DocumentPassage], title: str) -> list[tuple[int, str, int]]:
    """Return each heading with how deep it is, from 0 to 2, and the first passage under it."""
    found: list[tuple[int, str, int]] = []
    seen: set[tuple[str, ...]] = set()
    rooted = False
    for one in passages:
        passage = one.passage if isinstance(one, StoredPassage) else one
        titled = passage.headings[:1] == (title,)
        rooted = rooted or titled
        path = passage.headings[1:] if titled else passage.headings
        under = max(0, 3 - len(path)) if rooted and not titled else 0  # a path that was too long begins later
        for depth in range(min(3, len(path))):
            if path[: depth + 1] not in seen:
                seen.add(path[: depth + 1])
                found.append((under + depth, path[depth], passage.start))
    return found


def _nearby(found: list[tuple[int, str, int]], depth: int, reading: int) -> list[tuple[int, str, int]]:
    """Return headings without those of this depth and below, but for those of the section that is read."""
    sections = [number for number, one in enumerate(found) if one[0] < depth]
    before = [number for number in sections if found[number][2] <= reading]
    low = before[-1] if before else -1
    high = next((number for number in sections if number > low), len(found))
    return [one for number, one in enumerate(found) if one[0] < depth or low < number < high]
