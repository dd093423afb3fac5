"""The head of a request: how long it may be, and which host it may be meant for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import InvalidSearchSettings
from engine.service.access.heads import LONGEST_HEADERS, host_name, is_loopback, longest_url
from engine.service.settings import ServiceSettings


def told(asking: Any, host: str, path: str = "/") -> tuple[int, str]:
    """Return how a request for a host is answered."""
    found = asking.get(path, headers={"Host": host})
    return found.status_code, found.json().get("type", "")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8765",
        "127.0.0.1",
        "localhost:8765",
        "LOCALHOST",
        "quire.localhost",
        "[::1]:8765",
        "192.168.1.7",
        "10.0.0.1:1",
    ],
)
def test_names_that_nobody_can_point_elsewhere(door: Callable, client: Callable, host: str) -> None:
    for hosts in ((), ("search.example",)):
        assert told(client(door(hosts=hosts)), host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evillocalhost",
        "x",
        "127.0.0.1:80@evil.example",
        "[evil",
        "999.1.1.1",
        "",
    ],
)
def test_a_name_that_was_pointed_here_is_refused(door: Callable, client: Callable, host: str) -> None:
    for listening in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        assert told(client(door(host=listening)), host) == (421, "urn:quire:problem:unknown-host")
    asking = client(door(host="0.0.0.0"))
    assert asking.get("/", headers={"Host": host}).status_code == 200, (
        "who listens to all is asked by any name"
    )
    asking = client(door(host="0.0.0.0", hosts=("search.example",)))
    assert told(asking, host)[0] == 421, "unless the names are said"


def test_named_hosts_are_answered(door: Callable, client: Callable) -> None:
    asking = client(door(hosts=("Search.Example", "quire.svc.")))
    for host in ("search.example", "search.example:8765", "SEARCH.EXAMPLE.", "quire.svc"):
        assert told(asking, host)[0] == 200
    found = asking.get("/", headers={"Host": "other.example"})
    assert "QUIRE_SERVICE_HOSTS" in found.json()["detail"]
    assert (
        client(door(host="0.0.0.0", hosts=("a.example",))).get("/", headers={"Host": "a.example"}).is_success
    )


def test_any_name_may_be_asked_for(door: Callable, client: Callable) -> None:
    assert told(client(door(hosts=("*",))), "whatever.example")[0] == 200


@pytest.mark.parametrize(
    "wrong", ["https://a.example", "a.example:80", "a.example/", "*.example", "a b@c", "[x"]
)
def test_a_host_is_a_name(door: Callable, client: Callable, wrong: str) -> None:
    with pytest.raises(InvalidSearchSettings, match="hosts are names"):
        client(door(hosts=(wrong,)))


def test_health_is_told_under_any_name(door: Callable, client: Callable) -> None:
    assert told(client(door()), "pod-7.svc.cluster.local", "/health/live")[0] == 200


def test_two_hosts_are_one_too_many(door: Callable, client: Callable) -> None:
    found = client(door()).get("/", headers=[("Host", "127.0.0.1"), ("Host", "evil.example")])
    assert found.status_code == 400


def test_a_query_as_long_as_may_be_fits_into_a_url(door: Callable, client: Callable) -> None:
    asking = client(door(max_query_chars=2000))
    assert asking.get("/", params={"q": "𠀋" * 2000}).status_code == 200
    long = longest_url(ServiceSettings())
    assert asking.get("/?" + "x" * (long - 1)).status_code == 200
    found = asking.get("/?" + "x" * long)
    assert (found.status_code, found.json()["type"]) == (414, "urn:quire:problem:url-too-long")
    assert asking.get("/" + "x" * long).status_code == 414


def test_headers_are_bounded(door: Callable, client: Callable) -> None:
    asking = client(door())
    assert asking.get("/", headers={"x": "y" * (LONGEST_HEADERS // 2)}).status_code == 200
    assert asking.get("/", headers={"x": "y" * LONGEST_HEADERS}).status_code == 431
    assert asking.get("/", headers={f"x{n}": "" for n in range(80)}).status_code == 200
    assert asking.get("/", headers={f"x{n}": "" for n in range(101)}).status_code == 431


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.example:80", "a.example"), ("[::1]:80", "::1"), ("::1", ""), ("a.", "a"), (" a ", "a"), ("", "")],
)
def test_the_name_in_a_host(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("a.example", False),
    ],
)
def test_what_is_reached_from_this_machine_alone(host: str, here: bool) -> None:
    assert is_loopback(host) is here
