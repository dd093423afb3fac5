"""Whom a request comes from: what proxies that are trusted say, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidSearchSettings
from engine.service.access.addresses import Proxies


def request(
    peer: str | None = "10.0.0.1", scheme: str = "http", **headers: str | list[str]
) -> dict[str, Any]:
    """Return the ASGI scope of a request."""
    lines = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return {
        "type": "http",
        "client": (peer, 1234) if peer else None,
        "scheme": scheme,
        "headers": lines,
    }


@pytest.mark.parametrize(
    ("trusted", "peer", "said", "client"),
    [
        ((), "10.0.0.1", [], "10.0.0.1"),
        ((), "10.0.0.1", ["1.1.1.1"], "10.0.0.1"),
        (("10.0.0.1",), "10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
        (("10.0.0.1",), "10.0.0.2", ["1.1.1.1"], "10.0.0.2"),
        (("10.0.0.0/8",), "10.9.9.9", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        (("10.0.0.0/8",), "10.9.9.9", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        (("10.0.0.0/8",), "10.9.9.9", ["6.6.6.6, 1.1.1.1, 10.1.1.1"], "1.1.1.1"),
        (("10.0.0.0/8",), "10.9.9.9", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        (("10.0.0.0/8",), "10.9.9.9", [], "10.9.9.9"),
        (("10.0.0.0/8",), "10.9.9.9", ["unknown"], "10.9.9.9"),
        (("10.0.0.0/8",), "10.9.9.9", ["1.1.1.1, _hidden"], "10.9.9.9"),
        (("10.0.0.0/8",), "10.9.9.9", ["1.1.1.1:5555"], "1.1.1.1"),
        (("10.0.0.0/8",), "10.9.9.9", ['"[2001:db8::1]:5555"'], "2001:db8::/64"),
        (("10.0.0.0/8",), "10.9.9.9", ["2001:db8:0:1:aaaa:bbbb:cccc:dddd"], "2001:db8:0:1::/64"),
        (("::1",), "::1", ["1.1.1.1"], "1.1.1.1"),
        (("10.0.0.0/8",), "::ffff:10.9.9.9", ["1.1.1.1"], "1.1.1.1"),
        ((), "::ffff:1.2.3.4", [], "1.2.3.4"),
        ((), "fe80::1%eth0", [], "fe80::/64"),
        ((), "2001:db8::1", [], "2001:db8::/64"),
        ((), "2001:db8::ffff", [], "2001:db8::/64"),
        ((), None, ["1.1.1.1"], "unknown"),
        (("10.0.0.0/8",), "testclient", ["1.1.1.1"], "unknown"),
    ],
)
def test_the_client_is_the_first_that_is_not_ours(
    trusted: tuple[str, ...], peer: str | None, said: list[str], client: str
) -> None:
    assert Proxies(trusted).client(request(peer, x_forwarded_for=said)) == client


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=200))
def test_nothing_that_is_said_makes_it_fail(said: str) -> None:
    found = Proxies(("10.0.0.0/8",)).client(request("10.0.0.1", x_forwarded_for=said, x_forwarded_proto=said))
    assert found
    assert Proxies(()).client(request("10.0.0.1", x_forwarded_for=said)) == "10.0.0.1"


def test_what_the_client_made_up_counts_for_nothing() -> None:
    """However much stands before the address that our proxy wrote."""
    trusting = Proxies(("10.0.0.1",))
    for invented in ("", "9.9.9.9, ", "10.0.0.1, 9.9.9.9, ", "x, " * 5000):
        assert trusting.client(request("10.0.0.1", x_forwarded_for=f"{invented}1.1.1.1")) == "1.1.1.1"


@pytest.mark.parametrize(
    ("peer", "scheme", "said", "https"),
    [
        ("10.0.0.1", "https", [], True),
        ("10.0.0.1", "http", [], False),
        ("10.0.0.1", "http", ["https"], True),
        ("10.0.0.1", "http", ["HTTPS"], True),
        ("10.0.0.1", "http", ["https, http"], False),
        ("10.0.0.1", "http", ["http", "https"], True),
        ("10.0.0.2", "http", ["https"], False),
        (None, "http", ["https"], False),
    ],
)
def test_tls_is_believed_of_trusted_proxies(
    peer: str | None, scheme: str, said: list[str], https: bool
) -> None:
    assert Proxies(("10.0.0.1",)).is_https(request(peer, scheme, x_forwarded_proto=said)) is https


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.1/33", "10.0.0.1/8", ""])
def test_a_proxy_is_an_address(wrong: str) -> None:
    with pytest.raises(InvalidSearchSettings, match="trusted_proxies are addresses or networks"):
        Proxies((wrong,))
