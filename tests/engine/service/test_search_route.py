"""POST /v1/search answers what the engine answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx

from engine.service.service import Service


def test_search_answers_as_the_engine_does(
    service: Service, client_of: Callable[..., httpx.AsyncClient]
) -> None:
    async def ask() -> httpx.Response:
        async with client_of(service, "search") as client:
            return await client.post("/v1/search", json={"query": "turbine blade", "k": 3})

    response = asyncio.run(ask())
    assert response.status_code == 200
    expected = service.engines.of("default").search("turbine blade", k=3)
    assert [hit["doc_id"] for hit in response.json()["hits"]] == [hit.doc_id for hit in expected.hits]
