"""What a request that fails is answered with: a problem (RFC 9457), or a page of the search box for a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import SearchError
from engine.service.problems import MEDIA_TYPE, Problem, problem_of

if TYPE_CHECKING:
    from engine.service.watching.metrics import Metrics

Page: TypeAlias = Callable[[Request, Problem], Response]

SHOWN = 10
"""Faults of one request that are told."""
_KINDS = {400: "malformed", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
_NO_PAGES = ("/v1", "/health", "/metrics", "/static")
_MALFORMED = "the body is not JSON; send one JSON document in UTF-8"


def problem_response(problem: Problem) -> Response:
    """Return a problem as it is sent."""
    content = json.dumps(problem.to_json(), ensure_ascii=False, allow_nan=False, default=str)
    return Response(
        content.encode("utf-8", "replace"), problem.status, headers=problem.headers, media_type=MEDIA_TYPE
    )


def problem_for(request: Request, error: Exception) -> Problem:
    """Return the problem that an exception is."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, SearchError):
        problem = problem_of(error)
        if problem.status >= 500:
            request.app.state.service.metrics.error(error)
        return problem
    if isinstance(error, RequestValidationError):
        return _invalid(request, error.errors())
    if isinstance(error, HTTPException):
        if isinstance(error.__cause__, Problem):  # raised while the body was read
            return error.__cause__
        return _refused(request, error)
    raise error


def _refused(request: Request, error: HTTPException) -> Problem:
    status = error.status_code
    detail = str(error.detail)
    if status == 404:
        detail = f"there is nothing at {request.url.path[:200]}"
    elif status == 405:
        allowed = _allowed(request)
        detail = f"{request.url.path[:200]} takes {allowed}, found {request.method[:20]}"
        return Problem(status, _KINDS[status], detail, {"Allow": allowed})
    elif status == 400:
        detail = _MALFORMED
    return Problem(status, _KINDS.get(status, "refused"), detail, dict(error.headers or {}))


def _allowed(request: Request) -> str:
    """Return the methods that a path takes; HEAD wherever GET is (`HeadsAsGets`)."""
    return ", ".join(
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(
            route.matches({**request.scope, "method": "GET" if method == "HEAD" else method})[0] is Match.FULL
            for route in request.app.router.routes
        )
    )


def _invalid(request: Request, errors: Sequence[dict[str, object]]) -> Problem:
    """Return the problem of a request that does not fit its schema; what was sent is never echoed."""
    kinds = {str(error["type"]) for error in errors}
    if "json_invalid" in kinds:
        return Problem(400, "malformed", _MALFORMED)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    whole_body = any(tuple(error["loc"]) == ("body",) for error in errors)  # type: ignore[arg-type]
    if (
        whole_body
        and "missing" not in kinds
        and not (content_type == "application/json" or content_type.endswith("+json"))
    ):
        found = content_type[:80] or "none"
        return Problem(
            415, "unsupported-media-type", f"the body is application/json, found the content type {found}"
        )
    told = [{"field": _field(error), "message": _message(error)} for error in errors[:SHOWN]]
    first = told[0]
    detail = f"{first['field']}: {first['message']}" + (
        f"; and {len(errors) - 1} more" if len(errors) > 1 else ""
    )
    return Problem(422, "invalid-request", detail, errors=told)


def _field(error: dict[str, object]) -> str:
    """Return the path of a field in a request: `filters.and.0.year`."""
    place = list(error["loc"])  # type: ignore[call-overload]
    if place and place[0] in ("body", "query", "path", "header", "cookie"):
        place = place[1:] or ["body"]
    context = error.get("ctx")
    if isinstance(context, dict) and error["type"] == "unknown_field":
        place = [*(part for part in place if part != "body"), context["field"]]
    return ".".join(str(part)[:80] for part in place[:12]) or "body"


def _message(error: dict[str, object]) -> str:
    return str(error["msg"])[:300]


class Unexpected:
    """ASGI middleware: whatever else goes wrong is logged, and told as a problem without particulars.

    Args:
        app: What may fail.
        metrics: Told of it, for the log too.
        page: Makes a page of a problem, as in `add_handlers`.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, page: Page) -> None:
        self.app = app
        self._metrics = metrics
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            if scope["type"] != "http":
                raise
            self._metrics.error(error)
            if begun:  # the client sees that the answer breaks off
                raise
            problem = Problem(
                500, "unexpected", "the service could not answer; its log says why, under this request id"
            )
            await _answer(Request(scope, receive), problem, self._page)(scope, receive, send)


def add_handlers(app: FastAPI, page: Page) -> None:
    """Have an application answer every failure.

    Args:
        app: The application.
        page: Makes a page of a problem, for a browser that asks for what is not of the API.
    """

    async def answer(request: Request, error: Exception) -> Response:
        return _answer(request, problem_for(request, error), page)

    for kind in (Problem, SearchError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def _answer(request: Request, problem: Problem, page: Page) -> Response:
    return page(request, problem) if _is_browser(request) else problem_response(problem)


def _is_browser(request: Request) -> bool:
    """Whether a page is wanted: by what asks for HTML, where there are pages."""
    there = request.app.state.service.settings.box != "off" and not request.url.path.startswith(_NO_PAGES)
    return there and "text/html" in request.headers.get("accept", "")
