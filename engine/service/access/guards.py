"""Everything of this folder that stands before the routes, in its order."""

from __future__ import annotations

import logging

from fastapi import FastAPI
from starlette.types import Scope

from engine.errors import SearchError
from engine.service.access.admission import Gate, admitted
from engine.service.access.body_limit import BodyLimit
from engine.service.access.headers import SecurityHeaders
from engine.service.access.heads import Heads, checked_hosts
from engine.service.access.origins import API, Cors, checked_origins
from engine.service.problems import problem_of

_LOG = logging.getLogger(__name__)
UPLOADS = f"{API}/documents"
OPEN = (f"{API}/openapi.json",)
"""Paths of the API that need no key."""


def add_guards(app: FastAPI, gate: Gate) -> None:
    """Put the guards before an application's routes, from the outermost in:

    - `SecurityHeaders`: on every answer, also on those of the guards below;
    - `Heads`: 414, 431, 421;
    - `Cors`: answers browsers' preflights, which carry no key;
    - `BodyLimit`, which asks for the API key of what is for /v1 before it reads a byte of the body: FastAPI reads
      bodies before it looks at a route's dependencies.

    To be called after what is to stand within these was added, and before what is to stand around them (the last
    middleware added is the outermost).

    Args:
        app: The application.
        gate: The service.

    Raises:
        InvalidSearchSettings: one of `cors_origins` is no origin, or one of `hosts` no host.
    """  # noqa: D415
    settings = gate.settings
    app.add_middleware(
        BodyLimit, most=lambda scope: most_bytes(gate, scope), patience=settings.request_seconds
    )
    checked_hosts(settings.hosts)
    if checked_origins(settings.cors_origins):
        app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(Heads, settings=settings)
    app.add_middleware(SecurityHeaders)


def most_bytes(gate: Gate, scope: Scope) -> int:
    """Return how many bytes the body of a request may have: an upload's where the key may index, and few otherwise.

    Raises:
        Problem: 401 or 429: it is for the API and has no key that holds, or one that asked too often; 500: the file of
            keys cannot be read.
    """
    small = gate.settings.max_body_kb * 1024
    path = scope["path"]
    if not path.startswith(f"{API}/") or path in OPEN:
        return small
    try:
        key = admitted(gate, scope)
    except SearchError as error:  # no handler of the application's stands around the guards
        _LOG.error("no request can be admitted: %s", error)
        raise problem_of(error) from error
    if path == UPLOADS and scope["method"] == "POST" and "index" in key.scopes:
        return max(small, gate.settings.max_upload_mb * 1024 * 1024)
    return small
