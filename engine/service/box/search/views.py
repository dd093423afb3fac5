"""The plain values that the templates of the search page read. Everything in them that is a `str` is text or a URL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from engine.service.box.page.marks import Run
from engine.service.box.page.shares import Bar
from engine.service.box.urls.asked import Asked
from engine.service.box.words.told import Told


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage of a hit: its marked text, the headings above it, its page, and where it opens and unfolds."""

    runs: tuple[Run, ...]
    cut_before: bool
    cut_after: bool
    crumbs: tuple[str, ...]
    page: int | None
    language: str
    href: str
    unfold: str


@dataclass(frozen=True, slots=True)
class TermView:
    """A term of the ledger: its name, what it adds, its share in percent, and how it came about."""

    name: str
    value: float
    percent: int
    detail: Told


@dataclass(frozen=True, slots=True)
class HitView:
    """A document that was found. `moved` is by how many places interests brought it up (below 0: down)."""

    rank: int
    doc_id: str
    title: str
    named: bool
    language: str
    href: str
    by: str
    dated: date | None
    source: str
    passages: tuple[PassageView, ...]
    bar: Bar
    terms: tuple[TermView, ...]
    score: float
    moved: int
    because: tuple[str, ...]
    why: str
    similar: str
    opinion: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things to choose: a value of a facet, an order, a page, a filter to take away."""

    label: str
    href: str
    chosen: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class FacetView:
    """A metadata field with its most frequent values; those of `more` are behind a fold."""

    label: str
    choices: tuple[Choice, ...]
    more: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who the page thinks is reading, and what that does to the list."""

    name: str
    guest: bool
    known: bool
    may_be_guest: bool
    personal: bool
    strength: float
    switch: str


@dataclass(frozen=True, slots=True)
class Pager:
    """The pages of a list; an empty `href` stands for a gap."""

    pages: tuple[Choice, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ResultsView:
    """A list of hits and what is around it."""

    asked: Asked
    beat: str
    hits: tuple[HitView, ...]
    found: int
    first: int
    last: int
    seconds: float
    reranked: int
    degraded: tuple[Told, ...]
    notices: tuple[Told, ...]
    meant: tuple[Choice, ...]
    facets: tuple[FacetView, ...]
    chips: tuple[Choice, ...]
    orders: tuple[Choice, ...]
    pager: Pager | None
    dates: bool
    reader: Reader
    why_not: str
    legend: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggested:
    """A document that is put before the reader without a query, and why."""

    title: str
    named: bool
    href: str
    reason: str
    language: str


@dataclass(frozen=True, slots=True)
class HomeView:
    """The page without a query. `shared` is the reason of all suggested documents, empty where they differ."""

    asked: Asked
    reader: Reader
    documents: int
    passages: int
    languages: tuple[str, ...]
    examples: tuple[Choice, ...]
    suggested: tuple[Suggested, ...]
    kind: str
    shared: str = ""
    condition: str = ""
    notices: tuple[str, ...] = field(default=())
