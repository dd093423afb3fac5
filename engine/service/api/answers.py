"""How the API answers: JSON made in the thread that did the work, and what its documentation says of every answer."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette.responses import Response

from indexer.field_values import number_form

PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_MEANING = {
    400: "The body is not JSON.",
    401: "No API key, or one that does not hold; or no reader's token that holds.",
    403: "The key lacks the scope, or the reader is another tenant's.",
    404: "There is no such document.",
    408: "The body took too long to arrive.",
    409: "It is too late for that.",
    413: "The body is too large.",
    414: "The address is too long; POST takes more.",
    415: "The body is of another type than expected.",
    421: "The service does not answer to this host's name.",
    422: "The request cannot be answered as it was put; `errors` names the fields.",
    429: "Too many requests; Retry-After says when to ask again.",
    431: "The headers are too large.",
    500: "A fault of the service; its log tells more under the request id.",
    503: "Too much to do, or the index cannot be reached; Retry-After says when to ask again.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the documentation says of these statuses."""
    return {
        status: {
            "description": _MEANING[status],
            "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}},
        }
        for status in statuses
    }


ERRORS = problems(401, 403, 414, 421, 422, 429, 431, 500, 503)
"""What every route may answer."""
WITH_BODY = problems(400, 408, 413, 415)
"""What every route with a body may answer besides."""


def dumped(content: object) -> bytes:
    """Return a value as JSON.

    What JSON or UTF-8 cannot say is said as nearly as can be: infinity, which a document's metadata may hold, as the
    greatest number that there is, and half characters as question marks.
    """
    try:
        return _dumped(content)
    except ValueError:
        return _dumped(_finite(content))


def _dumped(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def _finite(value: object) -> object:
    if isinstance(value, float) and math.isinf(value):
        return number_form(value)
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list | tuple) else value


def answered(content: bytes, status: int = 200) -> Response:
    """Return an answer of JSON."""
    return Response(content, status, media_type="application/json")
