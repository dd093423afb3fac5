"""For whoever runs a site: tokens that name its readers, and how the service does."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import Response

from engine.errors import translated
from engine.search_engine import SearchEngine
from engine.service.api.answers import WITH_BODY, answered, dumped
from engine.service.api.callers import Admin, Here
from engine.service.api.schemas.admin import StatsOut, TokenIn, TokenOut
from engine.service.asking import ask

router = APIRouter(tags=["administration"])


@router.post(
    "/reader-tokens",
    response_model=TokenOut,
    responses=WITH_BODY,
    status_code=201,
    operation_id="issue_reader_token",
)
async def reader_tokens(asked: TokenIn, service: Here, caller: Admin) -> Response:
    """Issue a token that names a reader of the key's tenant, to be passed on to that reader's browser.

    Needs the scope `admin`.
    """
    token = service.tokens.issue(asked.user_id, caller.tenant, hours=asked.hours)
    found = service.tokens.read(token)
    return answered(
        dumped(
            {
                "token": token,
                "user_id": found.user_id,
                "tenant": found.tenant,
                "expires": found.expires.isoformat(),
            }
        ),
        201,
    )


@router.get("/stats", response_model=StatsOut, operation_id="stats")
async def stats(service: Here, caller: Admin) -> Response:
    """Return what the index holds, and how the process does that answers.

    Needs the scope `admin`.
    """

    def counted(engine: SearchEngine) -> bytes:
        with translated():
            index = asdict(service.engines.index.stats())
        del index["path"]
        pool = service.pool
        process = {
            "generation": engine.generation,
            "threads": pool.threads,
            "working": pool.working,
            "waiting": pool.waiting,
            "queue": pool.queue,
        }
        return dumped({"index": index, "process": process})

    return answered(await ask(service, caller, counted))
