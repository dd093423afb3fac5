"""The one cookie of the search box: which reader a browser is. Nothing sets it before a reader does something."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http.cookies import SimpleCookie

from fastapi import Request

from engine.service.access.caller import Caller
from engine.service.access.state import cookies_of, remember_caller
from engine.service.access.tokens import ReaderToken
from engine.service.problems import Problem

COOKIE = "quire_reader"
_RENEWED_AFTER = 86_400  # seconds: a guest's cookie is made to last again once a day


def keep_reader(request: Request, token: str) -> None:
    """Let the answer to a request set the cookie, for as long as the token holds.

    Not for scripts (HttpOnly), not sent along by other sites' forms and pictures (SameSite=Lax: following a link to a
    search still knows the reader), and over TLS only (Secure) where the browser speaks it.

    Args:
        request: Being answered.
        token: Of a reader, checked already.
    """
    expires = request.app.state.service.tokens.read(token).expires
    _set(request, token, max(0, int((expires - datetime.now(UTC)).total_seconds())))


def drop_reader(request: Request) -> None:
    """Let the answer to a request remove the cookie."""
    _set(request, "", 0)


def as_reader(request: Request, caller: Caller) -> Caller:
    """Return the caller as somebody of whom a trace may be kept: themselves, or a new guest whose cookie is set.

    Raises:
        Problem: 401 `reader-missing`: there are no guests here.
    """
    service = request.app.state.service
    if caller.user_id is not None:
        return caller
    if not service.settings.guests or service.settings.box == "token":
        raise Problem(401, "reader-missing", "only readers who come with a token can do that here")
    user_id, token = service.tokens.issue_guest(caller.tenant)
    keep_reader(request, token)
    guest = Caller(caller.key_id, caller.tenant, caller.scopes, user_id, guest=True)
    remember_caller(request.scope, guest)
    return guest


def renew_guest(request: Request, token: ReaderToken) -> None:
    """Let a guest's cookie last anew from this visit on, where the last one is a day ago."""
    if time.time() - token.issued.timestamp() > _RENEWED_AFTER:
        tokens = request.app.state.service.tokens
        keep_reader(request, tokens.issue(token.user_id, token.tenant, guest=True))


def _set(request: Request, value: str, seconds: int) -> None:
    cookie: SimpleCookie = SimpleCookie()
    cookie[COOKIE] = value
    morsel = cookie[COOKIE]
    morsel["path"] = "/"
    morsel["max-age"] = seconds
    morsel["httponly"] = True
    morsel["samesite"] = "Lax"
    if request.app.state.service.proxies.is_https(request.scope):
        morsel["secure"] = True
    lines = cookies_of(request.scope)
    lines[:] = [morsel.OutputString()]
