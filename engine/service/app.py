"""`create_app`: how requests reach a service: its routes, and the layers around them.

From the outside in: `Requests` (ids, the log, numbers), `SecurityHeaders`, CORS, `BodyLimit`, `Departures` (a client that
goes away), `Unexpected` (whatever nobody foresaw), the routes.
"""

from __future__ import annotations

from fastapi import FastAPI

from engine.service.api import api_router
from engine.service.api.document import describe
from engine.service.departures import Departures
from engine.service.failures import Unexpected, add_handlers
from engine.service.service import Service


def create_app(service: Service) -> FastAPI:
    """Return the application that answers for a service.

    Args:
        service: Stays the caller's, who closes it after the application has ended.
    """
    app = FastAPI(
        title="Quire",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.service = service
    add_handlers(app)
    app.include_router(api_router())
    describe(app)
    app.add_middleware(Unexpected, metrics=service.metrics)
    app.add_middleware(Departures)
    return app
