"""What routes ask for: the service, a caller who may, and an address that says everything once."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, TypeAlias

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from engine.service.access.caller import Caller
from engine.service.access.dependencies import needs, reader_of, the_service
from engine.service.service import Service
from engine.service.watching.route import route_of

Here: TypeAlias = Annotated[Service, Depends(the_service)]
Searcher: TypeAlias = Annotated[Caller, Depends(needs("search"))]
"""Whoever may search, for a reader or for nobody in particular."""
SearchingReader: TypeAlias = Annotated[Caller, Depends(reader_of("search"))]
"""A reader who looks at what is their own."""
ActingReader: TypeAlias = Annotated[Caller, Depends(reader_of("events"))]
"""A reader who does something, or changes what is kept of them."""
Admin: TypeAlias = Annotated[Caller, Depends(needs("admin"))]

LISTS = frozenset({("/v1/search", "facet"), ("/v1/documents", "id"), ("/v1/jobs", "state")})
"""The parameters of addresses that are lists, by the path of their route: given once for each value."""


async def each_once(request: Request) -> None:
    """Refuse an address that gives a parameter several values of which one alone would count, silently.

    Raises:
        RequestValidationError: it does.
    """
    path = route_of(request.scope)
    times = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [
        {"type": "repeated", "loc": ("query", name), "msg": f"given {count} times; give it once"}
        for name, count in times.items()
        if count > 1 and (path, name) not in LISTS
    ]
    if repeated:
        raise RequestValidationError(repeated)
