"""What Elasticsearch answers when it refuses, as errors of ours.

IndexingError
├── ElasticError            the server refused; `status`, `kind` and `reason` are its own words
│   ├── ElasticNotFound     404: no such index, alias, document or point in time
│   ├── ElasticConflict     409: somebody else changed it first
│   └── ElasticForbidden    401 or 403: who asks may not
├── IndexUnavailable        429, 502, 503, 504 for longer than a request is repeated
└── IndexFull               the disk is so full that the server made the index read-only
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexer.errors import IndexFull, IndexingError, IndexUnavailable

PASSING = frozenset({429, 502, 503, 504})
"""The statuses that say: not now."""

_LONGEST = 400


class ElasticError(IndexingError):
    """Elasticsearch refused a request.

    Args:
        status: HTTP status; 0 where none came.
        kind: The server's name for what is wrong, such as `version_conflict_engine_exception`.
        reason: Its own sentence.
        asked: What was asked of whom.
    """

    def __init__(self, status: int, kind: str, reason: str, asked: str = "") -> None:
        self.status = status
        self.kind = kind
        self.reason = reason
        what = f"{asked} was refused" if asked else "Elasticsearch refused"
        super().__init__(f"{what}: {reason or 'no reason given'} ({status} {kind})")


class ElasticNotFound(ElasticError):
    """There is no such index, alias, document, or point in time."""


class ElasticConflict(ElasticError):
    """Somebody else changed it, or made it, first."""


class ElasticForbidden(ElasticError):
    """Who asks is not known to the cluster, or may not do this."""


def cause_of(answer: Any) -> tuple[str, str]:
    """Return the kind and the reason in the body of a refusal: the root cause, where one is told."""
    error = answer.get("error", answer) if isinstance(answer, Mapping) else answer
    if not isinstance(error, Mapping):
        return "unknown", _short(error)
    kind, reason = str(error.get("type") or "unknown"), error.get("reason")
    roots = error.get("root_cause") or [error.get("caused_by")]
    deepest = roots[0] if isinstance(roots, list) and roots and isinstance(roots[0], Mapping) else {}
    while isinstance(deepest.get("caused_by"), Mapping):
        deepest = deepest["caused_by"]
    if deepest.get("type"):
        kind, reason = str(deepest["type"]), deepest.get("reason") or reason
    return kind, _short(reason)


def is_full(kind: str, reason: str) -> bool:
    """Whether that is what the server says once the disk is nearly full."""
    return kind == "cluster_block_exception" and "/12/" in reason


def refusal(status: int, answer: Any, *, asked: str = "", who: str = "who asks") -> IndexingError:
    """Return the error that stands for a refusal: of a request, of one search of several, or of a bulk item.

    Args:
        status: HTTP status, or the item's own.
        answer: The body, or the item with its `error`.
        asked: What was asked of whom, for the message.
        who: Who asked.
    """
    kind, reason = cause_of(answer)
    if is_full(kind, reason):
        return IndexFull(
            f"{asked or 'Elasticsearch'}: {reason}. What was committed is safe: free some disk, or add a node; "
            "Elasticsearch lifts the block by itself"
        )
    if status == 401:
        hint = (
            f"the cluster did not accept {who}: check api_key, or username and password, in [elasticsearch]"
        )
        return ElasticForbidden(status, kind, f"{hint}. {reason}", asked)
    if status == 403:
        hint = f"{who} may not do this: docs/elasticsearch-security.md lists the roles that Quire needs"
        return ElasticForbidden(status, kind, f"{reason}. {hint}", asked)
    if status in PASSING:
        return IndexUnavailable(f"{asked or 'Elasticsearch'}: cannot answer now: {reason} ({status} {kind})")
    known = {404: ElasticNotFound, 409: ElasticConflict}
    return known.get(status, ElasticError)(status, kind, reason, asked)


def _short(text: object) -> str:
    words = " ".join(str(text or "").split())
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "…"
