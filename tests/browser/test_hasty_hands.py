"""What a quick reader does: pressing twice, going back and forth, answers that come in another order than was asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .corpus import BEES, ESPRESSO, LIGHTHOUSE

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page, Route

    from .complaints import Complaints
    from .conftest import Browse

expect = pytest.importorskip("playwright.sync_api").expect

USEFUL = "Useful: more of this"


def asked_of(page: Page, path: str) -> list[str]:
    """Return a list that grows by the address of each request for a path."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url) if path in request.url else None)
    return urls


def test_a_thumb_pressed_twice_is_pressed_once(browse: Browse, site: Site, reader: str) -> None:
    page = browse(reader=reader)
    page.goto("/?q=fresnel lens")
    sent = asked_of(page, "/feedback")
    held: list[Route] = []
    page.route("**/feedback", lambda route: held.append(route))
    thumb = page.locator(".hit").first.get_by_role("button", name=USEFUL)
    thumb.click()
    expect(page.locator(".rating[aria-busy]")).to_have_count(1)
    thumb.click()
    assert len(sent) == len(held) == 1
    held[0].continue_()
    expect(thumb).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".rating[aria-busy]")).to_have_count(0)
    engine = site.service.engines.of("default")
    assert [event["kind"] for event in engine.readers.export(reader)["events"]] == ["like"]


def test_who_has_become_a_guest_is_no_longer_called_nobody(page: Page) -> None:
    page.goto("/?q=fresnel lens")
    expect(page.locator(".reader")).to_contain_text("Nothing is kept about you")
    page.locator(".hit").first.get_by_role("button", name=USEFUL).click()
    expect(page.locator(".reader")).to_contain_text("For a guest in this browser")
    expect(page.locator(".hit .noted")).to_contain_text("made-up name")
    expect(page.locator("#live")).to_contain_text("made-up name")


def test_what_was_rated_elsewhere_shows_after_the_way_back(browse: Browse, reader: str) -> None:
    page = browse(reader=reader)
    page.goto("/?q=fresnel lens")
    key = page.locator(".hit").first.get_attribute("data-key")
    page.locator("a[data-hit]").first.click()
    page.locator(".reading-head").get_by_role("button", name=USEFUL).click()
    expect(page.locator(".reading-head [aria-pressed=true]")).to_have_count(1)
    page.go_back()
    thumb = page.locator(f".hit[data-key='{key}']").get_by_role("button", name=USEFUL)
    expect(thumb).to_have_attribute("aria-pressed", "true")


def test_going_to_a_place_within_the_page_searches_for_nothing(page: Page) -> None:
    page.goto("/?q=fresnel lens")
    page.locator("#q").press("End")
    asked = asked_of(page, "/results")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))
    expect(page.locator("main")).to_be_focused()
    page.go_back()
    expect(page).not_to_have_url(re.compile("#main$"))
    assert asked == []


def test_enter_that_ends_a_word_of_an_input_method_asks_for_nothing(browse: Browse) -> None:
    page = browse(lang="zh")
    page.goto(f"/document?id={LIGHTHOUSE}")
    left = page.locator("#q").evaluate(
        """field => {
            field.focus();
            field.value = "茶";
            const enter = {key: "Enter", keyCode: 229, bubbles: true, cancelable: true};
            return field.dispatchEvent(new KeyboardEvent("keydown", enter));
        }"""
    )
    assert left is False  # the browser sends no form
    page.locator("#q").evaluate(
        "field => field.dispatchEvent(new CompositionEvent('compositionend', {data: '茶'}))"
    )
    expect(page.locator("#suggestions [role=option]").first).to_be_visible()


def test_a_search_that_fails_leaves_the_empty_page_as_it_looks(page: Page, complaints: Complaints) -> None:
    complaints.expect("ERR_")
    page.goto("/")
    page.route("**/results*", lambda route: route.abort("connectionrefused"))
    page.locator("#q").press_sequentially("lamp")
    expect(page.locator(".outage")).to_be_visible()
    expect(page.locator("body")).to_have_class("home")
    expect(page.locator(".start .lead")).to_be_visible()


def known(site: Site, reader: str) -> None:
    from engine import Event

    likes = [Event(reader, one, "like") for one in (LIGHTHOUSE, ESPRESSO, BEES)]
    site.service.engines.of("default").record(likes)


def test_the_last_change_of_ones_own_page_is_what_it_shows(browse: Browse, site: Site, reader: str) -> None:
    known(site, reader)
    page = browse(reader=reader)
    page.goto("/you")
    held: list[Route] = []
    page.route("**/you/preferences", lambda route: held.append(route))
    slider = page.locator("#you-slider")
    slider.focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.wait_for_function("() => true")
    expect(page.locator("output")).to_have_text("0×")
    assert len(held) == 2
    held[1].continue_()
    expect(page.locator("#live")).to_contain_text("Kept in this browser")
    with page.expect_response("**/you/preferences"):
        held[0].continue_()
    expect(page.locator("output")).to_have_text("0×")
    expect(slider).to_be_focused()


def test_what_ones_own_page_could_not_send_is_said_where_it_was_asked_for(
    browse: Browse, site: Site, reader: str, complaints: Complaints
) -> None:
    complaints.expect("ERR_")
    known(site, reader)
    page = browse(reader=reader)
    page.goto("/you")
    page.route("**/you/mute", lambda route: route.abort("internetdisconnected"))
    page.get_by_role("button", name="Turn off").first.click()
    expect(page.get_by_role("alert")).to_contain_text("nothing has changed")
    expect(page.locator(".interest.muted")).to_have_count(0)
    assert page.url.endswith("/you")
