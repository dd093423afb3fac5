"""POST /v1/search answers what the engine answers."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import Callable

import httpx

from engine.service.service import Service

from .conftest import Asker, problem


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


def test_a_cursor_that_was_made_up_is_refused(ask: Asker) -> None:
    """Whatever is in it: words to be told as ours, a greater depth, or megabytes in a few bytes."""
    body = {"query": "shock wave drag", "k": 3}
    given = ask("POST", "/v1/search", json=body).json()["cursor"]
    depth, packed, seal = given.split(".")
    content = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))))
    repacked = base64.urlsafe_b64encode(zlib.compress(json.dumps(content | {"m": ["planted"]}).encode()))
    changed = repacked.rstrip(b"=").decode()
    for forged in (
        f"{depth}.{changed}.{seal}",
        f"{depth}.{changed}",
        f"{depth}.{packed}",
        f"1000.{packed}.{seal}",
    ):
        answer = ask("POST", "/v1/search", json=body | {"cursor": forged})
        assert problem(answer, 422)["type"] == "urn:quire:problem:invalid-cursor"
    page = ask("POST", "/v1/search", json=body | {"cursor": given})
    assert [hit["rank"] for hit in page.json()["hits"]] == [4, 5, 6]


def test_a_cursor_holds_for_every_process_of_a_service(
    make_service: Callable[..., Service], asker_of: Callable[..., Asker]
) -> None:
    body = {"query": "shock wave drag", "k": 3}
    given = asker_of(make_service())("POST", "/v1/search", json=body).json()["cursor"]
    page = asker_of(make_service())("POST", "/v1/search", json=body | {"cursor": given})
    assert [hit["rank"] for hit in page.json()["hits"]] == [4, 5, 6]
