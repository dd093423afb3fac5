"""Around a search: completing what is typed, and why a document was not found."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as Parameter
from fastapi.responses import Response

from engine.query import Query
from engine.search_engine import SearchEngine
from engine.service.api.answers import answered, dumped
from engine.service.api.callers import Here, Searcher
from engine.service.api.schemas.around import CompletionsOut, SuggestAddress, WhyNotAddress, WhyNotOut
from engine.service.asking import ask
from engine.service.limits import check_id, check_settings, check_text, k_of

router = APIRouter(tags=["search"])


@router.get("/suggest", response_model=CompletionsOut, operation_id="suggest")
async def suggest(asked: Annotated[SuggestAddress, Parameter()], service: Here, caller: Searcher) -> Response:
    """Return queries that what was typed may become, and that have something to find.

    Needs the scope `search`.
    """

    def completed(engine: SearchEngine) -> bytes:
        return dumped({"completions": [one.to_json() for one in engine.complete(asked.q, k=asked.k)]})

    return answered(await ask(service, caller, completed))


@router.get("/why-not", response_model=WhyNotOut, operation_id="why_not")
async def why_not(asked: Annotated[WhyNotAddress, Parameter()], service: Here, caller: Searcher) -> Response:
    """Return which stage kept a document out of the k best for a query, and by how much.

    Needs the scope `search`. With a reader's token, that reader's list is meant. A document that the index does not
    have is an answer, not an error.
    """
    check_id("id", asked.id)
    check_text("q", asked.q, service.settings)
    k = k_of(asked, service.settings)
    engine = service.engines.of(caller.tenant)
    settings = engine.settings
    if asked.rerank_depth is not None:
        settings = replace(settings, rerank_depth=asked.rerank_depth)
    check_settings(settings, engine.settings, service.settings)
    query = Query(asked.q, user_id=caller.user_id, strength=asked.strength)

    def explained(engine: SearchEngine) -> bytes:
        return dumped(engine.why_not(query, asked.id, k=k, settings=settings).to_json())

    return answered(await ask(service, caller, explained))
