"""What the parts of the service leave for each other at a request: who asks, and which cookies to set.

It lives in the ASGI scope's `state`, one dictionary from the outermost middleware to the route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from starlette.types import Scope

from engine.service.access.caller import Caller

if TYPE_CHECKING:
    from engine.service.access.keys import Key
    from engine.service.problems import Problem

_CALLER, _KEY, _COOKIES, _READER_PROBLEM = (
    "quire_caller",
    "quire_key",
    "quire_cookies",
    "quire_reader_problem",
)


def caller_of(scope: Scope) -> Caller | None:
    """Return who asks, as far as that is known; for logs and metrics."""
    return cast("Caller | None", _state(scope).get(_CALLER))


def remember_caller(scope: Scope, caller: Caller) -> None:
    """Say who asks."""
    _state(scope)[_CALLER] = caller


def key_of(scope: Scope) -> Key | None:
    """Return the API key that the request was found to have, once its rate has been counted."""
    return cast("Key | None", _state(scope).get(_KEY))


def remember_key(scope: Scope, key: Key) -> None:
    """Say which API key the request has."""
    _state(scope)[_KEY] = key
    remember_caller(scope, Caller(key.key_id, key.tenant, key.scopes))


def cookies_of(scope: Scope) -> list[str]:
    """Return the Set-Cookie headers that the answer is to carry."""
    return cast("list[str]", _state(scope).setdefault(_COOKIES, []))


def reader_problem_of(scope: Scope) -> Problem | None:
    """Return what is wrong with the reader's cookie of a request to the box that was answered nevertheless."""
    return cast("Problem | None", _state(scope).get(_READER_PROBLEM))


def remember_reader_problem(scope: Scope, problem: Problem) -> None:
    """Say what is wrong with the reader's cookie."""
    _state(scope)[_READER_PROBLEM] = problem


def _state(scope: Scope) -> dict[str, Any]:
    return cast("dict[str, Any]", scope.setdefault("state", {}))
