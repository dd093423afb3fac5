"""What may be asked twice, when, and what a failed connection is called: no network here."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

PAUSE = 0.2
LONGEST_PAUSE = 5.0

# Requests that only read, or that do the same when done twice, though they are sent as POST.
_HARMLESS = frozenset(
    {
        "_analyze", "_bulk", "_count", "_explain", "_field_caps", "_flush", "_forcemerge", "_mget", "_msearch",
        "_pit", "_refresh", "_search", "_termvectors", "_mtermvectors", "_validate",
    }
)  # fmt: skip
_GUARDED = frozenset({"if_seq_no", "if_primary_term"})


def repeatable(method: str, path: str, params: Mapping[str, object]) -> bool:
    """Whether a request does no harm when it is done twice, for all that its line tells.

    Making an index, making a document that must not be there, and a change that is tied to a sequence number, fail
    the second time although the first went well: they are not repeated. `_bulk` counts as repeatable because every
    line of ours carries its id.
    """
    parts = [part for part in path.split("/") if part]
    if method in ("GET", "HEAD"):
        return True
    if _GUARDED & params.keys() or params.get("op_type") == "create" or "_create" in parts:
        return False
    if method == "DELETE":
        return True
    if method == "PUT":
        return len(parts) > 1
    return bool(parts) and any(part in _HARMLESS for part in parts) and parts[-1] != "scroll"


def pause(attempt: int, chance: float, retry_after: float | None) -> float:
    """Return how long to wait before the next attempt.

    Args:
        attempt: How many there were, from 1.
        chance: A random number from 0 to 1: the wait is that part of the longest for this attempt (full jitter).
        retry_after: What the server asked for, in seconds; waited for in any case.
    """
    wait = chance * min(LONGEST_PAUSE, PAUSE * 2.0 ** (attempt - 1))
    return wait if retry_after is None else retry_after + wait


def retry_after_of(text: str | None, now: datetime | None = None) -> float | None:
    """Return the seconds in a Retry-After header, which holds a number or a date; None where it holds neither."""
    words = (text or "").strip()
    if words.isascii() and words.isdigit():
        return float(words)
    try:
        when = parsedate_to_datetime(words)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def reason_of(error: BaseException) -> str:
    """Return in a few words why a connection failed: the innermost cause that says something."""
    chain = _causes(error)
    for found in reversed(chain):
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {found.verify_message}"
        if isinstance(found, ssl.SSLError):
            return f"TLS failed: {getattr(found, 'reason', None) or found}"
    if any(type(found).__name__ == "NameResolutionError" for found in chain):
        return "the name of the host is unknown"
    for found in reversed(chain):
        if isinstance(found, TimeoutError):
            return "no answer in time"
        if isinstance(found, OSError) and found.strerror:
            return found.strerror.lower()
    if any("Timeout" in type(found).__name__ for found in chain):
        return "no answer in time"
    return " ".join(str(chain[-1]).split())[:200] or type(chain[-1]).__name__


def is_untrusted(error: BaseException) -> bool:
    """Whether a connection failed since the server's certificate is not trusted, which no repetition changes."""
    return any(isinstance(found, ssl.SSLCertVerificationError) for found in _causes(error))


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    todo: list[BaseException] = [error]
    while todo and len(chain) < 20:
        found = todo.pop()
        if found not in chain:
            chain.append(found)
            inner: tuple[object, ...] = (found.__context__, found.__cause__, getattr(found, "reason", None))
            todo += [one for one in inner if isinstance(one, BaseException)]
    return chain
