"""A browser of sorts that keeps its cookies and sends forms, as the pages about a reader need it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from engine.service.app import create_app
from engine.service.service import Service

OURS = {"Sec-Fetch-Site": "same-origin"}


class Visitor:
    """Somebody at the search box.

    Args:
        service: What answers.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(service)), base_url="http://localhost"
        )

    @property
    def cookies(self) -> httpx.Cookies:
        return self._client.cookies

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._runner.run(self._client.get(path, headers=named))

    def page(self, path: str, **headers: str) -> LexborHTMLParser:
        answer = self.get(path, **headers)
        assert answer.status_code == 200, answer.text[:2000]
        return LexborHTMLParser(answer.text)

    def post(self, path: str, values: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        named = {**OURS, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self._runner.run(self._client.post(path, data=values or {}, headers=named))

    def enter(self, reader: str) -> None:
        token = self.service.tokens.issue(reader, "default", hours=1)
        assert self.get(f"/enter?token={token}").status_code == 303

    def follow(self, answer: httpx.Response) -> LexborHTMLParser:
        assert answer.status_code == 303, answer.text[:2000]
        return self.page(answer.headers["location"])

    def send(self, form: LexborNode | None, button: LexborNode | None = None) -> httpx.Response:
        """Send a form as it stands, by one of its buttons."""
        assert form is not None
        values = {
            str(one.attributes["name"]): str(one.attributes.get("value") or "")
            for one in form.css("input[name]")
            if one.attributes.get("type") != "checkbox" or "checked" in one.attributes
        }
        if button is not None and button.attributes.get("name"):
            values[str(button.attributes["name"])] = str(button.attributes["value"])
        return self.post(str(form.attributes["action"]), values)


@pytest.fixture
def visit() -> Iterator[Callable[[Service], Visitor]]:
    """Make visitors, each with cookies of their own."""
    made: list[Visitor] = []

    def make(service: Service) -> Visitor:
        made.append(Visitor(service))
        return made[-1]

    yield make
    for visitor in made:
        visitor.close()


def said(page: LexborHTMLParser, selector: str) -> str:
    """Return what the first element of a kind says, in single spaces."""
    node = page.css_first(selector)
    assert node is not None, selector
    return " ".join(node.text().split())


def form_to(page: LexborHTMLParser, action: str, **values: str) -> LexborNode:
    """Return the first form of an address that carries these values."""
    for form in page.css(f'form[action^="{action}"]'):
        held = {str(one.attributes["name"]): one.attributes.get("value") for one in form.css("input[name]")}
        if all(held.get(name) == value for name, value in values.items()):
            return form
    raise AssertionError(f"no form to {action} with {values}")


def parameters(url: str) -> dict[str, str]:
    """Return the parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
