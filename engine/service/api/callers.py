"""What routes ask for: the service, a caller who may, and an address that says everything once."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, TypeAlias

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from engine.service.access.caller import Caller
from engine.service.access.dependencies import needs, reader_of, the_service
from engine.service.service import Service

Here: TypeAlias = Annotated[Service, Depends(the_service)]
Searcher: TypeAlias = Annotated[Caller, Depends(needs("search"))]
"""Whoever may search, for a reader or for nobody in particular."""
SearchingReader: TypeAlias = Annotated[Caller, Depends(reader_of("search"))]
"""A reader who looks at what is their own."""
ActingReader: TypeAlias = Annotated[Caller, Depends(reader_of("events"))]
"""A reader who does something, or changes what is kept of them."""
Admin: TypeAlias = Annotated[Caller, Depends(needs("admin"))]


async def each_once(request: Request) -> None:
    """Refuse an address that gives a parameter several values, of which one would silently count.

    Raises:
        RequestValidationError: it does.
    """
    times = Counter(name for name, _ in request.query_params.multi_items())
    repeated = [
        {"type": "repeated", "loc": ("query", name), "msg": f"given {count} times; give it once"}
        for name, count in times.items()
        if count > 1
    ]
    if repeated:
        raise RequestValidationError(repeated)
