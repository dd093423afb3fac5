"""What can go wrong when a service is asked.

    ServiceProblem              the service said no, or could not be asked at all
    ├── NotAuthenticated  401   no key, or one that does not hold; a reader's token that is expired or forged
    ├── NotAllowed        403   the key lacks a scope, or the token is of another tenant's reader
    ├── NotFound          404   no such document, job, or path
    ├── Unusable          422   the request cannot be understood; `detail` says what would be
    ├── TooMany           429   more requests than the key may make; `retry_after` says when to ask again
    ├── Busy              503   the service has too much to do, is stopping, or its index is out of reach
    └── NoAnswer            0   nobody answered, in time or at all, or what came is no answer of Quire's

Errors of httpx never come out of the client: they are the cause of a `NoAnswer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import httpx

_URN = "urn:quire:problem:"
_SHOWN = 200


class ServiceProblem(Exception):
    """An answer that says what went wrong, as RFC 9457 describes it.

    Args:
        status: The HTTP status; 0 where there was no answer.
        kind: What it is, for programs, such as `rate-limited`.
        detail: What was found, what was expected, what to do.
        retry_after: Seconds after which to ask again; None where the service did not say.
        request_id: Under which the service's log has it; empty where it has none.
        members: The further members of the JSON object.
    """

    statuses: ClassVar[tuple[int, ...]] = ()

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        retry_after: float | None = None,
        request_id: str = "",
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(status, kind, detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        self.request_id = request_id
        self.members = dict(members or {})

    def __str__(self) -> str:
        where = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.status or 'no answer'} {self.kind}: {self.detail}{where}"


class NotAuthenticated(ServiceProblem):
    """No key, or one that does not hold; a reader's token that is expired or forged."""

    statuses = (401,)


class NotAllowed(ServiceProblem):
    """The key lacks a scope, or the token is of another tenant's reader."""

    statuses = (403,)


class NotFound(ServiceProblem):
    """There is no such document, job, or path."""

    statuses = (404,)


class Unusable(ServiceProblem):
    """The request cannot be understood; `detail` says what would be."""

    statuses = (422,)


class TooMany(ServiceProblem):
    """More requests than the key may make; `retry_after` says when to ask again."""

    statuses = (429,)


class Busy(ServiceProblem):
    """The service has too much to do, is stopping, or its index is out of reach."""

    statuses = (503,)


class NoAnswer(ServiceProblem):
    """Nobody answered, in time or at all, or what came is no answer of Quire's."""

    statuses = (0,)


_CLASSES = {
    status: one
    for one in (NotAuthenticated, NotAllowed, NotFound, Unusable, TooMany, Busy, NoAnswer)
    for status in one.statuses
}


def problem_from(status: int, headers: Mapping[str, str], body: object) -> ServiceProblem:
    """Return the error that an answer is.

    Args:
        status: Its HTTP status.
        headers: Its headers, in small letters.
        body: Its JSON; anything else where it was none.
    """
    members = dict(body) if isinstance(body, Mapping) else {}
    kind = str(members.pop("type", "")).removeprefix(_URN)
    title = str(members.pop("title", ""))
    detail = members.pop("detail", None)
    members.pop("status", None)
    shown = detail if isinstance(detail, str) else title or "the answer does not say why"
    return _CLASSES.get(status, ServiceProblem)(
        status,
        kind or "unknown",
        shown,
        retry_after=_seconds(headers.get("retry-after")),
        request_id=headers.get("x-request-id", ""),
        members=members,
    )


def no_answer(error: httpx.HTTPError | httpx.InvalidURL | httpx.StreamError) -> NoAnswer:
    """Return what an error of the transport is to the caller."""
    kind = "timed-out" if isinstance(error, httpx.TimeoutException) else "unreachable"
    said = str(error) or type(error).__name__
    return NoAnswer(0, kind, f"the service gave no answer: {said:.{_SHOWN}}")


def not_ours(what: str) -> NoAnswer:
    """Return the error that an answer is which is not as /v1 promises."""
    return NoAnswer(
        0, "unexpected", f"this is no answer of Quire's /v1: {what:.{_SHOWN}}; is the address right?"
    )


def _seconds(value: str | None) -> float | None:
    """Return the seconds that a Retry-After names; None for none, and for a date, which the service never sends."""
    return (
        float(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 9 else None
    )
