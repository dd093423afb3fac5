"""Whose pages may do what: a table of what browsers send, and where redirects may lead."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from engine.errors import InvalidSearchSettings
from engine.service.access.origins import is_same_origin, own_path

HOST = "search.example:8765"
OWN = f"http://{HOST}"

# What a browser says of a POST -> whether it comes from a page of ours.
TABLE: list[tuple[dict[str, str], bool]] = [
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "none"}, True),
    ({"sec-fetch-site": "Same-Origin "}, True),
    ({"sec-fetch-site": "same-site"}, False),
    ({"sec-fetch-site": "cross-site"}, False),
    ({"sec-fetch-site": ""}, False),
    ({"sec-fetch-site": "same-origin, cross-site"}, False),
    ({"sec-fetch-site": "cross-site", "origin": OWN}, False),
    ({"sec-fetch-site": "cross-site", "referer": f"{OWN}/"}, False),
    ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
    ({"origin": OWN}, True),
    ({"origin": f"https://{HOST}"}, True),
    ({"origin": "http://SEARCH.example:8765"}, True),
    ({"origin": "http://search.example"}, False),
    ({"origin": "http://search.example:80"}, False),
    ({"origin": "http://other.search.example:8765"}, False),
    ({"origin": "http://search.example:8765.evil.example"}, False),
    ({"origin": "http://search.example:8765@evil.example"}, False),
    ({"origin": "http://evil.example#search.example:8765"}, False),
    ({"origin": "null"}, False),
    ({"origin": ""}, False),
    ({"origin": "file://search.example:8765"}, False),
    ({"origin": "http://[search.example:8765"}, False),
    ({"origin": "http://search.example:99999999"}, False),
    ({"origin": "http://evil.example", "referer": f"{OWN}/"}, False),
    ({"referer": f"{OWN}/?q=tide"}, True),
    ({"referer": OWN}, True),
    ({"referer": f"http://evil.example/?{OWN}/"}, False),
    ({"referer": "http://evil.example/search.example:8765"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("said", "ours"), TABLE)
def test_what_browsers_say_of_where_a_form_was_sent_from(said: dict[str, str], ours: bool) -> None:
    assert is_same_origin(Headers({"host": HOST, **said})) is ours


@pytest.mark.parametrize(
    ("host", "origin", "ours"),
    [
        ("search.example", "http://search.example", True),
        ("search.example", "https://search.example", True),
        ("search.example:80", "http://search.example", True),
        ("search.example:443", "https://search.example", True),
        ("search.example:443", "http://search.example", False),
        ("[::1]:8765", "http://[::1]:8765", True),
        ("127.0.0.1:8765", "http://localhost:8765", False),
        ("", "http://search.example", False),
        ("a@search.example", "http://search.example", False),
    ],
)
def test_hosts_with_and_without_ports(host: str, origin: str, ours: bool) -> None:
    assert is_same_origin(Headers({"host": host, "origin": origin})) is ours


@pytest.mark.parametrize("name", ["sec-fetch-site", "origin", "referer", "host"])
def test_what_is_said_twice_is_not_believed(name: str) -> None:
    said = [("host", HOST), ("sec-fetch-site", "same-origin"), ("origin", OWN), ("referer", OWN)]
    raw = [(key.encode(), value.encode()) for key, value in said]
    assert is_same_origin(Headers(raw=raw))
    assert not is_same_origin(Headers(raw=[*raw, next(pair for pair in raw if pair[0] == name.encode())]))


def test_a_refusal_says_what_to_do(door: Callable, client: Callable) -> None:
    found = client(door()).post("/like", headers={"Sec-Fetch-Site": "cross-site"})
    assert (found.status_code, found.json()["type"]) == (403, "urn:quire:problem:cross-site")
    assert "go to the search box itself" in found.json()["detail"]
    assert "set-cookie" not in found.headers


@pytest.mark.parametrize(
    "path",
    ["/", "/?q=a+b", "/you", "/document?id=a%2Fb&start=3", "/a//b", "/%5C", "/?back=//evil.example", "/#top"],
)
def test_own_paths_are_kept(path: str) -> None:
    assert own_path(path) == path


@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(
                ["/", "\\", ".", "@", ":", "?", "#", "%2f", "\t", "\n", " ", "evil.example", "x", "http:"]
            )
        ).map("".join),
    )
)
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("/\n/evil.example")
@example("\\\\evil.example")
@example("https://evil.example")
@example("javascript:alert(1)")
@example(" //evil.example")
@example("/\u3000/evil.example")
@example("")
def test_a_redirect_stays_here(text: str) -> None:
    """As browsers read a Location: they drop tabs and line ends and take a backslash for a slash."""
    path = own_path(text)
    assert path.startswith("/")
    assert path.isascii()
    assert path.isprintable()
    read = path.replace("\\", "/").translate({9: None, 10: None, 13: None}).strip()
    assert urlsplit(urljoin("http://here.example/box", read)).netloc == "here.example"


def test_no_other_site_s_script_may_ask_unless_named(door: Callable, client: Callable) -> None:
    preflight = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}
    here = door()
    for found in (
        client(here).request("OPTIONS", "/v1/search", headers=preflight),
        client(here).get("/v1/search", headers={"Origin": "https://other.example", **here.secret("search")}),
    ):
        assert not [name for name in found.headers if name.startswith("access-control")]


def test_scripts_of_named_origins_may_ask_the_api_and_nothing_else(door: Callable, client: Callable) -> None:
    here = door(cors_origins=("https://Books.example",))
    asking = client(here)
    origin = {"Origin": "https://books.example"}
    preflight = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,quire-reader",
    }
    found = asking.request("OPTIONS", "/v1/search", headers=origin | preflight)
    assert found.status_code == 200, "a preflight carries no key"
    assert found.headers["access-control-allow-origin"] == "https://books.example"
    assert "access-control-allow-credentials" not in found.headers
    answered = asking.get("/v1/search", headers=origin | here.secret("search"))
    refused = asking.get("/v1/search", headers=origin)
    assert (answered.status_code, refused.status_code) == (200, 401)
    for one in (answered, refused):
        assert one.headers["access-control-allow-origin"] == "https://books.example", (
            "so that the script sees why"
        )
    for other in (
        "https://evil.example",
        "https://books.example.evil.example",
        "http://books.example",
        "null",
    ):
        assert (
            "access-control-allow-origin" not in asking.get("/v1/search", headers={"Origin": other}).headers
        )
        assert (
            asking.request("OPTIONS", "/v1/search", headers={"Origin": other} | preflight).status_code == 400
        )
    assert "access-control-allow-origin" not in asking.get("/", headers=origin).headers


@pytest.mark.parametrize(
    "wrong", ["books.example", "https://books.example/", "https://*.example", "null", "ftp://x"]
)
def test_an_origin_is_an_origin(door: Callable, client: Callable, wrong: str) -> None:
    with pytest.raises(InvalidSearchSettings, match="cors_origins are origins"):
        client(door(cors_origins=(wrong,)))
