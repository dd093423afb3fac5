"""Every page in every state, for whoever reads it: axe-core finds nothing, and nothing is wider than the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from .axe import violations
from .corpus import BEES, ESPRESSO, HOSTILE, LIGHTHOUSE, LONG, PAGED, TEA

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page

    from .complaints import Complaints
    from .conftest import Browse

pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python")


def at(path: str, **parameters: object) -> str:
    return f"{path}?{urlencode(parameters, doseq=True)}"


PAGES = {
    "home": "/",
    "results": at("/", q="pump"),
    "results, filtered and sorted": at(
        "/", q="pump", **{"f.topic": "reports", "from": "2018-01-01", "sort": "-date"}
    ),
    "results, third page": at("/", q="pump", page=3),
    "results in Chinese": at("/", q="茶叶 采摘"),
    "a question": at("/", q="how do I clean the lens of the lamp"),
    "hostile results": at("/", q="marmalade"),
    "a spelling mistake": at("/", q="lighthuose"),
    "nothing found": at("/", q="+zyzzyva"),
    "nothing found with filters": at("/", q="+zyzzyva", **{"f.topic": "coast"}),
    "what cannot be understood": at("/", q="a", sort="nothing"),
    "a document": at("/document", id=LIGHTHOUSE, q="lamp", start=900, end=1100),
    "a long document": at("/document", id=LONG, start=60_000, end=60_100),
    "a document with pages": at("/document", id=PAGED),
    "a document in Chinese": at("/document", id=TEA, q="杀青"),
    "a hostile document": at("/document", id=HOSTILE, q="marmalade"),
    "no such document": at("/document", id="absent"),
    "why": at("/why", q="clean the lens", id=LIGHTHOUSE),
    "why not, asked": "/why-not",
    "why not, answered": at("/why-not", q="pump", id=BEES),
    "similar": at("/similar", id=LIGHTHOUSE),
    "summary of two": at("/summary", id=[LIGHTHOUSE, ESPRESSO], q="cleaning"),
    "summary of a hostile one": at("/summary", id=[HOSTILE], q="marmalade"),
    "you, unknown": "/you",
    "erase": "/you/erase",
    "a token that is none": "/enter?token=nonsense",
    "nothing at all": "/nothing-here",
}
READERS_PAGES = {
    "home of a reader": "/",
    "results of a reader": at("/", q="weather at night"),
    "you": "/you",
    "why, with interests": at("/why", q="weather at night", id=LIGHTHOUSE),
}


@dataclass(frozen=True)
class Eyes:
    """Who looks, and on what."""

    lang: str
    view: str
    dark: bool

    def __str__(self) -> str:
        return f"{self.lang}, {self.view}, {'dark' if self.dark else 'light'}"


EYES = [Eyes("en", "narrow", False), Eyes("zh", "desktop", True)]
"""Between them: both languages, both widths, both schemes."""
every_eye = pytest.mark.parametrize("eyes", EYES, ids=str)


@pytest.fixture
def look(browse: Browse, complaints: Complaints) -> Callable[..., Page]:
    """Open pages as somebody sees them; an error page is an error to the console, too."""
    complaints.expect("Failed to load resource: the server responded with a status of 4")

    def opened(eyes: Eyes, reader: str = "") -> Page:
        return browse(lang=eyes.lang, view=eyes.view, dark=eyes.dark, reader=reader)

    return opened


def faults(page: Page) -> list[str]:
    """Return what keeps somebody out, or is cut off at the side; nothing where all is well."""
    found = violations(page)
    width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    if width > window:
        found.append(f"{width} pixels in a window of {window}")
    if not page.evaluate("document.documentElement.lang"):
        found.append("speaks no language")
    if page.locator("h1").count() != 1:
        found.append(f"has {page.locator('h1').count()} main headings")
    return found if page.title() else [*found, "has no title"]


def all_faults(page: Page, pages: dict[str, str]) -> dict[str, list[str]]:
    """Return the faults of each page that has some."""
    found = {}
    for name, address in pages.items():
        page.goto(address)
        if wrong := faults(page):
            found[name] = wrong
    return found


@every_eye
def test_every_page(look: Callable[..., Page], eyes: Eyes) -> None:
    assert all_faults(look(eyes), PAGES) == {}


@every_eye
def test_every_page_of_a_reader(site: Site, look: Callable[..., Page], eyes: Eyes, reader: str) -> None:
    from engine import Event

    engine = site.service.engines.of("default")
    kinds = {LIGHTHOUSE: "like", "mountain-weather.md": "read", BEES: "dislike"}
    engine.record([Event(reader, doc_id, kind) for doc_id, kind in kinds.items()])
    engine.readers.declare(reader, "sailing at night")
    engine.readers.mute(reader, LIGHTHOUSE)
    assert all_faults(look(eyes, reader=reader), READERS_PAGES) == {}
