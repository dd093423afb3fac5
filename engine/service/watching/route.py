"""Which route a request met, as logs, metrics and traces name it: by its template, never by the path asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.routing import Mount


def route_of(scope: Mapping[str, Any]) -> str:
    """Return the template of the route that a request met, such as /v1/jobs/{job_id}; empty where it met none.

    FastAPI keeps the template with all its prefixes beside the route, which knows only its own part of it.
    """
    known = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    path = getattr(known, "path_format", None) or getattr(known, "path", None)
    if not isinstance(path, str):
        return ""
    return f"{path}/*" if isinstance(known, Mount) else path
