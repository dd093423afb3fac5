"""What every answer tells the browser, whoever answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.service.access.headers import HEADERS, POLICY

GOOD = {"Sec-Fetch-Site": "same-origin"}


def test_the_policy_lets_nothing_in_that_is_not_ours() -> None:
    parts = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert parts["default-src"] == "'none'"
    assert "unsafe" not in POLICY
    assert "*" not in POLICY
    assert "http" not in POLICY
    assert {source for value in parts.values() for source in value.split()} == {"'none'", "'self'", "data:"}
    assert [name for name, value in parts.items() if "data:" in value] == ["img-src"]
    for name in ("base-uri", "frame-ancestors"):
        assert parts[name] == "'none'"
    assert parts["form-action"] == "'self'"


def test_every_answer_has_them(door: Callable, client: Callable) -> None:
    here = door(max_body_kb=1, burst=2, rate_per_minute=60)
    asking = client(here)
    key = here.secret("search")
    answers = [
        asking.get("/v1/search", headers=key),
        asking.get("/v1/search"),
        asking.get("/v1/admin", headers=key),
        asking.get("/v1/search", headers=key),
        asking.get("/v1/nothing", headers=here.secret("search")),
        asking.post("/v1/search", headers=here.secret("search")),
        asking.post("/v1/size", headers=here.secret("search"), content=b"x" * 2000),
        asking.get("/?" + "x" * 50_000),
        asking.get("/", headers={f"x-{n}": "" for n in range(200)}),
        asking.get("/", headers={"Host": "evil.example"}),
        asking.post("/like"),
        asking.get("/health/live"),
        asking.get("/"),
    ]
    assert [one.status_code for one in answers] == [
        *(200, 401, 403, 429, 404, 405, 413, 414, 431, 421, 403, 200, 200),
    ]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers.get_list(name) == [value], (answer.status_code, name)
        if answer.status_code >= 400 and answer.status_code not in (404, 405):
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code


def test_a_route_may_tell_even_less(door: Callable, client: Callable) -> None:
    found = client(door()).get("/enter", params={"token": door().tokens.issue("ann", "default")})
    assert found.headers.get_list("referrer-policy") == ["no-referrer"]
    assert found.headers["cache-control"] == "no-store", "it sets a cookie"


def test_what_is_about_a_reader_is_kept_nowhere(door: Callable, client: Callable) -> None:
    here = door()
    asking = client(here)

    def kept(path: str, **headers: str) -> str:
        return str(asking.get(path, headers=headers).headers["cache-control"])

    assert kept("/v1/search", **here.secret("search")) == "no-store"
    assert kept("/v1/search") == "no-store"
    assert kept("/v1/cached", **here.secret("search")) == "max-age=60", "what says so itself"
    assert kept("/") == "private, no-cache"
    liked = asking.post("/like", headers=GOOD)
    assert liked.headers["cache-control"] == "no-store", "it carries a cookie"
    assert kept("/") == "no-store"


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_for_our_pages_alone(door: Callable, client: Callable, secure: bool) -> None:
    here = door(trusted_proxies=("127.0.0.1",))
    asking = client(here, peer="127.0.0.1")
    said = {"X-Forwarded-Proto": "https" if secure else "http", "X-Forwarded-For": "1.2.3.4"}
    entered = asking.get(
        "/enter", params={"token": here.tokens.issue("ann", "default", hours=2)}, headers=said
    )
    [line] = entered.headers.get_list("set-cookie")
    name, *attributes = line.split("; ")
    assert name.startswith("quire_reader=")
    found = {part.partition("=")[0].lower(): part.partition("=")[2] for part in attributes}
    assert found.keys() == {"httponly", "max-age", "path", "samesite"} | ({"secure"} if secure else set())
    assert (found["path"], found["samesite"]) == ("/", "Lax")
    assert 2 * 3600 - 5 <= int(found["max-age"]) <= 2 * 3600
    [gone] = asking.post("/leave", headers=GOOD | said).headers.get_list("set-cookie")
    assert 'quire_reader=""; ' in gone
    assert "Max-Age=0" in gone
    assert "HttpOnly" in gone
