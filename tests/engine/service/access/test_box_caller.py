"""Who asks at the search box: readers with a token, guests, and nobody in particular."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from engine.service.access.tokens import GUEST, Tokens
from engine.service.settings import ServiceSettings

OWN = {"Sec-Fetch-Site": "same-origin"}
DAY = 86_400


def issued_ago(seconds: float, secret: str, **settings: Any) -> Tokens:
    """Return what issued tokens some time ago."""
    return Tokens(
        Path("nowhere"),
        ServiceSettings(**settings),
        environ={"QUIRE_TOKEN_SECRET": secret},
        clock=lambda: time.time() - seconds,
    )


def test_nobody_in_particular_leaves_no_trace(door: Callable, client: Callable) -> None:
    found = client(door()).get("/")
    assert found.json() == {"key": "box", "tenant": "default", "user": None, "guest": False, "problem": None}
    assert "set-cookie" not in found.headers


def test_a_guest_is_made_when_there_is_something_to_remember(door: Callable, client: Callable) -> None:
    here = door()
    asking = client(here)
    liked = asking.post("/like", headers=OWN)
    name = liked.headers["location"].removeprefix("/?")
    assert name.startswith(GUEST)
    assert asking.get("/").json()["user"] == name
    assert asking.get("/").json()["guest"] is True
    assert asking.post("/like", headers=OWN).headers["location"] == f"/?{name}", "and stays who they are"
    assert client(here).post("/like", headers=OWN).headers["location"] != f"/?{name}"


def test_without_guests_only_readers_are_remembered(door: Callable, client: Callable) -> None:
    for settings in ({"guests": False}, {"box": "token"}):
        here = door(**settings)
        asking = client(here)
        found = asking.post("/like", headers=OWN)
        assert found.status_code == 401
        assert "set-cookie" not in found.headers
        asking.cookies.set("quire_reader", here.tokens.issue("ann", "default"))
        assert asking.post("/like", headers=OWN).headers["location"] == "/?ann"


def test_a_reader_enters_and_leaves(door: Callable, client: Callable) -> None:
    here = door(box="token")
    asking = client(here)
    assert asking.get("/enter", params={"token": here.tokens.issue("ann", "default")}).status_code == 303
    assert asking.get("/").json()["user"] == "ann"
    asking.post("/leave", headers=OWN)
    found = asking.get("/")
    assert (found.status_code, found.json()["type"]) == (401, "urn:quire:problem:token-missing")


@pytest.mark.parametrize("box", ["open", "token"])
@pytest.mark.parametrize("how", ["forged", "expired", "another tenant", "a guest where there are none"])
def test_a_cookie_that_does_not_hold(door: Callable, client: Callable, box: str, how: str) -> None:
    here = door(box=box, guests=how != "a guest where there are none")
    token = {
        "forged": lambda: here.tokens.issue("ann", "default")[:-4],
        "expired": lambda: issued_ago(25 * 3600, here.signed_with).issue("ann", "default"),
        "another tenant": lambda: here.tokens.issue("ann", "acme"),
        "a guest where there are none": lambda: here.tokens.issue_guest("default")[1],
    }[how]()
    kind = "token-expired" if how == "expired" else "token-invalid"
    asking = client(here)
    asking.cookies.set("quire_reader", token)
    found = asking.get("/")
    if box == "open":
        assert (found.json()["user"], found.json()["problem"]) == (None, kind)
    else:
        assert (found.status_code, found.json()["type"]) == (401, f"urn:quire:problem:{kind}")
    entering = client(here).get("/enter", params={"token": token})
    assert (entering.status_code, entering.json()["type"]) == (401, f"urn:quire:problem:{kind}")
    assert "set-cookie" not in entering.headers


def test_a_box_that_is_off_is_not_there(door: Callable, client: Callable) -> None:
    assert client(door(box="off")).get("/").status_code == 404


def test_a_guest_who_comes_back_is_kept(door: Callable, client: Callable) -> None:
    here = door(guest_days=10)
    for age, renewed in ((3600, False), (3 * DAY, True), (10 * DAY - 60, True)):
        name, token = issued_ago(age, here.signed_with, guest_days=10).issue_guest("default")
        asking = client(here)
        asking.cookies.set("quire_reader", token, domain="127.0.0.1", path="/")
        found = asking.get("/")
        assert found.json()["user"] == name
        assert ("set-cookie" in found.headers) is renewed
        if renewed:
            again = SimpleCookie(found.headers["set-cookie"])["quire_reader"]
            assert int(again["max-age"]) >= 10 * DAY - 5
            assert here.tokens.read(again.value).user_id == name
    gone = client(here)
    gone.cookies.set(
        "quire_reader", issued_ago(11 * DAY, here.signed_with, guest_days=10).issue_guest("default")[1]
    )
    assert gone.get("/").json()["user"] is None


def test_a_reader_s_token_is_not_made_to_last(door: Callable, client: Callable) -> None:
    here = door(token_hours=200)
    asking = client(here)
    asking.cookies.set(
        "quire_reader", issued_ago(3 * DAY, here.signed_with, token_hours=200).issue("ann", "default")
    )
    found = asking.get("/")
    assert found.json()["user"] == "ann"
    assert "set-cookie" not in found.headers


def test_the_box_is_limited_by_address(door: Callable, client: Callable) -> None:
    here = door(burst=2, rate_per_minute=60)
    one, other = client(here, peer="10.0.0.1"), client(here, peer="10.0.0.2")
    assert [one.get("/").status_code for _ in range(3)] == [200, 200, 429]
    assert one.get("/").headers["retry-after"] == "1"
    assert other.get("/").status_code == 200
    same, apart = client(here, peer="2001:db8::1"), client(here, peer="2001:db8:0:1::1")
    assert [same.get("/").status_code for _ in range(2)] == [200, 200]
    assert client(here, peer="2001:db8::2").get("/").status_code == 429, "one subscriber has a /64"
    assert apart.get("/").status_code == 200


def test_tokens_are_not_guessed_at_the_box_for_ever(door: Callable, client: Callable) -> None:
    here = door(box="token", burst=10_000, rate_per_minute=10_000)
    asking = client(here)
    asking.cookies.set("quire_reader", "guess")
    assert {asking.get("/").status_code for _ in range(100)} == {401, 429}
