"""A document in a real browser: opened where it was found, gone through, rated, and what is like it and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from .corpus import ESPRESSO, HOSTILE, LIGHTHOUSE, LONG, PAGED

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page

    from .conftest import Browse

expect = pytest.importorskip("playwright.sync_api").expect

both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])


def at(path: str, **parameters: object) -> str:
    return f"{path}?{urlencode(parameters, doseq=True)}"


def in_sight(page: Page, selector: str) -> None:
    expect(page.locator(selector).first).to_be_in_viewport()


@both
def test_a_hit_opens_the_document_at_its_passage_and_back_is_where_one_was(
    browse: Browse, scripts: bool
) -> None:
    page = browse(scripts=scripts)
    page.goto("/?q=heron+July+18")
    page.locator(".hit a[data-hit]").first.click()
    expect(page.locator("h1")).to_have_text("A Country Almanac for Every Day of the Year")
    in_sight(page, "#passage")
    in_sight(page, ".text .here mark")
    page.locator("[data-back]").click()
    expect(page).to_have_url(re.compile(r"\?q=heron(\+|%20)July(\+|%20)18$"))
    expect(page.locator(".hit").first).to_be_visible()


@both
def test_a_long_document_is_gone_through_and_holds_all_of_its_text(
    browse: Browse, site: Site, scripts: bool
) -> None:
    page = browse(scripts=scripts)
    page.goto(at("/document", id=LONG))
    seen = ""
    for _ in range(40):
        seen += page.locator(".text").inner_text()
        later = page.locator('a[rel="next"]')
        if not later.count():
            break
        later.click()
    text = site.service.engines.of("default").document(LONG, end=100_000).text
    days = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert len(days) > 300
    assert [day for day in days if f"On {day} the" not in " ".join(seen.split())] == []
    expect(page.locator(".turn-page.end")).to_be_visible()
    page.locator('a[rel="prev"]').click()
    expect(page.locator('a[rel="next"]')).to_be_visible()


@both
def test_the_table_of_contents_leads_to_what_it_names(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    page.goto(at("/document", id=LONG))
    page.locator(".toc a", has_text=re.compile("^September$")).click()
    expect(page.get_by_role("heading", name="September", exact=True)).to_be_in_viewport()
    expect(page.locator(".toc a[aria-current]")).to_have_text(re.compile("^September"))


def test_pages_of_a_pdf_are_told_apart(page: Page) -> None:
    page.goto(at("/document", id=PAGED, q="mortar"))
    expect(page.get_by_role("separator")).to_have_count(4)
    expect(page.get_by_role("heading", name="Masonry")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("4 pages")


@both
def test_a_document_full_of_markup_is_text(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    for path in ("/document", "/similar", "/summary", "/why", "/why-not"):
        page.goto(at(path, id=HOSTILE, q="marmalade", start=0, end=200))
        expect(page.locator("body")).to_contain_text("<script>")
        assert page.title() != "owned"
        if scripts:
            assert page.evaluate("window.owned") is None


def test_thumbs_are_pressed_and_taken_back_without_leaving(browse: Browse, site: Site, reader: str) -> None:
    page = browse(reader=reader)
    page.goto(at("/document", id=LIGHTHOUSE, q="lamp"))
    like, hide = page.locator('[data-kind="like"]'), page.locator('[data-kind="hide"]')
    like.press("Enter")
    expect(like).to_have_attribute("aria-pressed", "true")
    hide.press("Enter")
    expect(hide).to_have_attribute("aria-pressed", "true")
    expect(like).to_have_attribute("aria-pressed", "false")
    told = page.locator(".noted")
    expect(told).to_contain_text("Hidden")
    page.reload()
    expect(page.locator('[data-kind="hide"]')).to_have_attribute("aria-pressed", "true")
    page.locator('[data-kind="hide"]').click()
    expect(page.locator('[data-kind="hide"]')).to_have_attribute("aria-pressed", "false")
    readers = site.service.engines.of("default").readers
    assert "hide" not in readers.history(reader).kinds


def test_undo_in_what_was_told_shows_in_the_thumbs(browse: Browse, reader: str) -> None:
    page = browse(reader=reader)
    page.goto(at("/document", id=LIGHTHOUSE))
    page.locator('[data-kind="hide"]').click()
    page.locator(".noted button").click()
    expect(page.locator(".noted")).to_have_count(0)
    expect(page.locator('[data-kind="hide"]')).to_have_attribute("aria-pressed", "false")


def test_thumbs_work_without_scripts(plain_page: Page) -> None:
    plain_page.goto(at("/document", id=LIGHTHOUSE, q="lamp"))
    plain_page.locator('[data-kind="dislike"]').click()
    expect(plain_page.locator(".noted")).to_contain_text("made-up name")
    expect(plain_page.locator('[data-kind="dislike"]')).to_have_attribute("aria-pressed", "true")
    plain_page.locator(".noted button").click()
    expect(plain_page.locator(".noted")).to_contain_text("Taken back")
    expect(plain_page.locator('[data-kind="dislike"]')).to_have_attribute("aria-pressed", "false")
    expect(plain_page.locator("#q")).to_have_value("lamp")


def test_opening_is_noted_of_readers_with_a_profile_alone(browse: Browse, site: Site, reader: str) -> None:
    readers = site.service.engines.of("default").readers
    page = browse(reader=reader)
    with page.expect_response(lambda answer: answer.url.endswith("/feedback")) as unknown:
        page.goto(at("/document", id=LIGHTHOUSE))
    assert unknown.value.status == 204
    assert readers.version(reader) == 0
    readers.declare(reader, "lamps")
    with page.expect_response(lambda answer: answer.url.endswith("/feedback")) as known:
        page.goto(at("/document", id=LIGHTHOUSE))
    assert known.value.status == 204
    assert readers.history(reader).kinds == ("click",)


@both
def test_chosen_documents_in_short_lead_into_their_text(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    page.goto(at("/summary", id=[LIGHTHOUSE, ESPRESSO], q="cleaning"))
    expect(page.locator(".short")).to_have_count(2)
    sentence = page.locator(".sentence").first
    said = " ".join(sentence.inner_text().split())
    sentence.click()
    in_sight(page, "#passage")
    marked = "".join(page.locator(".text .here").all_inner_texts())
    assert "".join(said.split()) in "".join(marked.split())


@both
def test_the_account_is_reached_from_a_hit(browse: Browse, scripts: bool) -> None:
    page = browse(scripts=scripts)
    page.goto("/?q=fresnel+lens")
    page.locator(".account > summary").first.click()
    page.locator('.ledger a[href^="/why?"]').first.click()
    expect(page.locator("h1")).to_contain_text("Lighthouse")
    expect(page.locator(".whole-account .lead")).to_contain_text("number 1 for")
    expect(page.locator(".sum tfoot")).to_be_visible()


def test_everything_is_reached_by_keys(browse: Browse, reader: str) -> None:
    page = browse(reader=reader)
    page.goto(at("/document", id=LIGHTHOUSE, q="lamp"))
    reached: list[str] = []
    one = "document.activeElement"
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(f"{one}.dataset.kind ?? {one}.textContent.trim()"))
        assert page.evaluate(f"{one}.matches(':focus-visible')")
        if reached[-1] == "hide":
            break
    assert "More like this" in reached
    assert "like" in reached


@pytest.mark.parametrize("width", [320, 768, 1280, 3840])
def test_lines_stay_readable_in_any_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(at("/document", id=LIGHTHOUSE, q="lamp", start=900, end=1100))
    measured = page.evaluate(
        """() => {
            const text = document.querySelector(".text p.para") ?? document.querySelector(".text p");
            const size = parseFloat(getComputedStyle(text).fontSize);
            return [text.getBoundingClientRect().width / size, document.documentElement.scrollWidth];
        }"""
    )
    assert 14 <= measured[0] <= 48
    assert measured[1] <= width


def test_why_not_names_titles_as_one_writes(page: Page) -> None:
    page.goto("/why-not?q=pump")
    field = page.get_by_label("Document: its id, or its title")
    field.press_sequentially("Survey of")
    expect(page.locator("#why-titles option")).to_have_count(1)
    field.fill("Survey of the Old Bridge")
    field.press("Enter")
    expect(page.locator("#verdict")).to_have_text("Survey of the Old Bridge")
    expect(page).to_have_url(re.compile("id=survey.pdf"))
