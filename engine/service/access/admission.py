"""Who may come in: a request's API key and its reader's token, checked, and their rates counted."""

from __future__ import annotations

import math
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import Scope as RequestScope

from engine.service.access.addresses import Proxies
from engine.service.access.keys import Key, KeyRing
from engine.service.access.rates import Rates
from engine.service.access.state import key_of, remember_key
from engine.service.access.tokens import READER_CHALLENGE, ReaderToken, Tokens
from engine.service.problems import Problem
from engine.service.settings import ServiceSettings

READER_HEADER = "Quire-Reader"
FAILURES_A_MINUTE = 60  # refused keys and tokens that an address is told the reason of
_BEARER = 'Bearer realm="quire"'


class Gate(Protocol):
    """What admission needs of a `Service`."""

    @property
    def settings(self) -> ServiceSettings:
        """How the service runs."""
        ...

    @property
    def keys(self) -> KeyRing:
        """The API keys."""
        ...

    @property
    def tokens(self) -> Tokens:
        """The readers' tokens."""
        ...

    @property
    def rates(self) -> Rates:
        """How often somebody may ask."""
        ...

    @property
    def proxies(self) -> Proxies:
        """The proxies whose word is believed."""
        ...


def admitted(gate: Gate, request: RequestScope) -> Key:
    """Return the API key of a request, once for each request its rate counted.

    Raises:
        Problem: 401 `key-missing`, `key-invalid` or `key-expired`; 429 `rate-limited`: the key has asked too often, or
            its address has been refused too often.
    """
    known = key_of(request)
    if known is not None:
        return known
    try:
        key = gate.keys.check(_bearer(Headers(scope=request)))
        if key is None:
            raise Problem(
                401,
                "key-invalid",
                "there is no such API key: it was mistyped, or revoked",
                {"WWW-Authenticate": f'{_BEARER}, error="invalid_token"'},
            )
    except Problem:
        count_failure(gate, request)
        raise
    remember_key(request, key)
    rate = key.rate_per_minute or gate.settings.rate_per_minute
    count(gate, f"key {key.key_id}", rate, f"the API key {key.key_id} may make {rate:,} requests a minute")
    return key


def reader(gate: Gate, request: RequestScope, tenant: str) -> ReaderToken | None:
    """Return what the header Quire-Reader of a request proves; None where it has none.

    Raises:
        Problem: 401 `token-invalid` or `token-expired`; 403 `tenant-mismatch`: it is a reader of another tenant; 429.
    """
    given = Headers(scope=request).getlist(READER_HEADER)
    if not given:
        return None
    if len(given) > 1:
        raise Problem(
            401,
            "token-invalid",
            f"a request carries one {READER_HEADER}, found {len(given)}",
            READER_CHALLENGE,
        )
    try:
        found = gate.tokens.read(given[0].strip())
    except Problem:
        count_failure(gate, request)
        raise
    if found.tenant != tenant:
        raise Problem(
            403,
            "tenant-mismatch",
            f"the reader's token is of another tenant than the API key's, which is {tenant}",
        )
    return found


def count(gate: Gate, who: str, per_minute: int, allowed: str) -> None:
    """Count a request of somebody's.

    Args:
        gate: Has the rates.
        who: Whose bucket.
        per_minute: How many they may make.
        allowed: The same in words, for the answer.

    Raises:
        Problem: 429 `rate-limited`.
    """
    wait = gate.rates.take(who, per_minute)
    if wait > 0:
        seconds = math.ceil(wait)
        raise Problem(
            429,
            "rate-limited",
            f"{allowed}; ask again in {seconds} s",
            {"Retry-After": str(seconds)},
            retry_after=seconds,
        )


def count_failure(gate: Gate, request: RequestScope) -> None:
    """Count a refused key or token against the address that it came from.

    A key that holds is never refused for others' failures at its address: nobody finds 256 bits by trying, so the
    limit spares the service work and its log lines, and a stranger behind the same address could misuse more.

    Raises:
        Problem: 429 `rate-limited`, in place of the reason.
    """
    count(
        gate,
        f"refused {gate.proxies.client(request)}",
        FAILURES_A_MINUTE,
        "too many keys or tokens from this address were refused",
    )


def _bearer(headers: Headers) -> str:
    """Return the secret that the request carries. Raises Problem 401 where it carries none, or several."""
    given = headers.getlist("authorization")
    scheme, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not secret.strip():
        found = (
            "none" if not given else "several" if len(given) > 1 else "something else"
        )  # which may be a secret
        raise Problem(
            401,
            "key-missing",
            f"a request carries an API key as `Authorization: Bearer quire_...`; found {found}",
            {"WWW-Authenticate": _BEARER},
        )
    return secret.strip()
