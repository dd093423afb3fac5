"""How the search page looks to everybody: no fault that axe finds, no sideways scrolling, lines to read, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .complaints import Complaints
    from .conftest import Browse

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
expect = playwright.expect

STATES = {
    "empty": "/",
    "results": "/?q=lighthouse+lamp",
    "narrowed": "/?q=pump&f.topic=reports&from=2016-01-01&sort=-date",
    "nothing": "/?q=%2Bpump+%22no+such+phrase%22&f.topic=reports",
    "markup": "/?q=marmalade+procedure",
    "chinese": "/?q=茶叶&lang=zh",
    "problem": "/?q=pump&f.tpoic=x",
}


def serious(page: Page) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in found
        for node in one["nodes"]
        if one["impact"] in ("serious", "critical", "moderate")
    ]


@pytest.mark.parametrize(
    ("state", "dark"), [*((state, False) for state in STATES), ("results", True), ("problem", True)]
)
def test_axe_finds_nothing(browse: Browse, complaints: Complaints, state: str, dark: bool) -> None:
    complaints.expect("422")
    page = browse(dark=dark)
    page.goto(STATES[state])
    for summary in page.locator("#answer details:not(.fold) > summary").all()[:3]:
        summary.click()
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
    page.goto(STATES["narrowed"])
    page.locator(".fold > summary").click()
    expect(page.get_by_label("From")).to_be_visible()
    assert serious(page) == []


@pytest.mark.parametrize(
    ("state", "width"), [*((state, 320) for state in STATES), ("narrowed", 768), ("narrowed", 3840)]
)
def test_nothing_scrolls_sideways(browse: Browse, complaints: Complaints, state: str, width: int) -> None:
    complaints.expect("422")
    page = browse()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(STATES[state])
    for summary in page.locator("#answer details > summary:visible").all()[:4]:
        summary.click()
    over = page.evaluate(
        """() => [...document.querySelectorAll("body *:not(.vh, .skip)")]
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".vh, .skip, svg"))
            .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert over == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_lines_are_not_too_long_to_read(browse: Browse) -> None:
    page = browse()
    page.set_viewport_size({"width": 3840, "height": 2160})
    page.goto(STATES["results"])
    width = page.locator(".said").first.evaluate(
        """said => said.getBoundingClientRect().width / parseFloat(getComputedStyle(said).fontSize)"""
    )
    assert width <= 45


def test_focus_is_seen(page: Page) -> None:
    page.goto(STATES["results"])
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
    page.goto(STATES["results"])
    page.emulate_media(media="print")
    expect(page.locator(".said").first).to_be_visible()
    for selector in (".filters", ".acts >> nth=0", "#ask", ".pages"):
        expect(page.locator(selector)).not_to_be_visible()
