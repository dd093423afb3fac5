"""Searching: POST and GET /v1/search, and POST /v1/search/stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Query as Parameter
from fastapi.responses import Response, StreamingResponse

from engine.errors import SearchError
from engine.marking import Mark
from engine.query import Query, as_query
from engine.ranking import Hit
from engine.service.access.caller import Caller
from engine.service.api.answers import PROBLEM_SCHEMA, WITH_BODY, answered, dumped
from engine.service.api.callers import Here, Searcher
from engine.service.api.schemas.search import FromAddress, RankingOut, SearchIn
from engine.service.asking import searching
from engine.service.failures import problem_for
from engine.service.limits import check_filter, k_of
from engine.service.pool import Pressure
from engine.service.problems import Problem
from engine.service.service import Service
from engine.settings import SearchSettings

router = APIRouter(tags=["search"])

_CHOSEN = ("rerank_depth", "alpha", "diversity", "snippet_chars")
UNMARKED = "Many are searching just now, so no sentence is marked by its meaning."
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, the data of each a JSON object as POST /v1/search answers it: `first`, "
        "the first stage alone and without a cursor, unless that is all there is to be; then `ranking`, the answer; "
        "or `problem`, where it failed meanwhile.",
        "content": {
            "text/event-stream": {
                "itemSchema": {
                    "type": "object",
                    "properties": {
                        "event": {"type": "string", "enum": ["first", "ranking", "problem"]},
                        "data": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": {
                                "anyOf": [{"$ref": "#/components/schemas/RankingOut"}, PROBLEM_SCHEMA]
                            },
                        },
                    },
                    "required": ["event", "data"],
                }
            }
        },
    }
}


@router.post("/search", response_model=RankingOut, responses=WITH_BODY, operation_id="search")
async def post_search(asked: SearchIn, service: Here, caller: Searcher) -> Response:
    """Return the documents that answer a query best, and what speaks for each.

    Needs the scope `search`. With a reader's token, the reader's interests count.
    """
    return answered(await service.pool.run(_work(service, caller, asked)))


@router.get("/search", response_model=RankingOut, operation_id="search_by_address")
async def get_search(asked: Annotated[FromAddress, Parameter()], service: Here, caller: Searcher) -> Response:
    """Return the same as POST /v1/search, for what fits into an address; conditions are put into `q`: `year:>=2000`.

    Needs the scope `search`.
    """
    return answered(await service.pool.run(_work(service, caller, asked.as_body())))


@router.post(
    "/search/stream",
    response_class=StreamingResponse,
    responses=WITH_BODY | _STREAM,
    operation_id="search_stream",
)
async def stream_search(
    request: Request, asked: SearchIn, service: Here, caller: Searcher
) -> StreamingResponse:
    """Return the first stage's results at once, and the reranked order when it is ready, as server-sent events.

    Needs the scope `search`. What is wrong with the question is told before the stream begins, as everywhere.
    """
    final = _work(service, caller, asked)
    depth = _settings(service, caller, asked).rerank_depth
    if asked.cursor is not None or depth == 0:
        beats = [("ranking", await service.pool.run(final))]
    else:
        beats = [("first", await service.pool.run(_work(service, caller, asked, rerank_depth=0)))]

    async def events() -> AsyncIterator[bytes]:
        for name, content in beats:
            yield _event(name, content)
        if beats[-1][0] == "ranking":
            return
        try:
            yield _event("ranking", await service.pool.run(final))
        except (SearchError, Problem) as error:
            yield _event("problem", dumped(problem_for(request, error).to_json()))
        except Exception as error:  # the answer has begun, so that its status can say nothing any more
            service.metrics.error(error)
            problem = Problem(
                500, "unexpected", "the service could not answer; its log says why, under this request id"
            )
            yield _event("problem", dumped(problem.to_json()))

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


def _work(
    service: Service, caller: Caller, asked: SearchIn, rerank_depth: int | None = None
) -> Callable[[Pressure], bytes]:
    """Return the work that makes an answer's JSON.

    Raises:
        SearchError: the filter cannot be one.
        Problem: a limit was passed.
    """
    settings = _settings(service, caller, asked)
    if rerank_depth is not None:
        settings = replace(settings, rerank_depth=rerank_depth)
    query = _query(service, asked)
    work = searching(
        service,
        caller,
        query,
        k=k_of(asked, service.settings),
        cursor=asked.cursor,
        explain=asked.explain,
        settings=settings,
        paged=asked.paging and rerank_depth is None,
    )
    engine = service.engines.of(caller.tenant)

    def made(pressure: Pressure) -> bytes:
        answer = work(pressure)
        if asked.marks and pressure.level:
            answer = replace(answer, degraded=(*answer.degraded, UNMARKED))
        content = answer.to_json()
        if asked.marks and not pressure.level and not pressure.cancelled():
            content["hits"] = _marked(answer.ranking.hits, engine.mark(query, answer.ranking.hits))
        return dumped(content)

    return made


def _marked(hits: Sequence[Hit], marks: Sequence[Sequence[Mark | None]]) -> list[dict[str, object]]:
    """Return hits as plain values, each passage with its mark."""
    found = []
    for hit, of_hit in zip(hits, marks, strict=True):
        passages = [
            passage.to_json() | {"mark": mark.to_json() if mark else None}
            for passage, mark in zip(hit.passages, of_hit, strict=True)
        ]
        found.append(hit.to_json() | {"passages": passages})
    return found


def _query(service: Service, asked: SearchIn) -> Query:
    if asked.filters is not None:
        check_filter(asked.filters, service.settings)
    query = Query(asked.query, strength=asked.strength, operators=asked.operators, sort=asked.sort)
    return as_query(query, asked.filters)


def _settings(service: Service, caller: Caller, asked: SearchIn) -> SearchSettings:
    chosen = {name: value for name in _CHOSEN if (value := getattr(asked, name)) is not None}
    if asked.passages is not None:
        chosen["passages_per_hit"] = asked.passages
    if asked.facets is not None:
        chosen["facets"] = tuple(dict.fromkeys(asked.facets))
    return replace(service.engines.of(caller.tenant).settings, **chosen)


def _event(name: str, content: bytes) -> bytes:
    """Return a server-sent event; JSON made by `dumped` has no line break in it."""
    return b"event: " + name.encode() + b"\ndata: " + content + b"\n\n"
