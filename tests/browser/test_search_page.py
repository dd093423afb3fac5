"""The search page as a reader meets it: with and without JavaScript, in English and Chinese, with hostile documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .corpus import HOSTILE, LIGHTHOUSE, PAGED, PAYLOADS

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page

    from .complaints import Complaints
    from .conftest import Browse

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_from_the_empty_page_to_an_answer_and_back(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    page.goto("/")
    expect(page.locator(".holds")).to_contain_text("documents in")
    page.get_by_label("Search these documents").fill("how is the lens cleaned")
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_contain_text("The Lighthouse Keeper's Handbook")
    expect(page).to_have_url(re.compile(r"/\?q=how(\+|%20)is(\+|%20)the(\+|%20)lens(\+|%20)cleaned$"))
    expect(page).to_have_title("how is the lens cleaned · Quire")
    page.go_back()
    expect(page.locator(".holds")).to_be_visible()
    expect(page.locator("#q")).to_have_value("")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_filters_are_chosen_shown_and_taken_away(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    page.goto("/?q=pump inspection")
    before = page.locator("#found").inner_text()
    page.locator(".choice", has_text="reports").click()
    chip = page.locator(".chip", has_text="Topic: reports")
    expect(chip).to_be_visible()
    expect(page).to_have_url(re.compile(r"f\.topic=reports"))
    page.get_by_label("From").fill("2020-01-01")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".chip", has_text="From 1 January 2020")).to_be_visible()
    page.get_by_role("link", name="Newest").click()
    expect(page.locator(".hit time").first).to_have_attribute("datetime", re.compile("^20(2[3-9])"))
    page.get_by_role("link", name="Remove all").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.get_by_role("link", name="Relevance").click()
    expect(page.locator("#found")).to_have_text(before)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_pages_and_the_way_back(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    page.goto("/?q=pump")
    first = page.locator(".title").first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager [aria-current=page]")).to_contain_text("2")
    expect(page.locator(".title").first).not_to_have_text(first)
    page.go_back()
    expect(page.locator(".title").first).to_have_text(first)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_document_of_markup_is_seen_as_text(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    page.goto("/?q=marmalade procedure")
    hit = page.locator(".hit", has_text="Marmalade").first
    expect(hit).to_have_attribute("data-key", HOSTILE)
    expect(hit.locator(".title")).to_contain_text(PAYLOADS[0])
    expect(hit.locator(".title")).to_contain_text(PAYLOADS[1])
    expect(hit.locator(".by")).to_contain_text(PAYLOADS[2])
    expect(page.locator(".said").first).to_contain_text("marmalade")
    assert page.locator("#answer img, #answer script, #answer iframe").count() == 0
    if scripts:
        page.locator(".fold").evaluate("fold => fold.open = true")
        page.locator(".choice", has_text="onerror").click()
        expect(page.locator(".chip")).to_contain_text(PAYLOADS[1])
        assert page.evaluate("window.owned") is None
    assert "owned" not in page.title()


def test_a_hostile_query_is_text_everywhere(page: Page) -> None:
    for payload in PAYLOADS[:5]:
        page.goto("/")
        page.locator("#q").fill(payload)
        expect(page.locator("[data-state=results]")).to_be_visible()
        expect(page.locator("#q")).to_have_value(payload)
        page.keyboard.press("Enter")
        expect(page).to_have_title(f"{payload} · Quire")
        assert page.evaluate("window.owned") is None


def test_chinese_is_found_marked_and_spoken(browse: Browse) -> None:
    page = browse(lang="zh")
    page.goto("/")
    expect(page.get_by_role("button", name="搜索")).to_be_visible()
    page.locator("#q").fill("茶叶 杀青")
    page.keyboard.press("Enter")
    expect(page.locator(".hit").first).to_contain_text("茶树栽培与制茶手册")
    expect(page.locator(".hit mark").first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("button", name="Search", exact=True)).to_be_visible()
    expect(page.locator("#q")).to_have_value("茶叶 杀青")
    expect(page).to_have_url(re.compile("lang=en"))


def test_a_passage_says_where_it_is_and_leads_there(page: Page) -> None:
    page.goto("/?q=scour of the piles upstream")
    hit = page.locator(f".hit[data-key='{PAGED}']")
    expect(hit.locator(".crumbs .page").first).to_have_text("p. 1")
    page.goto("/?q=how is the fresnel lens cleaned")
    hit = page.locator(f".hit[data-key='{LIGHTHOUSE}']")
    expect(hit.locator(".crumbs").first).to_contain_text("Cleaning the lens")
    hit.locator(".title a").click()
    expect(page).to_have_url(re.compile(r"/document\?id=lighthouse\.md&start=\d+&end=\d+&q=.*#passage$"))
    expect(page.locator("#passage")).to_be_in_viewport()


def test_more_passages_and_the_account_of_a_score_unfold_without_scripts(plain_page: Page) -> None:
    plain_page.goto("/?q=lighthouse lamp lens keeper")
    hit = plain_page.locator(f".hit[data-key='{LIGHTHOUSE}']")
    more = hit.locator(".more summary")
    expect(hit.locator(".passage").nth(1)).not_to_be_visible()
    more.click()
    expect(hit.locator(".passage").nth(1)).to_be_visible()
    hit.locator(".account summary").click()
    expect(hit.get_by_role("table")).to_contain_text("BM25")
    hit.get_by_role("link", name="The whole account").click()
    expect(plain_page).to_have_url(re.compile(r"/why\?id=lighthouse\.md&q="))


def test_chosen_documents_are_summed_up(plain_page: Page) -> None:
    plain_page.goto("/?q=lighthouse lamp")
    boxes = plain_page.get_by_role("checkbox")
    expect(plain_page.get_by_role("button", name="Summarise the chosen")).not_to_be_visible()
    boxes.nth(0).check()
    boxes.nth(1).check()
    plain_page.get_by_role("button", name="Summarise the chosen").click()
    expect(plain_page).to_have_url(re.compile(r"/summary\?.*id=.*id="))


def test_nothing_found_offers_a_way_on(plain_page: Page) -> None:
    plain_page.goto('/?q=%2Bpump "no such phrase"&f.topic=reports')
    expect(plain_page.get_by_role("heading", name="Nothing found")).to_be_visible()
    plain_page.get_by_role("link", name="Search for the plain words").click()
    expect(plain_page.locator(".hit").first).to_be_visible()


def test_a_misspelt_word_is_asked_about(page: Page) -> None:
    page.goto("/?q=lighthosue lamp")
    page.locator(".meant a").first.click()
    expect(page.locator("#q")).to_have_value("lighthouse lamp")
    expect(page.locator(".meant")).to_have_count(0)


def test_a_link_that_has_run_out_is_said(browse: Browse, site: Site, complaints: Complaints) -> None:
    page = browse()
    page.context.add_cookies([{"name": "quire_reader", "value": "not.a.token", "url": site.url}])
    page.goto("/?q=pump")
    expect(page.locator(".notices")).to_contain_text("Your link has run out")
    expect(page.locator(".hit").first).to_be_visible()


def test_there_is_no_such_page(page: Page, complaints: Complaints) -> None:
    complaints.expect("404")
    complaints.expect("422")
    page.goto("/?q=pump&f.tpoic=reports")
    expect(page.get_by_role("heading", name="That could not be understood")).to_be_visible()
    page.get_by_role("link", name="Search without any filter").click()
    expect(page.locator(".hit").first).to_be_visible()
