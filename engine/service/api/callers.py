"""What routes ask for: the service, and a caller who may."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends

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
