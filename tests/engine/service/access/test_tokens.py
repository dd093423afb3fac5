"""Readers' tokens: forged in every way that is known, none of them gets through."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.access.errors import InvalidGrant
from engine.service.access.tokens import GUEST, LEEWAY, LONGEST_TOKEN, ReaderToken, Tokens
from engine.service.problems import Problem
from engine.service.settings import ServiceSettings

SECRET = b"thirty-two bytes and some more of it"
HOUR = 3600


def tokens(secret: str = SECRET.decode(), **values: Any) -> Tokens:
    """Return what issues and reads tokens under a secret."""
    return Tokens(Path("nowhere"), ServiceSettings(**values), environ={"QUIRE_TOKEN_SECRET": secret})


def part(value: object) -> bytes:
    """Return a part of a token."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def signed(
    claims: object, secret: bytes = SECRET, header: object = None, digest: Callable[..., Any] = hashlib.sha256
) -> str:
    """Return a token as RFC 7515 makes it, without the help of any library."""
    said = part({"alg": "HS256", "typ": "JWT"} if header is None else header) + b"." + part(claims)
    return (said + b"." + part(hmac.new(secret, said, digest).digest())).decode()


def good(**changed: object) -> dict[str, object]:
    """Return claims that hold, but for what is changed; None leaves one out."""
    now = int(time.time())
    claims = {
        "iss": "quire",
        "aud": "quire-reader",
        "sub": "ann",
        "tenant": "default",
        "iat": now,
        "exp": now + HOUR,
        "jti": "x",
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def kind(token: str, reading: Tokens | None = None) -> str:
    """Return what is wrong with a token, `fine` if nothing."""
    try:
        (reading or tokens()).read(token)
    except Problem as problem:
        challenged = problem.status == 401 and "WWW-Authenticate" in problem.headers
        return problem.kind if challenged else f"{problem.status} without a challenge"
    return "fine"


def test_one_signed_elsewhere_with_the_shared_secret_is_read() -> None:
    claims = good()
    found = tokens().read(signed(claims))
    assert found == ReaderToken(
        "ann",
        "default",
        datetime.fromtimestamp(claims["exp"], UTC),  # type: ignore[arg-type]
        False,
        datetime.fromtimestamp(claims["iat"], UTC),  # type: ignore[arg-type]
    )
    assert kind(signed(good(name="Ann", admin=True, kid="x"))) == "fine", "other claims are nobody's business"


@pytest.mark.parametrize("user_id", ["ann", "安", "a b/c@d#?", "x" * 1024, "\u202e"])
def test_what_is_issued_is_read_back(user_id: str) -> None:
    found = tokens().read(tokens().issue(user_id, "acme", hours=2))
    assert (found.user_id, found.tenant, found.guest) == (user_id, "acme", False)
    assert (found.expires - found.issued).total_seconds() == 2 * HOUR


def test_a_token_is_as_the_standard_has_it() -> None:
    head, body, signature = tokens().issue("ann", "default").encode().split(b".")
    assert part(hmac.new(SECRET, head + b"." + body, hashlib.sha256).digest()) == signature
    claims = json.loads(base64.urlsafe_b64decode(body + b"=="))
    assert claims.keys() == {"iss", "aud", "sub", "tenant", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 24 * HOUR
    assert tokens().issue("ann", "default") != tokens().issue("ann", "default"), "jti"


FORGED: dict[str, Callable[[], str]] = {
    "no signature": lambda: signed(good()).rpartition(".")[0] + ".",
    "alg none": lambda: (part({"alg": "none"}) + b"." + part(good()) + b".").decode(),
    "alg None": lambda: (part({"alg": "None", "typ": "JWT"}) + b"." + part(good()) + b".").decode(),
    "alg none, signed": lambda: signed(good(), header={"alg": "none"}),
    "no alg": lambda: signed(good(), header={"typ": "JWT"}),
    "alg HS512": lambda: signed(good(), header={"alg": "HS512"}, digest=hashlib.sha512),
    "alg RS256": lambda: signed(good(), header={"alg": "RS256"}),
    "alg hs256": lambda: signed(good(), header={"alg": "hs256"}),
    "alg is a list": lambda: signed(good(), header={"alg": ["HS256"]}),
    "its own key": lambda: signed(
        good(), b"k" * 32, {"alg": "HS256", "jwk": {"kty": "oct", "k": part(b"k" * 32).decode()}}
    ),
    "another secret": lambda: signed(good(), b"z" * 36),
    "an empty secret": lambda: signed(good(), b""),
    "a secret cut short": lambda: signed(good(), SECRET[:-1]),
    "critical header": lambda: signed(good(), header={"alg": "HS256", "crit": ["x"], "x": 1}),
    "unencoded payload": lambda: signed(good(), header={"alg": "HS256", "b64": False, "crit": ["b64"]}),
    "another audience": lambda: signed(good(aud="quire-admin")),
    "several audiences": lambda: signed(good(aud=["quire-reader", "other"])),
    "another issuer": lambda: signed(good(iss="other")),
    "not yet": lambda: signed(good(nbf=int(time.time()) + HOUR)),
    "issued in the future": lambda: signed(
        good(iat=int(time.time()) + HOUR, exp=int(time.time()) + 2 * HOUR)
    ),
    "holds too long": lambda: signed(good(exp=int(time.time()) + 25 * HOUR)),
    "holds for ever": lambda: signed(good(exp=10**12)),
    "beyond all calendars": lambda: signed(good(exp=10**18)),
    "infinite": lambda: signed(good(exp=float("inf"))),
    "issued at no time at all": lambda: signed(good(iat=float("inf"))),
    "issued long ago, to last till now": lambda: signed(good(iat=1)),
    "issued in no time": lambda: signed(good(iat=float("-inf"))),
    "expires before it was issued": lambda: signed(good(iat=int(time.time()) + 5, exp=int(time.time()) + 4)),
    "exp as text": lambda: signed(good(exp=str(int(time.time()) + HOUR))),
    "iat as text": lambda: signed(good(iat=str(int(time.time())))),
    "iat is NaN": lambda: signed(good(iat=float("nan"))),
    "exp is NaN": lambda: signed(good(exp=float("nan"))),
    "sub is a number": lambda: signed(good(sub=5)),
    "sub is empty": lambda: signed(good(sub="")),
    "sub is long": lambda: signed(good(sub="x" * 1025)),
    "sub is half a character": lambda: signed(good(sub="\ud800")),
    "sub with NUL": lambda: signed(good(sub="a\0b")),
    "tenant is a path": lambda: signed(good(tenant="../other")),
    "tenant is a list": lambda: signed(good(tenant=["default"])),
    "jti is a number": lambda: signed(good(jti=5)),
    "a list for claims": lambda: signed([1]),
    "nested deeply": lambda: signed(b"[" * 2000),
    "a head nested deeply": lambda: (part(b"[" * 2000) + b"." + part(good()) + b".x").decode(),
    "not JSON": lambda: signed(b"\xff{"),
    "too long": lambda: signed(good(jti="x" * LONGEST_TOKEN)),
    "empty": lambda: "",
    "dots": lambda: "..",
    "four parts": lambda: signed(good()) + ".x",
    "not ASCII": lambda: signed(good()) + "é",
    "a line end": lambda: signed(good()) + "\n",
    "a letter that is none of base64": lambda: signed(good()).replace(".", "!.", 1),
    "half a character": lambda: "\ud800.x.y",
    "an API key": lambda: "quire_00000000_" + "x" * 43,
    **{
        f"no {name}": (lambda name=name: signed(good(**{name: None})))  # type: ignore[misc]
        for name in ("iss", "aud", "sub", "tenant", "iat", "exp", "jti")
    },
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_gets_nowhere(how: str) -> None:
    assert kind(FORGED[how]()) == "token-invalid"


@pytest.mark.parametrize("name", ["tenant", "sub", "exp"])
def test_a_claim_changed_after_signing_is_noticed(name: str) -> None:
    head, _, signature = signed(good()).split(".")
    other = {"tenant": "acme", "sub": "bob", "exp": int(time.time()) + 2 * HOUR}[name]
    body = part(good(**{name: other})).decode()
    assert kind(f"{head}.{body}.{signature}") == "token-invalid"


@given(
    st.integers(0, 10_000),
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
)
def test_any_letter_changed_is_noticed_or_changes_nothing(at: int, letter: str) -> None:
    claims = good()
    token = signed(claims)
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    try:
        found = tokens().read(changed)
    except Problem:
        return
    # The last letter of a part has bits that stand for nothing.
    assert changed == token or changed[at + 1 :].startswith(".") or at == len(token) - 1
    assert found == tokens().read(token)


@given(st.text(max_size=300))
def test_no_text_is_a_token(text: str) -> None:
    assert kind(text) == "token-invalid"


def test_one_that_is_over_says_so_and_a_clock_a_little_off_is_forgiven() -> None:
    now = int(time.time())
    expired = {"iat": now - HOUR, "exp": now - LEEWAY - 1}
    assert kind(signed(good(**expired))) == "token-expired"
    assert kind(signed(good(**expired), b"z" * 36)) == "token-invalid", (
        "only who knows the secret learns that"
    )
    assert kind(signed(good(iat=0, exp=True))) == "token-expired"
    assert kind(signed(good(iat=now - HOUR, exp=now - LEEWAY + 5))) == "fine"
    assert kind(signed(good(iat=now + LEEWAY - 5))) == "fine"


def test_an_issued_token_expires() -> None:
    long_ago = Tokens(
        Path("nowhere"),
        ServiceSettings(),
        environ={"QUIRE_TOKEN_SECRET": SECRET.decode()},
        clock=lambda: time.time() - 25 * HOUR,
    )
    assert kind(long_ago.issue("ann", "default")) == "token-expired"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"user_id": ""}, "has 1 to 1,024 characters"),
        ({"user_id": "x" * 1025}, "has 1 to 1,024 characters"),
        ({"user_id": 5}, "is a string"),
        ({"user_id": "\ud800"}, "half of a character"),
        ({"user_id": "安" * 1024}, "would not fit into a cookie"),
        ({"tenant": "a/b"}, "tenant's name"),
        ({"hours": 0}, "up to 24 hours; found 0"),
        ({"hours": -1}, "more than 0"),
        ({"hours": 24.1}, "up to 24 hours"),
        ({"hours": float("nan")}, "found nan"),
        ({"hours": True}, "found True"),
        ({"guest": True}, "a guest's name begins with"),
        ({"user_id": f"{GUEST}1"}, "and nobody else's does"),
        ({"user_id": f"{GUEST}1", "guest": True, "hours": 24 * 180 + 1}, "up to 4320 hours"),
    ],
)
def test_a_token_that_cannot_be_is_not_issued(arguments: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InvalidGrant, match=said):
        tokens().issue(**{"user_id": "ann", "tenant": "default", **arguments})


