"""`create_app`: how requests reach a service: its routes, and the layers around them.

From the outside in: `Requests` (ids, the log, numbers), the guards of `access.guards` (headers, hosts, bodies),
`Departures` (a client that goes away), `Unexpected` (whatever nobody foresaw), `HeadsAsGets`, the routes.
"""

from __future__ import annotations

import os

from fastapi import FastAPI, Request

from engine.service.access.admission import admitted
from engine.service.access.guards import add_guards
from engine.service.access.secret import signing_secrets
from engine.service.api import api_router
from engine.service.api.document import describe
from engine.service.box.page.problem_pages import problem_page
from engine.service.box.pages import router as box_router
from engine.service.departures import Departures
from engine.service.failures import Unexpected, add_handlers
from engine.service.heads_as_gets import HeadsAsGets
from engine.service.problems import Problem
from engine.service.service import Service
from engine.service.watching.watch import watch


def create_app(service: Service) -> FastAPI:
    """Return the application that answers for a service.

    Args:
        service: Stays the caller's, who closes it after the application has ended.

    Raises:
        SearchError: a setting cannot be used, or the environment asks for what cannot be had.
    """
    app = FastAPI(title="Quire", openapi_url=None, redirect_slashes=False)
    app.state.service = service
    add_handlers(app, problem_page)
    app.include_router(api_router())
    if service.settings.box != "off":
        app.include_router(box_router)
    describe(app)
    app.add_middleware(HeadsAsGets)
    app.add_middleware(Unexpected, metrics=service.metrics, page=problem_page)
    app.add_middleware(Departures)
    add_guards(app, service)
    watch(
        app,
        service.metrics,
        secret=signing_secrets(service.state, os.environ)()[0],
        check=service.engines.check,
        admin=_admin,
    )
    return app


def _admin(request: Request) -> None:
    """Let an API key with the scope `admin` through. Raises Problem where there is none."""
    key = admitted(request.app.state.service, request.scope)
    if "admin" not in key.scopes:
        raise Problem(403, "scope-missing", "this needs an API key with the scope 'admin'", scope="admin")
