"""One word, asked by two readers: each has the list that what they read before makes of it, and is told why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from quire.results import account_lines, ordinal
from quire.terminal import Screen, cut

if TYPE_CHECKING:
    from engine import Event, Hit, SearchEngine

QUERY = "header"
SHOWN = 5
PAGE = 10


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone who read a few documents.

    Args:
        name: The user_id.
        about: Who that is.
        read: The ids of what they read.
    """

    name: str
    about: str
    read: tuple[str, ...]


READERS = (
    Reader(
        "ann",
        "fetches pages from the web",
        (
            "library/http.client.md",
            "library/urllib.request.md",
            "library/http.cookies.md",
            "library/html.parser.md",
        ),
    ),
    Reader(
        "bob",
        "packs and unpacks files",
        ("library/zipfile.md", "library/gzip.md", "library/struct.md", "library/wave.md"),
    ),
)


def events() -> Iterator[Event]:
    """Yield what the readers did; the same at every run, so that it counts once."""
    from engine import Event

    for reader in READERS:
        for doc_id in reader.read:
            yield Event(reader.name, doc_id, "read", event_id=f"demo {reader.name} {doc_id}")


def first_page(engine: SearchEngine, user_id: str | None) -> tuple[Hit, ...]:
    """Return the first page of the demonstration's query for a reader, or for nobody in particular."""
    from engine import Query

    settings = replace(engine.settings, passages_per_hit=1)
    return engine.search(Query(QUERY, user_id=user_id), k=PAGE, settings=settings).hits


def most_risen(hits: tuple[Hit, ...]) -> Hit:
    """Return the hit that stands furthest above its place without the reader; of equals the first."""

    def risen(hit: Hit) -> int:
        return (hit.ledger.anonymous_rank or 1000) - hit.rank

    return max(hits, key=risen)


def show_readers(engine: SearchEngine, number: int, screen: Screen) -> Iterator[str]:
    """Record what the readers did, and yield the lines of their lists."""
    engine.record(events())
    yield screen.style(f"{number}. {QUERY}, asked by two readers", "bold")
    said = "; ".join(
        f"{reader.name}, who {reader.about}, read {', '.join(map(_short, reader.read))}" for reader in READERS
    )
    yield from screen.wrap([(f"{said}.", False)], "   ")
    yield ""
    pages = {None: first_page(engine, None)} | {
        reader.name: first_page(engine, reader.name) for reader in READERS
    }
    width = max(len(_short(hit.doc_id)) for hits in pages.values() for hit in hits[:SHOWN]) + 2
    head = "".join(f"{label:<{width}}" for label in ("nobody", *(reader.name for reader in READERS)))
    yield screen.style(cut(f"        {head}".rstrip(), screen.width), "dim")
    for rank in range(SHOWN):
        cells = "".join(
            f"{_short(hits[rank].doc_id) if rank < len(hits) else '':<{width}}" for hits in pages.values()
        )
        yield cut(f"   {ordinal(rank + 1):<5}{cells}".rstrip(), screen.width)
    yield ""
    for reader in READERS:
        hit = most_risen(pages[reader.name][:SHOWN])
        line = f"   for {reader.name} {_short(hit.doc_id)} is {ordinal(hit.rank)}"
        yield screen.style(cut(line, screen.width), "bold")
        yield from account_lines(hit, screen)
    yield ""


def _short(doc_id: str) -> str:
    return doc_id.rpartition("/")[2].removesuffix(".md")
