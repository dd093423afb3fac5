"""What a route asks for: the service, and a caller who may do what the route does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from engine.service.access.admission import READER_HEADER, admitted, count, count_failure, reader
from engine.service.access.caller import BOX, Caller, Scope
from engine.service.access.cookies import COOKIE, renew_guest
from engine.service.access.state import remember_caller, remember_reader_problem
from engine.service.access.tokens import ReaderToken
from engine.service.problems import Problem

if TYPE_CHECKING:
    from engine.service.service import Service

# Declared for the OpenAPI document; what they find is read by `admission`, which also says what is wrong.
_KEY = HTTPBearer(
    scheme_name="key",
    bearerFormat="quire_...",
    description="An API key, made with `quire keys add`. Which scope a request needs is said with it.",
    auto_error=False,
)
_READER = APIKeyHeader(
    name=READER_HEADER,
    scheme_name="reader",
    description="A reader's signed token, from POST /v1/reader-tokens or `quire keys token`: whose list it is to be.",
    auto_error=False,
)
_Key = Annotated[HTTPAuthorizationCredentials | None, Security(_KEY)]
_Reader = Annotated[str | None, Security(_READER)]
CallerOf = Callable[[Request, HTTPAuthorizationCredentials | None, str | None], Awaitable[Caller]]
_BOX_SCOPES: frozenset[Scope] = frozenset(("search", "events"))


def the_service(request: Request) -> Service:
    """Return the service that a request is for."""
    return cast("Service", request.app.state.service)


def needs(scope: Scope) -> CallerOf:
    """Return a dependency: a caller whose API key has a scope, and the reader of Quire-Reader if there is one.

    Problems: 401 (`key-missing`, `key-invalid`, `key-expired`, `token-invalid`, `token-expired`), 403 (`scope-missing`,
    `tenant-mismatch`), 429 (`rate-limited`).
    """

    async def caller(request: Request, _key: _Key, _reader: _Reader) -> Caller:
        gate = request.app.state.service
        key = admitted(gate, request.scope)
        if scope not in key.scopes:
            raise Problem(
                403,
                "scope-missing",
                f"this needs an API key with the scope {scope!r}; {key.key_id} has {', '.join(sorted(key.scopes))}",
                scope=scope,
            )
        token = reader(gate, request.scope, key.tenant)
        found = Caller(key.key_id, key.tenant, key.scopes)
        if token is not None:
            found = Caller(key.key_id, key.tenant, key.scopes, token.user_id, token.guest)
        remember_caller(request.scope, found)
        return found

    return caller


def reader_of(scope: Scope) -> CallerOf:
    """Return a dependency like `needs`, for what is about a reader: 401 `reader-missing` where there is no token."""
    inner = needs(scope)

    async def caller(request: Request, _key: _Key, _reader: _Reader) -> Caller:
        found = await inner(request, _key, _reader)
        if found.user_id is None:
            raise Problem(
                401,
                "reader-missing",
                f"this is about a reader, named by a signed token in the header {READER_HEADER}; found none",
                {"WWW-Authenticate": 'Bearer realm="quire-reader"'},
            )
        return found

    return caller


async def box_caller(request: Request) -> Caller:
    """Return who asks at the search box: the reader whom the cookie names, or nobody in particular.

    Where the box is open, a cookie that does not hold (any more) makes nobody of its reader, and
    `state.reader_problem_of(request.scope)` says what is wrong with it, for the page to say so. A guest's cookie is
    made to last again at a visit.

    Raises:
        Problem: 401 `token-missing`, `token-expired` or `token-invalid` where the box is for those with a token; 404
            where it is off; 429.
    """
    gate = request.app.state.service
    settings = gate.settings
    if settings.box == "off":
        raise Problem(404, "no-box", "this service has no search box")
    rate = settings.rate_per_minute
    who = f"box {gate.proxies.client(request.scope)}"
    count(gate, who, rate, f"the search box answers {rate:,} requests a minute from one address")
    nobody = Caller(BOX, settings.tenant, _BOX_SCOPES)
    remember_caller(request.scope, nobody)
    given = request.cookies.get(COOKIE)
    if not given and settings.box == "token":
        raise Problem(
            401, "token-missing", "this search box is for readers who come with a token; found none"
        )
    if not given:
        return nobody
    try:
        token = reader_at_box(request, given)
    except Problem as problem:
        if settings.box == "token":
            count_failure(gate, request.scope)
            raise
        remember_reader_problem(request.scope, problem)
        return nobody
    if token.guest:
        renew_guest(request, token)
    found = Caller(BOX, token.tenant, _BOX_SCOPES, token.user_id, token.guest)
    remember_caller(request.scope, found)
    return found


BoxCaller = Annotated[Caller, Depends(box_caller)]
"""Who asks, as routes of the box take it."""


def reader_at_box(request: Request, token: str) -> ReaderToken:
    """Return what a reader's token proves at the search box: in the cookie, or in the address of /enter.

    Raises:
        Problem: 401: it does not hold, is of another tenant than the box, or a guest's where there are none.
    """
    gate = request.app.state.service
    found: ReaderToken = gate.tokens.read(token)
    if found.tenant != gate.settings.tenant:
        raise Problem(
            401, "token-invalid", f"the token is for another search box than that of {gate.settings.tenant}"
        )
    if found.guest and (gate.settings.box == "token" or not gate.settings.guests):
        raise Problem(
            401, "token-invalid", "this search box has no guests any more; come with a reader's token"
        )
    return found
