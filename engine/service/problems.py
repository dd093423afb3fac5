"""`Problem`: an error as RFC 9457 describes it, and which problem each error of the engine is."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from engine.errors import IndexOpenError, InvalidQuery, ReaderStoreBusy, SearchError

MEDIA_TYPE = "application/problem+json"
_READERS_BUSY = "what is kept of readers is being changed just now; ask again in a moment"
_UNAVAILABLE = (
    "the index cannot be asked just now; ask again in a moment (the log says why, under this request id)"
)


class Problem(Exception):
    """An answer that says what went wrong.

    Args:
        status: The HTTP status.
        kind: What it is, for programs: a word that `type` ends in, such as `rate-limited`.
        detail: What was found, what was expected, what to do.
        headers: Headers that the answer carries besides, such as Retry-After.
        **extra: Further members of the JSON object.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra

    @property
    def title(self) -> str:
        """The status in words."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Client Closed Request" if self.status == 499 else "Error"

    def to_json(self) -> dict[str, object]:
        """Return the JSON object."""
        return {
            "type": f"urn:quire:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


def problem_of(error: SearchError) -> Problem:
    """Return the problem that an error of the engine is.

    What is wrong on our side is told without its particulars, which name folders and hosts: the log has those.
    """
    kind = _kind(type(error).__name__)
    # That there is no index is the service's own trouble: 404 would say that there is no such document.
    status = 500 if isinstance(error, IndexOpenError) else error.status
    if status == 503:
        busy = isinstance(error, ReaderStoreBusy)
        return Problem(503, kind, _READERS_BUSY if busy else _UNAVAILABLE, {"Retry-After": "1"})
    if status >= 500:
        return Problem(status, kind, "the service could not answer; its log says why, under this request id")
    suggestion = (
        {"suggestion": error.suggestion} if isinstance(error, InvalidQuery) and error.suggestion else {}
    )
    return Problem(status, kind, str(error), None, **suggestion)


def _kind(name: str) -> str:
    """Return a class's name as words with hyphens between them."""
    return "".join(
        f"-{letter.lower()}" if letter.isupper() and at else letter.lower() for at, letter in enumerate(name)
    )
