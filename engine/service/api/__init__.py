"""The API under /v1: one module a subject, its schemas in `schemas`.

Routes do three things: they say who may ask, make the engine's own values of what was sent, and send what came of it.
"""

from fastapi import APIRouter, Depends

from engine.service.api.answers import ERRORS
from engine.service.api.callers import each_once


def api_router() -> APIRouter:
    """Return all routes of /v1."""
    from engine.service.api import admin, around, documents, jobs, readers, search

    router = APIRouter(prefix="/v1", responses=ERRORS, dependencies=[Depends(each_once)])
    for module in (search, around, documents, readers, jobs, admin):
        router.include_router(module.router)
    return router
