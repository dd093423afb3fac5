"""A real Chromium on a real service over a real index of a small library (`corpus`).

    def test_it(page: Page, site: Site) -> None:
        page.goto(site.url)

`page` reads English, at a desktop, with JavaScript; `plain_page` has no JavaScript; `browse(...)` opens any other:
Chinese, narrow, dark, or a reader's. Nothing waits for a time: Playwright's `expect` waits for what is to be seen.
A test fails when a page breaks its Content-Security-Policy or writes an error to the console; what a test means to go
wrong it names with `site.complaints.expect("a part of the message")`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest
from live_service import Site, serve

from .complaints import Complaints
from .corpus import corpus

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from indexer.encoding import Encoder

REQUIRED = "QUIRE_TEST_BROWSER_REQUIRED"
TIMEOUT = 10_000
"""Milliseconds that something may take to be seen. Nothing takes it: it is where a test has failed."""

VIEWS = {"desktop": (1280, 900), "narrow": (320, 640)}


class Browse(Protocol):
    """Opens a page of one's own: `browse(lang="zh", view="narrow", dark=True, scripts=False, reader="ada")`."""

    def __call__(
        self,
        *,
        lang: str = "en",
        view: str = "desktop",
        dark: bool = False,
        scripts: bool = True,
        reader: str = "",
        still: bool = True,
        policy: bool = True,
        at: Site | None = None,
    ) -> Page:
        """Return a page of a browser that nobody has used before.

        Args:
            lang: What it says that its reader reads.
            view: `desktop` or `narrow`, as in VIEWS.
            dark: Whether its reader likes dark colours.
            scripts: Whether it runs JavaScript.
            reader: Who has entered with a token of theirs; empty for nobody.
            still: Whether its reader likes no motion.
            policy: Whether it minds the Content-Security-Policy; without, escaping alone has to hold.
            at: Where; `site` where None.
        """
        ...


def _missing() -> str:
    if importlib.util.find_spec("playwright") is None:
        return "the package playwright is not installed"
    if shutil.which("chromium") is None:
        return "there is no chromium on the PATH"
    return ""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Of one module, since Playwright keeps an event loop in this thread as long as it lives."""
    missing = _missing()
    if missing and os.environ.get(REQUIRED):
        pytest.fail(f"{missing}, and {REQUIRED} is set")
    if missing:
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])],
        )
        yield chromium
        chromium.close()


class Library(NamedTuple):
    """An index, and the encoder that it was made with."""

    index: Path
    encoder: Encoder


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The index of the library, made once; only to be read, and copied where it is to be written."""
    from indexer import create_index, index_corpus, load_encoder
    from indexer.errors import ModelError

    folder = tmp_path_factory.mktemp("library")
    try:
        encoder = load_encoder(offline=True)
    except ModelError as error:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{error}, and {REQUIRED} is set")
        pytest.skip(str(error))
    with create_index(folder / "index", encoder=encoder) as index:
        report = index_corpus(index, corpus(folder / "documents"))
    assert not report.failures
    return Library(folder / "index", encoder)


@pytest.fixture(scope="session")
def make_site(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Start a service over the library: `make_site(box="token", threads=1)`, as for [service]."""
    sites: list[Site] = []

    def make(**values: object) -> Site:
        folder = tmp_path_factory.mktemp("site")
        shutil.copytree(library.index, folder / "index")
        generous = {"rate_per_minute": 10_000_000, "burst": 1_000_000, "log": "text"}
        sites.append(serve(folder / "index", library.encoder, **generous | values))
        return sites[-1]

    yield make
    for one in sites:
        one.stop()


@pytest.fixture(scope="session")
def site(make_site: Callable[..., Site]) -> Site:
    """The service that most tests share; each reader's name in it is to be of one test alone (`Site.reader`)."""
    return make_site()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """What pages complain of; the test fails where that was not expected."""
    heard = Complaints()
    yield heard
    assert not heard.unexpected, "\n".join(heard.unexpected)


@pytest.fixture
def browse(browser: Browser, site: Site, complaints: Complaints) -> Iterator[Browse]:
    """Opens pages, each in a browser context of its own; closes them after the test."""
    contexts = []

    def open_page(
        *,
        lang: str = "en",
        view: str = "desktop",
        dark: bool = False,
        scripts: bool = True,
        reader: str = "",
        still: bool = True,
        policy: bool = True,
        at: Site | None = None,
    ) -> Page:
        width, height = VIEWS[view]
        where = at or site
        context = browser.new_context(
            base_url=where.url,
            locale={"en": "en-GB", "zh": "zh-CN"}[lang],
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
            java_script_enabled=scripts,
            bypass_csp=not policy,
            timezone_id="UTC",
        )
        contexts.append(context)
        context.set_default_timeout(TIMEOUT)
        page = context.new_page()
        complaints.listen(page)
        if reader:
            page.goto(f"/enter?token={where.token(reader)}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(browse: Browse) -> Page:
    """A page in English, at a desktop, with JavaScript."""
    return browse()


@pytest.fixture
def plain_page(browse: Browse) -> Page:
    """The same without JavaScript."""
    return browse(scripts=False)


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> str:
    """The name of a reader whom no other test knows."""
    return re.sub(r"\W+", "-", request.node.nodeid.rsplit("/", 1)[-1])[-120:]


@pytest.fixture(autouse=True)
def _seen_in_time(browser: Browser) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=TIMEOUT)
