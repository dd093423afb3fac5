"""How the search page looks where `test_accessibility` does not look: unfolded, while typing, wide, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import Browse

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
expect = playwright.expect

RESULTS = "/?q=lighthouse+lamp"
NARROWED = "/?q=pump&f.topic=reports&from=2016-01-01&sort=-date"


def serious(page: Page) -> list[str]:
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in axe.Axe().run(page).response["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_where_all_is_unfolded(browse: Browse, dark: bool) -> None:
    page = browse(dark=dark)
    page.goto(RESULTS)
    for summary in page.locator("#answer details:not(.fold) > summary").all()[:6]:
        summary.click()
    page.get_by_role("link", name="Show more").first.click()
    expect(page.locator(".unfolded")).to_be_visible()
    assert serious(page) == []


def test_axe_finds_nothing_with_a_list_of_suggestions(page: Page) -> None:
    page.goto("/")
    page.locator("#q").press_sequentially("light")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".hit").first).to_be_visible()
    assert serious(page) == []


def test_axe_finds_nothing_on_a_readers_narrow_page(browse: Browse, reader: str) -> None:
    page = browse(reader=reader, view="narrow")
    page.goto(NARROWED)
    page.locator(".fold > summary").click()
    expect(page.get_by_label("From")).to_be_visible()
    assert serious(page) == []


@pytest.mark.parametrize("width", [320, 768, 3840])
def test_nothing_that_unfolds_is_wider_than_the_window(browse: Browse, width: int) -> None:
    page = browse()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(NARROWED)
    for summary in page.locator("#answer details > summary:visible").all()[:6]:
        summary.click()
    over = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((one) => !one.closest(".vh, .skip, svg"))
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
            .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert over == []


def test_lines_are_not_too_long_to_read(browse: Browse) -> None:
    page = browse()
    page.set_viewport_size({"width": 3840, "height": 2160})
    page.goto(RESULTS)
    width = page.locator(".said").first.evaluate(
        """said => said.getBoundingClientRect().width / parseFloat(getComputedStyle(said).fontSize)"""
    )
    assert width <= 45


def test_focus_is_seen(page: Page) -> None:
    page.goto(RESULTS)
    unseen = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden])")]
            .filter((one) => one.checkVisibility() && one.id !== "q")
            .filter((one) => {
                one.focus({focusVisible: true});
                return document.activeElement === one && getComputedStyle(one).outlineStyle === "none";
            })
            .map((one) => one.outerHTML.slice(0, 100))"""
    )
    assert unseen == []


def test_on_paper_there_are_the_results_alone(page: Page) -> None:
    page.goto(RESULTS)
    page.emulate_media(media="print")
    expect(page.locator(".said").first).to_be_visible()
    for selector in (".filters", ".acts >> nth=0", "#ask", ".pages"):
        expect(page.locator(selector)).not_to_be_visible()


@pytest.mark.parametrize("width", [320, 700, 960, 1024, 1200, 1920])
def test_the_head_of_a_page_stays_on_its_lines(browse: Browse, width: int) -> None:
    page = browse()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/?q=pump")
    heights = page.locator(".pages a").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().height)"
    )
    assert len(heights) == 2
    assert max(heights) < 45


def test_all_pages_begin_on_one_line_from_above(browse: Browse, reader: str) -> None:
    page = browse(reader=reader)
    left = set()
    for path, what in (
        ("/?q=pump", ".list h1"),
        ("/document?id=lighthouse.md&q=lamp", ".reading-head h1"),
        ("/document?id=lighthouse.md&q=lamp", ".reading-text"),
        ("/why?id=lighthouse.md&q=lamp", "h1"),
        ("/similar?id=lighthouse.md", "h1"),
        ("/summary?id=lighthouse.md", "h1"),
        ("/you", "h1"),
    ):
        page.goto(path)
        left.add(round(page.locator(what).first.bounding_box()["x"]))
        left.add(round(page.locator(".field").bounding_box()["x"]))
    assert len(left) == 1
