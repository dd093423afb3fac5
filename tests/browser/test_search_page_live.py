"""What JavaScript adds: results as one types, in two beats, suggestions, keys, history, and what is said of delays."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.reranking import QueryReranker
from reranker.overlap import OverlapScorer
from reranker.pairs import PassageText
from reranker.scorer import Scores

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page, Route

    from .complaints import Complaints
    from .conftest import Browse

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


class Contrary(OverlapScorer):
    """A cross-encoder that waits until it may, and then finds every text better than the one before it."""

    def __init__(self) -> None:
        super().__init__()
        self.may = threading.Event()

    def score(self, query: str, passages: Sequence[str | PassageText]) -> Scores:
        """Return scores that grow along the list."""
        self.may.wait(30)
        return np.arange(len(passages), dtype=np.float32)


def type_slowly(page: Page, text: str) -> None:
    page.locator("#q").press_sequentially(text, delay=15)


def titles(page: Page) -> list[str]:
    return page.locator(".title").all_inner_texts()


def length(page: Page) -> int:
    return int(page.evaluate("history.length"))


def test_results_come_as_one_types(page: Page) -> None:
    page.goto("/")
    before = length(page)
    type_slowly(page, "fresnel lens")
    expect(page.locator(".hit").first).to_contain_text("Lighthouse")
    expect(page.locator("body")).to_have_class("found")
    expect(page).to_have_url(re.compile(r"\?q=fresnel\+lens$"))
    assert length(page) == before + 1
    page.locator("#q").press("End")
    type_slowly(page, " scratched")
    expect(page).to_have_url(re.compile(r"scratched$"))
    assert length(page) == before + 1
    page.go_back()
    expect(page.locator(".holds")).to_be_visible()
    expect(page.locator("body")).to_have_class("home")


def test_the_way_back_leads_to_the_search_before(page: Page) -> None:
    page.goto("/?q=pump")
    expect(page.locator(".hit").first).to_be_visible()
    page.locator("#q").fill("fresnel lens")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("fresnel"))
    expect(page.locator(".hit").first).to_contain_text("Lighthouse")
    page.locator("#q").fill("espresso grind")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("espresso"))
    page.go_back()
    expect(page.locator("#q")).to_have_value("fresnel lens")
    expect(page.locator(".hit").first).to_contain_text("Lighthouse")
    page.go_back()
    expect(page.locator("#q")).to_have_value("pump")
    page.go_forward()
    expect(page.locator("#q")).to_have_value("fresnel lens")


def test_the_answer_to_an_older_query_never_covers_a_newer_one(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "q=pump" in route.request.url and "fresnel" not in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page.route("**/results*", hold)
    page.goto("/")
    page.locator("#q").fill("pump")
    page.wait_for_timeout(0)
    expect(page).to_have_url(re.compile("q=pump"))
    page.locator("#q").fill("fresnel lens")
    expect(page.locator(".hit").first).to_contain_text("Lighthouse")
    for route in held:
        route.abort() if page.is_closed() else route.continue_()
    expect(page.locator("#q")).to_have_value("fresnel lens")
    expect(page.locator(".hit").first).to_contain_text("Lighthouse")


def test_suggestions_are_a_combobox(page: Page) -> None:
    page.goto("/")
    field = page.get_by_role("combobox", name="Search these documents")
    expect(field).to_have_attribute("aria-expanded", "false")
    type_slowly(page, "light")
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(options.first.get_attribute("id")))
    page.keyboard.press("ArrowUp")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    chosen = str(options.last.get_attribute("data-text"))
    page.keyboard.press("Enter")
    expect(field).to_have_value(chosen)
    expect(options).to_have_count(0)
    expect(page.locator(".hit").first).to_be_visible()
    field.fill("")
    type_slowly(page, "lig")
    expect(options.first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).not_to_be_visible()
    expect(field).to_have_value("lig")
    page.keyboard.press("Escape")
    expect(field).to_have_value("")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.goto("/?q=pump")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    links = page.locator("a[data-hit]")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(links.nth(2)).to_be_focused()
    page.keyboard.press("End")
    expect(links.last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/document"))


def test_the_count_is_read_out(page: Page) -> None:
    page.goto("/")
    type_slowly(page, "fresnel lens")
    expect(page.get_by_role("status").filter(has_text="found for “fresnel lens”")).to_have_count(1)


def test_open_folds_and_ticks_stay_while_filters_change(page: Page) -> None:
    page.goto("/?q=pump station inspection")
    hit = page.locator(".hit").first
    key = str(hit.get_attribute("data-key"))
    hit.locator(".account summary").click()
    hit.get_by_role("checkbox").check()
    page.locator(".choice", has_text="reports").click()
    expect(page.locator(".chip")).to_be_visible()
    same = page.locator(f".hit[data-key='{key}']")
    expect(same.locator(".account")).to_have_attribute("open", "")
    expect(same.get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_role("button", name="Summarise the chosen")).to_be_visible()


def test_a_passage_unfolds_in_place(page: Page) -> None:
    page.goto("/?q=fresnel lens")
    hit = page.locator(".hit", has_text="Lighthouse").first
    hit.get_by_role("link", name="Show more").first.click()
    expect(hit.locator(".unfolded")).to_contain_text("feather brush")
    expect(page).to_have_url(re.compile(r"/\?q="))


def test_rating_and_hiding_happen_in_place(browse: Browse, reader: str) -> None:
    page = browse(reader=reader)
    page.goto("/?q=fresnel lens")
    hit = page.locator(".hit").first
    key = str(hit.get_attribute("data-key"))
    like = hit.get_by_role("button", name="Useful: more of this", exact=True)
    like.click()
    expect(like).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"/\?q=fresnel"))
    page.reload()
    same = page.locator(f".hit[data-key='{key}']")
    like = same.get_by_role("button", name="Useful: more of this", exact=True)
    expect(like).to_have_attribute("aria-pressed", "true")
    like.click()
    expect(like).to_have_attribute("aria-pressed", "false")
    same.get_by_role("button", name="Hide this document").click()
    expect(same.locator(".title")).not_to_be_visible()
    same.get_by_role("button").click()
    expect(same.locator(".title")).to_be_visible()


def test_the_slider_reorders_the_list_while_it_moves(browse: Browse, site: Site, reader: str) -> None:
    from engine import Event

    site.service.engines.of("default").record([Event(reader, f"report-{n:02}", "like") for n in (1, 5, 9)])
    page = browse(reader=reader)
    page.goto("/?q=pump")
    before = titles(page)
    slider = page.get_by_role("slider", name="Interests")
    slider.focus()
    page.keyboard.press("End")
    expect(page).to_have_url(re.compile("strength=3"))
    expect(page.locator(".moved").first).to_be_visible()
    expect(slider).to_be_focused()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("strength=0"))
    expect(page.locator(".moved")).to_have_count(0)
    assert before
    page.get_by_role("link", name="Personal off").click()
    expect(slider).to_have_count(0)
    expect(page).to_have_url(re.compile("personal=off"))


@pytest.fixture(scope="module")
def reranking_site(make_site: Callable[..., Site]) -> tuple[Site, Contrary]:
    """A site with a second stage."""
    site = make_site(threads=4)
    scorer = Contrary()
    engine = site.service.engines.of("default")
    engine.settings = replace(engine.settings, reranker="contrary", rerank_weight=100.0)
    engine._reranker = QueryReranker(scorer)
    return site, scorer


@pytest.fixture
def contrary(reranking_site: tuple[Site, Contrary]) -> Iterator[tuple[Site, Contrary]]:
    """The site, and its second stage, which comes when it is told to."""
    site, scorer = reranking_site
    scorer.may.clear()
    yield site, scorer
    scorer.may.set()


@pytest.fixture(scope="module")
def small_site(make_site: Callable[..., Site]) -> Site:
    """A site that does one thing at a time."""
    return make_site(threads=1)


def test_the_second_beat_reorders_what_nobody_is_busy_with(
    browse: Browse, contrary: tuple[Site, Contrary]
) -> None:
    site, scorer = contrary
    page = browse(at=site)
    page.goto("/")
    page.locator("#q").fill("pump")
    expect(page.locator("[data-beat=first] .hit").first).to_be_visible()
    first = titles(page)
    scorer.may.set()
    expect(page.locator("[data-beat=final]")).to_be_visible()
    assert titles(page) != first
    expect(page.locator(".better")).to_have_count(0)


@pytest.mark.parametrize("how", ["pointer", "focus", "scroll"])
def test_the_second_beat_never_moves_what_somebody_is_busy_with(
    browse: Browse, contrary: tuple[Site, Contrary], how: str
) -> None:
    site, scorer = contrary
    page = browse(at=site)
    page.goto("/")
    page.locator("#q").fill("pump")
    expect(page.locator("[data-beat=first] .hit").first).to_be_visible()
    first = titles(page)
    page.keyboard.press("Escape")
    if how == "pointer":
        page.locator(".hit").nth(1).hover()
    elif how == "focus":
        page.keyboard.press("ArrowDown")
    else:
        page.mouse.move(5, 5)
        page.evaluate("scrollTo(0, 200)")
    scorer.may.set()
    button = page.get_by_role("button", name="A better order is ready")
    expect(button).to_be_visible()
    assert titles(page) == first
    button.click()
    expect(page.locator("[data-beat=final]")).to_be_visible()
    assert titles(page) != first
    expect(button).to_have_count(0)


def test_an_order_that_was_right_only_gets_its_scores(
    browse: Browse, contrary: tuple[Site, Contrary]
) -> None:
    site, scorer = contrary
    page = browse(at=site)
    page.goto("/")
    page.locator("#q").fill('+"fresnel lens"')
    expect(page.locator("[data-beat=first] .hit")).to_have_count(1)
    page.locator(".hit").hover()
    scorer.may.set()
    expect(page.locator("[data-beat=final] .s-rerank").first).to_be_attached()
    expect(page.locator(".better")).to_have_count(0)


def test_waiting_shows_itself_and_then_says_so(browse: Browse, small_site: Site) -> None:
    page = browse(at=small_site)
    page.goto("/?q=lamp")
    expect(page.locator(".hit").first).to_be_visible()
    with small_site.busy() as free:
        page.locator("#q").fill("pump")
        expect(page.locator("#answer.waiting")).to_be_visible()
        expect(page.get_by_text("Still searching")).to_be_visible()
        free.set()
    expect(page.locator(".hit").first).to_contain_text("Pump report")
    expect(page.locator("#answer.waiting")).to_have_count(0)
    expect(page.get_by_text("Still searching")).to_have_count(0)


def test_the_outline_of_results_stands_where_there_are_none_yet(browse: Browse, small_site: Site) -> None:
    page = browse(at=small_site)
    page.goto("/")
    expect(page.locator(".holds")).to_be_visible()
    with small_site.busy():
        page.locator("#q").fill("pump")
        expect(page.locator(".outline")).to_be_visible()
        expect(page.locator(".holds")).not_to_be_visible()
    expect(page.locator(".hit").first).to_contain_text("Pump report")
    expect(page.locator(".outline")).to_have_count(0)


def test_too_many_is_said_kindly_and_can_be_tried_again(
    browse: Browse, make_site: Callable[..., Site], complaints: Complaints
) -> None:
    complaints.expect("503")
    site = make_site(threads=1, queue=0)
    page = browse(at=site)
    page.goto("/?q=lamp")
    with site.busy():
        page.locator("#q").fill("pump")
        expect(page.get_by_role("heading", name="Too many people are searching just now")).to_be_visible()
    page.get_by_role("link", name="Try again").click()
    expect(page.locator(".hit").first).to_contain_text("Pump report")


def test_offline_keeps_what_is_there_and_goes_on_by_itself(page: Page, complaints: Complaints) -> None:
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    page.goto("/?q=lamp")
    before = titles(page)
    page.context.set_offline(True)
    expect(page.locator(".outage")).to_contain_text("You are offline")
    page.locator("#q").fill("pump")
    expect(page).to_have_url(re.compile("q=pump"))
    expect(page.locator(".outage")).to_be_visible()
    assert titles(page) == before
    page.context.set_offline(False)
    expect(page.locator(".hit").first).to_contain_text("Pump report")
    expect(page.locator(".outage")).to_have_count(0)


def test_a_service_that_is_gone_is_said(page: Page, complaints: Complaints) -> None:
    complaints.expect("ERR_CONNECTION_REFUSED")
    page.goto("/?q=lamp")
    page.route("**/results*", lambda route: route.abort("connectionrefused"))
    page.locator("#q").fill("pump")
    expect(page.locator(".outage")).to_contain_text("could not be reached")
    page.unroute("**/results*")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".hit").first).to_contain_text("Pump report")
    expect(page.locator(".outage")).to_have_count(0)


def test_half_a_chinese_word_is_not_searched_for(browse: Browse) -> None:
    page = browse(lang="zh")
    page.goto("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#q").evaluate(
        """field => {
            field.focus();
            field.dispatchEvent(new CompositionEvent("compositionstart"));
            field.value = "cha";
            field.dispatchEvent(new InputEvent("input", {isComposing: true}));
            field.value = "茶";
            field.dispatchEvent(new CompositionEvent("compositionend", {data: "茶"}));
        }"""
    )
    expect(page.locator(".hit").first).to_contain_text("茶")
    assert not [url for url in asked if "q=cha" in url]
