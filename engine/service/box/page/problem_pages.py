"""Errors as pages: what the routes of the box answer when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from engine.errors import SearchError
from engine.service.box.page.rendering import render
from engine.service.box.urls.asked import Asked
from engine.service.failures import problem_for
from engine.service.problems import Problem

FRAGMENT = "quire-fragment"
"""The header that a page's own JavaScript sends when it wants a piece of a page and not all of it."""


def problem_page(request: Request, problem: Problem) -> HTMLResponse:
    """Return a problem as a page, or as a piece of one where that was asked for."""
    asked = Asked.of(request.query_params.multi_items()) if request.url.path in ("/", "/results") else Asked()
    template = "problem_piece.html" if wants_fragment(request) else "problem.html"
    kind = problem.kind if problem.status != 404 or problem.kind == "no-such-document" else "not-found"
    return render(
        request,
        template,
        status=problem.status,
        headers={**problem.headers, "Cache-Control": "no-store"},
        problem=problem,
        kind=kind,
        asked=asked,
        again=_again(request, asked),
    )


def _again(request: Request, asked: Asked) -> str:
    """Return the URL of another try; empty for what a form sent, which only its page can send again."""
    if request.method != "GET":
        return ""
    query = request.url.query
    return asked.url if asked.text else request.url.path + (f"?{query}" if query else "")


def wants_fragment(request: Request) -> bool:
    """Whether a request comes from a page's own JavaScript, for a piece of a page."""
    return FRAGMENT in request.headers or request.url.path in ("/results", "/passage")


class BoxRoute(APIRoute):
    """A route whose problems are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except (Problem, SearchError, RequestValidationError) as error:
                return problem_page(request, problem_for(request, error))

        return answered
