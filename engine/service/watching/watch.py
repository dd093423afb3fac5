"""`watch`: puts everything that an operator needs around an application."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from engine.service.watching.flight import Flight
from engine.service.watching.health import Readiness, health_router, metrics_router
from engine.service.watching.logs import Disguise
from engine.service.watching.requests import Requests
from engine.service.watching.traces import Traces

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

    from engine.service.watching.metrics import Metrics


def watch(
    app: FastAPI,
    metrics: Metrics,
    *,
    secret: bytes,
    check: Callable[[], object],
    admin: Callable[[Request], None],
    environ: Mapping[str, str] | None = None,
) -> None:
    """Add /health, /metrics and the layer `Requests` to an application. Call it after all other layers were added.

    Sets `app.state.flight` and `app.state.traces`, which `running` needs to stop it.

    Args:
        app: The application. Turns a `Problem` into an answer.
        metrics: Where requests are counted.
        secret: What readers' names in logs are made with.
        check: Raises where the index cannot be read.
        admin: Raises a Problem where a request has no key with the scope `admin`.
        environ: Says whether there are traces; by default the environment of this process.

    Raises:
        TracingUnavailable: the environment asks for traces that cannot be made.
    """
    flight = Flight()
    traces = Traces.configured(os.environ if environ is None else environ)
    app.state.flight, app.state.traces = flight, traces
    app.include_router(health_router(Readiness(check), flight))
    app.include_router(metrics_router(metrics, admin))
    app.add_middleware(Requests, metrics=metrics, disguise=Disguise(secret), flight=flight, traces=traces)
