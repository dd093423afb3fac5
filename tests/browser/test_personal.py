"""Who the system thinks one is, in a real browser: changed in place, or by plain forms; told, and erased."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .corpus import BEES, ESPRESSO, LIGHTHOUSE

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page

    from .complaints import Complaints
    from .conftest import Browse

expect = pytest.importorskip("playwright.sync_api").expect

both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])


def known(site: Site, reader: str) -> None:
    """Let a reader have read two documents, and wanted less of one."""
    from engine import Event

    site.service.engines.of("default").record(
        [Event(reader, LIGHTHOUSE, "like"), Event(reader, ESPRESSO), Event(reader, BEES, "dislike")]
    )


@both
def test_an_interest_is_turned_off_and_on(browse: Browse, site: Site, reader: str, scripts: bool) -> None:
    known(site, reader)
    page = browse(reader=reader, scripts=scripts)
    page.goto("/you")
    first = page.locator(".interest").first
    name = first.locator("h3").inner_text()
    first.get_by_role("button", name="Turn off").click()
    muted = page.locator(".interest.muted")
    expect(muted.locator("h3")).to_have_text(name)
    expect(muted).to_contain_text("off")
    if scripts:
        expect(muted.get_by_role("button", name="Turn on")).to_be_focused()
        expect(page.locator("#live")).to_have_text("Turned off. It no longer counts.")
    else:
        expect(page.locator(".noted")).to_contain_text("Turned off")
    muted.get_by_role("button", name="Turn on").press("Enter")
    expect(page.locator(".interest.muted")).to_have_count(0)
    assert page.url.partition("?")[0].endswith("/you")


@both
def test_a_document_is_forgotten(browse: Browse, site: Site, reader: str, scripts: bool) -> None:
    known(site, reader)
    page = browse(reader=reader, scripts=scripts)
    page.goto("/you")
    disliked = page.get_by_role("region", name="Less of these")
    expect(disliked).to_contain_text("Bee")
    disliked.get_by_role("button", name="Forget").click()
    expect(disliked).to_have_count(0)
    assert BEES not in site.service.engines.of("default").readers.history(reader).doc_ids


@both
def test_interests_in_ones_own_words(browse: Browse, site: Site, reader: str, scripts: bool) -> None:
    page = browse(reader=reader, scripts=scripts)
    page.goto("/you")
    page.get_by_label("In your own words").fill('<img src=x onerror="window.owned=1"> lamps')
    page.get_by_role("button", name="Add").click()
    declared = page.locator(".interest")
    expect(declared).to_contain_text("<img src=x")
    declared.get_by_role("button", name="Take back").click()
    expect(page.locator(".interest")).to_have_count(0)


def test_strength_is_kept_and_moves_lists(browse: Browse, site: Site, reader: str) -> None:
    known(site, reader)
    page = browse(reader=reader)
    page.goto("/you")
    slider = page.get_by_label("Strength")
    slider.focus()
    with page.expect_response(lambda answer: "/you/preferences" in answer.url):
        slider.press("End")
    expect(page.locator("output")).to_have_text("3×")
    expect(slider).to_be_focused()
    page.goto("/?q=water")
    expect(page.locator('form.strength input[name="strength"]')).to_have_value("3")
    page.goto("/you")
    with page.expect_response(lambda answer: "/you/preferences" in answer.url):
        page.get_by_label("Let my past count").uncheck()
    page.goto("/?q=water")
    expect(page.locator(".reader")).to_contain_text("do not count")


def test_a_guest_is_told_once_and_may_be_nobody_again(plain_page: Page, site: Site) -> None:
    plain_page.goto("/you")
    expect(plain_page.locator(".lead")).to_contain_text("nothing is kept of what you do")
    plain_page.get_by_label("In your own words").fill("lamps")
    plain_page.get_by_role("button", name="Add").click()
    expect(plain_page.locator(".noted")).to_contain_text("made-up name")
    expect(plain_page.locator(".lead")).to_contain_text("You are a guest")
    plain_page.get_by_role("link", name="Erase all of it").click()
    expect(plain_page.locator(".counts")).to_contain_text("1 interest in your own words")
    plain_page.get_by_role("button", name="Erase all of it").click()
    expect(plain_page.locator(".proof")).to_contain_text("the store knows no reader of this name")
    plain_page.goto("/you")
    expect(plain_page.locator(".lead")).to_contain_text("nothing is kept of what you do")


def test_all_of_it_is_taken_along(browse: Browse, site: Site, reader: str) -> None:
    known(site, reader)
    page = browse(reader=reader)
    page.goto("/you")
    with page.expect_download() as loading:
        page.get_by_role("link", name="Download all of it").click()
    assert loading.value.suggested_filename == "quire-profile.json"
    content = json.loads(Path(loading.value.path()).read_text("utf-8"))
    assert content == site.service.engines.of("default").readers.export(reader)


def test_what_fails_in_place_is_told_by_a_page(
    browse: Browse, site: Site, reader: str, complaints: Complaints
) -> None:
    complaints.expect("422")
    known(site, reader)
    page = browse(reader=reader)
    page.goto("/you")
    page.locator('form[action="/you/mute"] input[name="name"]').first.evaluate(
        "one => one.value = 'never met'"
    )
    page.get_by_role("button", name="Turn off").first.click()
    expect(page.locator("h1")).to_have_text("That cannot be done")


def test_a_link_that_has_run_out_says_so_and_what_to_do(
    page: Page, site: Site, complaints: Complaints
) -> None:
    complaints.expect("401")
    token = site.expired_token("ada")
    page.goto(f"/enter?token={token}")
    expect(page.locator("h1")).to_have_text("Your link has run out")
    page.get_by_role("link", name="中文").click()
    assert token not in page.url


def test_in_chinese_all_the_way(browse: Browse, site: Site, reader: str) -> None:
    known(site, reader)
    page = browse(lang="zh", reader=reader)
    page.goto("/you")
    expect(page.locator("h1")).to_have_text("Quire 对您的了解")
    page.get_by_role("button", name=re.compile("^关闭")).first.click()
    expect(page.locator(".interest.muted")).to_contain_text("已关闭")
    page.goto("/you/erase")
    expect(page.locator("h1")).to_have_text("要删除对您的了解吗？")


def test_in_the_other_language_forms_stay_in_it(browse: Browse, site: Site, reader: str) -> None:
    known(site, reader)
    page = browse(reader=reader)
    page.goto("/you?lang=zh")
    page.get_by_role("button", name=re.compile("^关闭")).first.click()
    expect(page.locator(".interest.muted")).to_contain_text("已关闭")
    expect(page.locator("#live")).to_have_text("已关闭，不再计入。")
