"""Whatever a document, a query or an address holds is seen as text: by escaping alone, and by the policy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx
import pytest

from .corpus import HOSTILE, LIGHTHOUSE, PAYLOADS

if TYPE_CHECKING:
    from live_service import Site
    from playwright.sync_api import Page

    from .complaints import Complaints
    from .conftest import Browse

expect = pytest.importorskip("playwright.sync_api").expect

WHERE = {
    "results": ("/", {"q": "marmalade"}),
    "results, all fields": ("/", {"q": "marmalade", "f.topic": PAYLOADS[1]}),
    "document": ("/document", {"id": HOSTILE, "q": "marmalade"}),
    "why": ("/why", {"id": HOSTILE, "q": "marmalade"}),
    "why not": ("/why-not", {"id": HOSTILE, "q": "lighthouse"}),
    "similar": ("/similar", {"id": HOSTILE}),
    "similar to another": ("/similar", {"id": LIGHTHOUSE}),
    "summary": ("/summary", {"id": HOSTILE, "q": "marmalade"}),
}
PARAMETERS = {
    "/": ("q", "f.topic", "f.tags", "from", "to", "sort", "page", "personal", "strength", "lang", "nothing"),
    "/results": ("q", "f.topic", "sort", "beat", "page"),
    "/document": ("id", "q", "start", "end", "lang"),
    "/passage": ("id", "q", "start", "end"),
    "/why": ("id", "q", "lang", "fragment"),
    "/why-not": ("id", "q"),
    "/similar": ("id", "lang"),
    "/summary": ("id", "q"),
    "/you": ("lang", "nothing"),
    "/enter": ("token",),
    "/nowhere": ("q",),
}
LIVE = """() => [
    ...document.querySelectorAll('img[src="x"], iframe, object, embed, svg[onload], textarea:not([name]), base'),
    ...[...document.querySelectorAll('*')].filter(one =>
        [...one.attributes].some(each => /^on/i.test(each.name)) ||
        ['href', 'src', 'action', 'formaction'].some(name =>
            /^\\s*(javascript|data:text|vbscript):/i.test(one.getAttribute(name) || ''))),
    ...[...document.scripts].filter(one => !one.src || new URL(one.src).origin !== location.origin),
].map(one => one.outerHTML.slice(0, 200))"""
"""What there would be if some of it were markup after all."""


def unharmed(page: Page) -> None:
    """See that nothing of it came to life."""
    assert page.evaluate("window.owned") is None
    assert page.title() != "owned"
    assert page.evaluate(LIVE) == []


@pytest.mark.parametrize("policy", [False, True], ids=["escaping alone", "with the policy"])
@pytest.mark.parametrize("name", WHERE)
def test_a_document_of_markup(browse: Browse, name: str, policy: bool) -> None:
    page = browse(policy=policy)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    path, parameters = WHERE[name]
    page.goto(f"{path}?{urlencode(parameters)}")
    expect(page.locator("h1")).to_be_attached()
    page.wait_for_load_state("networkidle")
    unharmed(page)


def test_all_of_it_is_there_to_be_read(browse: Browse) -> None:
    page = browse()
    page.goto(f"/document?{urlencode({'id': HOSTILE})}")
    shown = page.locator("main").inner_text()
    for payload in PAYLOADS:
        assert " ".join(payload.split()) in " ".join(shown.split()), payload


def test_suggestions_are_text(browse: Browse) -> None:
    page = browse(policy=False)
    page.goto("/")
    page.locator("#q").press_sequentially("marmal")
    expect(page.get_by_role("option").first).to_contain_text("marmalade", ignore_case=True)
    unharmed(page)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_what_a_reader_declares_is_text(browse: Browse, reader: str, scripts: bool) -> None:
    page = browse(reader=reader, policy=False, scripts=scripts)
    page.goto("/you")
    box = page.locator("input[name=text], textarea[name=text]").first
    box.fill(PAYLOADS[0])
    box.press("Enter")
    expect(page.locator("main")).to_contain_text(
        "<script>document.title = 'owned'; window.owned = true</script>"
    )
    if scripts:
        unharmed(page)


@pytest.mark.parametrize("path", PARAMETERS)
def test_an_address_of_markup(browse: Browse, complaints: Complaints, path: str) -> None:
    complaints.expect("Failed to load resource: the server responded with a status of 4")
    page = browse(policy=False)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    for payload in (PAYLOADS[0], PAYLOADS[2], '" autofocus onfocus="window.owned=true'):
        page.goto(
            f"{path}?{urlencode(dict.fromkeys(PARAMETERS[path], payload))}", wait_until="domcontentloaded"
        )
        unharmed(page)
    for name in PARAMETERS[path]:  # the others as they should be, so that the page comes to show this one
        given = {"q": "lamp", "id": LIGHTHOUSE, name: PAYLOADS[2]}
        page.goto(f"{path}?{urlencode(given)}", wait_until="domcontentloaded")
        unharmed(page)


def test_the_source_has_nothing_inline(site: Site) -> None:
    """No script, no style is in a page's own source: the policy would stop it, and hide that it is there."""
    with httpx.Client(base_url=site.url, timeout=30) as client:
        for path, parameters in WHERE.values():
            answer = client.get(path, params=parameters)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "<style" not in answer.text
            assert " style=" not in answer.text
            for script in answer.text.split("<script")[1:]:
                opening, _, rest = script.partition(">")
                assert 'src="/static/' in opening, script[:200]
                assert rest.startswith("</script>"), script[:200]


def test_every_answer_has_the_policy(site: Site) -> None:
    paths = "/ /results?q=a /nowhere /suggest?q=a /document?id=absent /you /v1/search /v1/nothing"
    with httpx.Client(base_url=site.url, timeout=30) as client:
        for path in paths.split():
            answer = client.get(path)
            assert "default-src 'none'" in answer.headers["content-security-policy"], path
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
            assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin"), path
            assert answer.headers["x-content-type-options"] == "nosniff", path


def test_the_policy_stops_what_gets_in(browse: Browse, complaints: Complaints) -> None:
    """Were there a hole, it would be of little use: what is put into a page by force does not run."""
    for message in ("Content Security Policy", "csp", "status of 404"):
        complaints.expect(message)
    page = browse()
    page.goto("/?q=lamp")
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.owned = true';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.owned = true">');
        document.body.insertAdjacentHTML('beforeend', '<img src="https://evil.example/leak">');
        document.body.insertAdjacentHTML('beforeend', '<iframe src="https://evil.example/"></iframe>');
    }""")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.owned") is None
    assert any("evil.example" in heard for heard in complaints.heard)
    assert page.evaluate("fetch('https://evil.example/').then(() => 'sent', () => 'refused')") == "refused"