def test_a_guest_has_a_name_of_their_own_and_longer() -> None:
    user_id, token = tokens(guest_days=30).issue_guest("acme")
    found = tokens(guest_days=30).read(token)
    assert (found.user_id, found.tenant, found.guest) == (user_id, "acme", True)
    assert (found.expires - found.issued).days == 30
    assert user_id.startswith(GUEST)
    assert tokens().issue_guest("acme")[0] != user_id
    assert kind(token, tokens(guest_days=29)) == "token-invalid", "the span is checked when it is read"
    now = int(time.time())
    assert kind(signed(good(exp=now + 30 * 24 * HOUR))) == "token-invalid", "and others' are no guests"


def test_the_secret_is_changed_without_anybody_noticing() -> None:
    old, new = "o" * 32, "n" * 32
    before, between, after = tokens(old), tokens(f"{new}\n{old}"), tokens(new)
    first, second = before.issue("ann", "default"), between.issue("ann", "default")
    assert [kind(first, each) for each in (before, between, after)] == ["fine", "fine", "token-invalid"]
    assert [kind(second, each) for each in (before, between, after)] == ["token-invalid", "fine", "fine"]


def test_neither_token_nor_secret_is_shown() -> None:
    reading = tokens()
    token = reading.issue("ann", "default")
    shown = repr(reading) + repr(reading.read(token)) + repr(vars(reading))
    with pytest.raises(Problem) as error:
        reading.read(token[:-3] + "xyz")
    shown += str(error.value) + repr(error.value.to_json())
    assert token.rpartition(".")[2][:20] not in shown
    assert SECRET.decode() not in shown
