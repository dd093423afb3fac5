"""`Tokens`: who a reader is, signed: JSON web tokens (RFC 7519) that the service, or a site's own login, issues.

    {"iss": "quire", "aud": "quire-reader", "sub": "ann", "tenant": "default", "iat": ..., "exp": ..., "jti": ...}

Signed with HMAC-SHA-256, and with nothing else: what a token says of its own algorithm is not asked.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from engine.errors import InvalidProfileChange
from engine.event import name_fault
from engine.personal.schema import checked_tenant
from engine.service.access.errors import AccessFileError, InvalidGrant
from engine.service.access.secret import signing_secrets
from engine.service.problems import Problem
from engine.service.settings import ServiceSettings

ISSUER, AUDIENCE, ALGORITHM = "quire", "quire-reader", "HS256"
CLAIMS = ("iss", "aud", "sub", "tenant", "iat", "exp", "jti")
GUEST = "guest-"
"""What the names begin with that are made up for browsers without a token; no other reader's does."""
LEEWAY = 10  # seconds by which the clock of whoever signed may differ
LONGEST_TOKEN = (
    3800  # characters: a cookie of more than 4,096 bytes, its name and attributes included, is dropped
)
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # libraries pass over other letters
READER_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="quire-reader", error="invalid_token"'}


@dataclass(frozen=True, slots=True)
class ReaderToken:
    """What a token proves.

    Args:
        user_id: Who the reader is.
        tenant: Among whose readers.
        expires: Until when, in UTC.
        guest: Whether it is a browser that was given a name, and nobody's account.
        issued: Since when, in UTC.
    """

    user_id: str
    tenant: str
    expires: datetime
    guest: bool
    issued: datetime


class Tokens:
    """Issues and reads tokens.

    Args:
        folder: The service's own, where the secret is kept unless the environment has it.
        settings: How long tokens may hold.
        environ: The environment; by default this process's.
        clock: Seconds since 1970, for what is issued.

    Raises:
        AccessFileError: there is no secret that can be used (`signing_secrets`).
    """

    def __init__(
        self,
        folder: Path,
        settings: ServiceSettings,
        *,
        environ: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._secrets = signing_secrets(folder, os.environ if environ is None else environ)

    def issue(self, user_id: str, tenant: str, *, hours: float | None = None, guest: bool = False) -> str:
        """Return a new token.

        Args:
            user_id: Who the reader is, 1 to 1,024 characters, as in `Event`.
            tenant: Among whose readers.
            hours: How long it holds, more than 0; None for as long as may be, which is also the most: `token_hours`
                of the settings, and `guest_days` for a guest.
            guest: Whether it is for a guest, whose name begins with `GUEST`.

        Raises:
            InvalidGrant: one of these cannot be.
        """
        jwt = _library()
        most = self._most_hours(guest)
        span = most if hours is None else hours
        if isinstance(span, bool) or not isinstance(span, int | float) or not 0 < span <= most:
            raise InvalidGrant(
                f"a reader's token holds for more than 0 and up to {most} hours; found {span!r:.40}"
            )
        try:
            checked_tenant(tenant)
        except InvalidProfileChange as error:
            raise InvalidGrant(str(error)) from error
        if fault := name_fault(user_id):
            raise InvalidGrant(f"a reader's id {fault}")
        if guest != user_id.startswith(GUEST):
            raise InvalidGrant(
                f"a guest's name begins with {GUEST!r}, and nobody else's does; found {user_id!r:.60}"
            )
        issued = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "tenant": tenant,
            "iat": issued,
            "exp": issued + max(1, round(span * 3600)),
            "jti": secrets.token_urlsafe(12),
        }
        token = str(jwt.encode(claims, self._secrets()[0], algorithm=ALGORITHM))
        if len(token) > LONGEST_TOKEN:
            raise InvalidGrant(
                f"a token of {user_id!r:.40} would not fit into a cookie; let readers' ids be shorter"
            )
        return token

    def issue_guest(self, tenant: str) -> tuple[str, str]:
        """Return the name of a guest whom nobody has met yet, and a token for them, for `guest_days`."""
        user_id = GUEST + secrets.token_hex(16)
        return user_id, self.issue(user_id, tenant, guest=True)

    def read(self, token: str) -> ReaderToken:
        """Return what a token proves.

        Raises:
            Problem: 401, `token-expired` or `token-invalid`.
            AccessFileError: the secret cannot be read any more.
        """
        if len(token) > LONGEST_TOKEN:
            raise _invalid(f"it has {len(token):,} characters, more than any of ours")
        if not _SHAPE.fullmatch(token):
            raise _invalid("a token is three parts of letters, digits, - and _, with dots between them")
        claims = self._verified(token)
        user_id, tenant, issued, expires = (claims[name] for name in ("sub", "tenant", "iat", "exp"))
        if fault := name_fault(user_id):
            raise _invalid(f"sub {fault}")
        try:
            checked_tenant(tenant)
        except InvalidProfileChange as error:
            raise _invalid(str(error)) from error
        guest = user_id.startswith(GUEST)
        most = self._most_hours(guest)
        if not all(isinstance(at, int | float) and not isinstance(at, bool) for at in (issued, expires)):
            raise _invalid("iat and exp are numbers, seconds since 1970")
        if not 0 < expires - issued <= most * 3600:
            raise _invalid(f"from iat to exp there may be {most} hours at most, and more than none")
        return ReaderToken(user_id, tenant, _moment(expires), guest, _moment(issued))

    def _most_hours(self, guest: bool) -> int:
        return self._settings.guest_days * 24 if guest else self._settings.token_hours

    def _verified(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that one of the secrets signed, and that holds now."""
        jwt = _library()
        for secret in self._secrets():
            try:
                claims = jwt.decode(
                    token,
                    secret,
                    algorithms=[ALGORITHM],
                    audience=AUDIENCE,
                    issuer=ISSUER,
                    leeway=LEEWAY,
                    options={"require": list(CLAIMS), "strict_aud": True},
                )
                return cast("Mapping[str, Any]", claims)
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError as error:
                raise Problem(
                    401,
                    "token-expired",
                    "the reader's token has expired; ask for a new one",
                    READER_CHALLENGE,
                ) from error
            except jwt.PyJWTError as error:
                raise _invalid(str(error)) from error
            except (ValueError, TypeError, OverflowError, RecursionError) as error:
                # Signed or not: JSON nested deeper than Python reads, a date beyond all calendars.
                raise _invalid("it cannot be read") from error
        raise _invalid("no secret of this service signed it")


def _library() -> ModuleType:
    try:
        import jwt
    except ModuleNotFoundError as error:
        raise AccessFileError(
            "readers' tokens need PyJWT, which is not installed; install it with: pip install 'quire-search[service]'"
        ) from error
    return jwt


def _moment(at: float) -> datetime:
    try:
        return datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _invalid("iat or exp is beyond all calendars") from error


def _invalid(why: str) -> Problem:
    return Problem(
        401, "token-invalid", f"the reader's token cannot be accepted: {why:.200}", READER_CHALLENGE
    )
