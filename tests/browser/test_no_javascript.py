"""The whole of it without JavaScript: forms, links and folds do what scripts only do more smoothly."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from .corpus import BEES, ESPRESSO, LIGHTHOUSE, LONG, PAGED

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page

    from .conftest import Browse

expect = pytest.importorskip("playwright.sync_api").expect


def search(page: Page, query: str) -> None:
    """Search as a reader does: type, press Enter."""
    page.locator("#q").fill(query)
    page.locator("#q").press("Enter")


def test_from_a_question_to_the_passage_and_back(plain_page: Page) -> None:
    page = plain_page
    page.goto("/")
    search(page, "how is the lens cleaned")
    first = page.locator(".hit").first
    expect(first).to_contain_text("Lighthouse Keeper")
    first.locator("h2 a, h3 a").first.click()
    expect(page).to_have_url(re.compile(r"/document\?"))
    expect(page.locator("h1")).to_contain_text("The Lighthouse Keeper's Handbook")
    expect(page.locator("main mark").first).to_be_attached()
    expect(page.locator("main")).to_contain_text("The Fresnel lens is dusted with a feather brush")
    page.go_back()
    expect(page.locator("#q")).to_have_value("how is the lens cleaned")


def test_a_long_document_is_read_to_its_end(plain_page: Page) -> None:
    page = plain_page
    page.goto(f"/document?id={LONG}&start=114000&end=114100")
    expect(page.locator("main")).to_contain_text("On December 30")
    page.goto(f"/document?id={LONG}")
    expect(page.locator("main")).to_contain_text("On January 1 ")


def test_a_pdf_says_its_page(plain_page: Page) -> None:
    page = plain_page
    page.goto("/?q=repointing+with+lime+mortar")
    hit = page.locator(".hit", has_text="Survey of the Old Bridge")
    expect(hit).to_contain_text("p. 2")
    page.goto(f"/document?id={PAGED}")
    expect(page.locator("main")).to_contain_text("tie rods")


def test_why_and_why_not(plain_page: Page) -> None:
    page = plain_page
    page.goto(f"/why?q=clean+the+lens&id={LIGHTHOUSE}")
    expect(page.locator("main")).to_contain_text("Lighthouse Keeper")
    expect(page.locator("main")).to_contain_text(re.compile(r"meaning", re.IGNORECASE))
    page.goto("/why-not?q=pump")
    page.locator("input[name=id]").fill(BEES)
    page.locator("input[name=id]").press("Enter")
    expect(page).to_have_url(re.compile(r"/why-not\?.*bees"))
    expect(page.locator("main")).to_contain_text("Keeping Bees in a Cold Climate")


def test_more_like_this(plain_page: Page) -> None:
    page = plain_page
    page.goto("/?q=clean+the+lens")
    page.locator(".hit").first.get_by_role("link", name="More like this").click()
    expect(page).to_have_url(re.compile(r"/similar\?"))
    expect(page.locator("main li, main article").first).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile("Harbour|灯塔|weather", re.IGNORECASE))


def test_chosen_documents_in_short(plain_page: Page) -> None:
    page = plain_page
    page.goto("/?q=cleaning")
    for at in range(2):
        page.locator(".hit .choose input").nth(at).check()
    page.get_by_role("button", name=re.compile("Summarise")).first.click()
    expect(page).to_have_url(re.compile(r"/summary\?.*id=.*id="))
    expect(page.locator("main h2")).to_have_count(2)


@pytest.mark.parametrize("name", ["Useful", "Not useful", "Hide"])
def test_an_opinion_is_taken_and_the_page_is_back(browse: Browse, site: Site, reader: str, name: str) -> None:
    page = browse(scripts=False, reader=reader)
    page.goto("/?q=clean+the+lens")
    buttons = {"Useful": "like", "Not useful": "dislike", "Hide": "hide"}
    page.locator(
        f".hit button[value={buttons[name]}], .hit button[name=kind][value={buttons[name]}]"
    ).first.click()
    expect(page).to_have_url(re.compile(r"/\?q=clean"))
    kept = site.service.engines.of("default").readers.export(reader)
    assert [event["kind"] for event in kept["events"]] == [buttons[name]]


def test_a_guest_is_made_by_the_first_opinion_and_not_before(browse: Browse, site: Site) -> None:
    page = browse(scripts=False)
    page.goto("/?q=clean+the+lens")
    page.goto("/you")
    page.goto(f"/document?id={LIGHTHOUSE}")
    assert page.context.cookies() == []
    page.goto("/?q=clean+the+lens")
    page.locator(".hit button[value=like]").first.click()
    expect(page.locator("main")).to_be_visible()
    (cookie,) = page.context.cookies()
    assert cookie["name"] == "quire_reader"
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    page.goto("/you")
    expect(page.locator("main")).to_contain_text("Lighthouse Keeper")


def test_a_readers_page_is_all_forms(browse: Browse, site: Site, reader: str) -> None:
    """Declare, mute, unmute, forget, export, erase: each by a button, each seen on the page that comes back."""
    from engine import Event

    engine = site.service.engines.of("default")
    engine.record([Event(reader, LIGHTHOUSE, "like"), Event(reader, ESPRESSO, "like")])
    page = browse(scripts=False, reader=reader)
    page.goto("/you")
    main = page.locator("main")
    expect(main).to_contain_text("The Lighthouse Keeper's Handbook")

    page.locator("input[name=text]").first.fill("sailing at night")
    page.locator("input[name=text]").first.press("Enter")
    expect(main).to_contain_text("sailing at night")

    page.locator("form[action*='/you/mute'] button").first.click()
    expect(page.locator("form[action*='/you/unmute'] button")).to_have_count(1)
    assert len(engine.readers.export(reader)["muted"]) == 1
    page.locator("form[action*='/you/unmute'] button").first.click()
    expect(page.locator("form[action*='/you/unmute'] button")).to_have_count(0)

    forget = page.locator("form[action*='/you/forget-document'] button").first
    if not forget.is_visible():
        page.locator("main details summary").first.click()
    forget.click()
    expect(page.locator("main")).to_be_visible()
    assert len(engine.readers.export(reader)["events"]) == 1

    kept = page.context.request.get("/you/export")
    assert json.loads(kept.body())["user_id"] == reader
    assert "attachment" in kept.headers["content-disposition"]

    page.goto("/you/erase")
    page.locator("form[action*='/you/erase'] button").click()
    expect(page.locator("main")).to_be_visible()
    assert engine.readers.export(reader)["events"] == []
    assert engine.readers.export(reader)["declared"] == []


def test_personal_off_stays_in_the_address(browse: Browse, site: Site, reader: str) -> None:
    from engine import Event

    site.service.engines.of("default").record([Event(reader, LIGHTHOUSE, "like")])
    page = browse(scripts=False, reader=reader)
    page.goto("/?q=weather")
    page.get_by_role("link", name=re.compile("off", re.IGNORECASE)).first.click()
    expect(page).to_have_url(re.compile(r"personal=off"))
    expect(page).to_have_url(re.compile(r"q=weather"))


def test_leaving(browse: Browse, site: Site, reader: str) -> None:
    page = browse(scripts=False, reader=reader)
    assert page.context.cookies()
    page.goto("/you")
    page.locator("form[action='/leave'] button, form[action^='/leave'] button").first.click()
    expect(page.locator("main")).to_be_visible()
    assert page.context.cookies() == []


def test_in_chinese_too(browse: Browse) -> None:
    page = browse(scripts=False, lang="zh")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", re.compile("^zh"))
    search(page, "茶叶 采摘")
    expect(page.locator(".hit").first).to_contain_text("茶树栽培与制茶手册")
    page.locator("[data-language=en]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#q")).to_have_value("茶叶 采摘")


def test_nothing_on_a_page_needs_a_script(plain_page: Page) -> None:
    """What only scripts could make work is not shown where there are none: every button is in a form."""
    for path in (
        "/",
        "/?q=pump",
        f"/document?id={LIGHTHOUSE}&q=lamp",
        "/you",
        f"/why?q=lamp&id={LIGHTHOUSE}",
    ):
        plain_page.goto(path)
        for button in plain_page.get_by_role("button").all():
            assert button.evaluate("one => Boolean(one.form) || one.localName === 'summary'"), (
                path,
                button.evaluate("one => one.outerHTML"),
            )
        for link in plain_page.get_by_role("link").all():
            assert (link.get_attribute("href") or "#") != "#", (path, link.evaluate("one => one.outerHTML"))
