"""When something is not as usual: slow, busy, expired, offline, gone. Each is said, can be read, and is got out of."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from .axe import violations
from .corpus import BEES, LIGHTHOUSE

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page

    from .complaints import Complaints
    from .conftest import Browse

expect = pytest.importorskip("playwright.sync_api").expect
pytest.importorskip("axe_playwright_python")

EXPIRED = {"en": "Your link has run out", "zh": "过期"}


@pytest.fixture(scope="module")
def slow_site(make_site: Callable[..., Site]) -> Site:
    """One that gives up after a second, and lets nobody wait but one."""
    return make_site(threads=1, queue=1, request_seconds=1)


@pytest.fixture(scope="module")
def closed_site(make_site: Callable[..., Site]) -> Site:
    """One for those with a token alone."""
    return make_site(box="token")


def cookie(page: Page, site: Site, token: str) -> None:
    """Have a browser keep a token, as it would from before."""
    page.context.add_cookies([{"name": "quire_reader", "value": token, "url": site.url, "httpOnly": True}])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_search_that_takes_too_long_is_given_up_and_said(
    browse: Browse, slow_site: Site, complaints: Complaints, scripts: bool
) -> None:
    complaints.expect("503")
    page = browse(at=slow_site, scripts=scripts)
    with slow_site.busy():
        response = page.goto("/?q=pump")
        assert response is not None
        assert response.status == 503
        assert int(response.headers["retry-after"]) >= 1
        expect(page.locator("#q")).to_have_value("pump")  # nothing has to be typed again
        if scripts:
            assert violations(page) == []
    page.get_by_role("link", name="Try again").click()
    expect(page.locator(".hit").first).to_contain_text("Pump report")


def test_a_slow_search_is_waited_for_without_scripts(browse: Browse, make_site: Callable[..., Site]) -> None:
    site = make_site(threads=1)
    page = browse(at=site, scripts=False)
    page.goto("/")
    with site.busy() as free:

        def freed_when_it_waits() -> None:
            while not site.service.pool.waiting:
                free.wait(0.01)
            free.set()

        threading.Thread(target=freed_when_it_waits, daemon=True).start()
        page.locator("#q").fill("pump")
        page.locator("#q").press("Enter")
        expect(page.locator(".hit").first).to_contain_text("Pump report")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_a_token_that_has_run_out_where_one_is_needed(
    browse: Browse, closed_site: Site, complaints: Complaints, scripts: bool, lang: str
) -> None:
    complaints.expect("401")
    page = browse(at=closed_site, scripts=scripts, lang=lang)
    cookie(page, closed_site, closed_site.expired_token("ann"))
    for path in ("/?q=lamp", "/you", f"/document?id={LIGHTHOUSE}", f"/why?q=lamp&id={LIGHTHOUSE}"):
        response = page.goto(path)
        assert response is not None
        assert response.status == 401
        expect(page.locator("main")).to_contain_text(EXPIRED[lang])
        expect(page.locator("main")).not_to_contain_text("Fresnel")
    if scripts:
        assert violations(page) == []


def test_a_token_that_runs_out_while_one_reads(
    browse: Browse, closed_site: Site, complaints: Complaints, reader: str
) -> None:
    complaints.expect("401")
    page = browse(at=closed_site, reader=reader)
    page.goto("/?q=lamp")
    expect(page.locator(".hit").first).to_be_visible()
    page.context.clear_cookies()
    cookie(page, closed_site, closed_site.expired_token(reader))
    page.locator("#q").fill("pump")
    expect(page.locator("main")).to_contain_text(EXPIRED["en"])
    expect(page.locator(".hit")).to_have_count(0)
    # A new link, and all is as it was.
    page.goto(f"/enter?token={closed_site.token(reader)}")
    page.goto("/?q=pump")
    expect(page.locator(".hit").first).to_contain_text("Pump report")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_an_open_box_goes_on_without_the_reader(
    browse: Browse, site: Site, reader: str, scripts: bool
) -> None:
    page = browse(scripts=scripts)
    cookie(page, site, site.expired_token(reader))
    page.goto("/?q=lamp")
    expect(page.locator(".hit").first).to_be_visible()
    expect(page.locator("main, header")).to_contain_text([EXPIRED["en"]])


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_nobody_gets_in_without_a_token(
    browse: Browse, closed_site: Site, complaints: Complaints, scripts: bool
) -> None:
    complaints.expect("401")
    page = browse(at=closed_site, scripts=scripts)
    page.goto("/?q=lamp")
    expect(page.get_by_role("heading", name="This search box is for known readers")).to_be_visible()
    expect(page.locator(".hit")).to_have_count(0)
    for path in (
        "/results?q=lamp",
        "/suggest?q=lam",
        f"/passage?id={LIGHTHOUSE}&start=0&end=50",
        "/you/export",
    ):
        answer = page.context.request.get(path)
        assert answer.status == 401, path
        assert "Fresnel" not in answer.text()
    page.goto(f"/enter?token={closed_site.token('ann')}")
    expect(page).to_have_url(f"{closed_site.url}/")
    page.goto("/?q=lamp")
    expect(page.locator(".hit").first).to_be_visible()


@pytest.mark.parametrize("kind", ["forged", "another tenant's", "a guest's"])
def test_a_token_that_is_not_for_this_box(
    browse: Browse, closed_site: Site, complaints: Complaints, kind: str
) -> None:
    complaints.expect("401")
    tokens = closed_site.service.tokens
    token = {
        "forged": closed_site.token("ann")[:-4] + "AAAA",
        "another tenant's": tokens.issue("ann", "elsewhere", hours=1),
        "a guest's": tokens.issue_guest("default")[1],
    }[kind]
    page = browse(at=closed_site)
    response = page.goto(f"/enter?token={token}")
    assert response is not None
    assert response.status == 401
    expect(page.get_by_role("heading", name="This link does not say who you are")).to_be_visible()
    assert page.context.cookies() == []
    assert token not in page.content()


def test_a_box_that_is_off_is_not_there(
    browse: Browse, make_site: Callable[..., Site], complaints: Complaints
) -> None:
    complaints.expect("404")
    site = make_site(box="off")
    page = browse(at=site)
    for path in ("/", "/?q=lamp", "/you", f"/document?id={BEES}", "/enter?token=x"):
        response = page.goto(path)
        assert response is not None
        assert response.status == 404, path
        expect(page.locator("body")).not_to_contain_text("Cold Climate")


def test_without_guests_nobody_is_remembered(browse: Browse, make_site: Callable[..., Site]) -> None:
    site = make_site(guests=False)
    page = browse(at=site)
    page.goto("/?q=lamp")
    expect(page.locator(".hit").first).to_be_visible()
    expect(page.locator(".hit button[value=like]")).to_have_count(0)
    page.goto("/you")
    expect(page.locator("main")).to_be_visible()
    assert page.context.cookies() == []


def test_a_lost_connection_is_said_and_read_out(page: Page, complaints: Complaints) -> None:
    complaints.expect("ERR_INTERNET_DISCONNECTED")
    page.goto("/?q=lamp")
    expect(page.locator(".hit").first).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator(".outage")).to_be_visible()
    assert page.locator(".outage").evaluate(
        "one => one.closest('[role=status], [role=alert], [aria-live]') !== null"
    )
    assert violations(page) == []
    page.context.set_offline(False)
    expect(page.locator(".outage")).to_have_count(0)


def test_a_service_that_is_really_gone(
    browse: Browse, make_site: Callable[..., Site], complaints: Complaints
) -> None:
    complaints.expect("ERR_CONNECTION_REFUSED")
    site = make_site()
    page = browse(at=site)
    page.goto("/?q=lamp")
    shown = page.locator(".hit .title").all_inner_texts()
    site.stop()
    page.locator("#q").fill("pump")
    expect(page.locator(".outage")).to_contain_text("could not be reached")
    assert page.locator(".hit .title").all_inner_texts() == shown  # what was there is still there to be read
    assert violations(page) == []


def test_what_a_form_could_not_send_is_said(
    browse: Browse, site: Site, reader: str, complaints: Complaints
) -> None:
    """A thumb that never arrived is not shown as if it had."""
    complaints.expect("ERR_")
    page = browse(reader=reader)
    page.goto("/?q=lamp")
    page.route("**/feedback", lambda route: route.abort("connectionrefused"))
    page.locator(".hit button[value=like]").first.click()
    expect(page.get_by_text(re.compile("could not|not be|again", re.IGNORECASE)).first).to_be_visible()
    assert site.service.engines.of("default").readers.export(reader)["events"] == []
    expect(page.locator(".hit button[value=like]").first).not_to_have_attribute("aria-pressed", "true")
