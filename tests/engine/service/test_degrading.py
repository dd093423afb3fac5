"""Under load a search does less, says so, and its pages go on as they began."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from engine import SearchSettings
from engine.service.api.search import UNMARKED
from engine.service.app import create_app
from engine.service.asking import FEWER, NONE
from engine.service.pool import Level, Pressure
from engine.service.service import Service

DEPTH = 20


class Pressed:
    """Stands for a pool under a pressure of one's choice."""

    threads, queue, waiting, working = 1, 1, 0, 0

    def __init__(self) -> None:
        self.level: Level = 0

    async def run(self, work: Callable[[Pressure], object]) -> object:
        return await asyncio.to_thread(work, Pressure(self.level))

    def close(self) -> None:
        pass


@pytest.fixture
def pressed(make_service: Callable[..., Service]) -> tuple[Service, Pressed]:
    service = make_service(SearchSettings(rerank_depth=DEPTH))
    service.pool.close()
    service.pool = Pressed()  # type: ignore[assignment]
    return service, service.pool  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("level", "depth", "said"), [(0, DEPTH, []), (1, DEPTH // 4, [FEWER]), (2, 0, [NONE])]
)
def test_it_is_the_same_search_with_a_smaller_depth(
    pressed: tuple[Service, Pressed],
    client_of: Callable[..., httpx.AsyncClient],
    level: Level,
    depth: int,
    said: list[str],
) -> None:
    service, pool = pressed
    pool.level = level

    async def ask() -> dict[str, object]:
        async with client_of(service, "search") as client:
            return (await client.post("/v1/search", json={"query": "shock wave drag", "k": 8})).json()

    found = asyncio.run(ask())
    expected = service.engines.shared.search(
        "shock wave drag", k=8, settings=SearchSettings(rerank_depth=depth)
    )
    assert found["hits"] == [hit.to_json() for hit in expected.hits]
    assert found["reranked_depth"] == expected.reranked_depth == depth
    assert found["degraded"] == said
    assert found["notices"][len(expected.notices) :] == said  # type: ignore[index]


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("later", [0, 1, 2])
def test_later_pages_are_of_the_list_that_the_first_made(
    pressed: tuple[Service, Pressed],
    client_of: Callable[..., httpx.AsyncClient],
    first: Level,
    later: Level,
) -> None:
    service, pool = pressed
    depth = Pressure(first).settings(SearchSettings(rerank_depth=DEPTH)).rerank_depth
    body = {"query": "shock wave drag", "k": 7}

    async def ask() -> list[str]:
        ids, cursor = [], None
        app = create_app(service)
        async with client_of(service, "search", app=app) as client:
            pool.level = first
            while True:
                page = (
                    await client.post("/v1/search", json=body | ({"cursor": cursor} if cursor else {}))
                ).json()
                ids += [hit["doc_id"] for hit in page["hits"]]
                assert bool(page["degraded"]) == (first > 0)
                cursor = page["cursor"]
                pool.level = later
                if cursor is None:
                    return ids

    settings = SearchSettings(rerank_depth=depth)
    expected: list[str] = []
    page = service.engines.shared.search("shock wave drag", k=7, settings=settings)
    expected += [hit.doc_id for hit in page.hits]
    while page.cursor:
        page = service.engines.shared.search("shock wave drag", k=7, settings=settings, cursor=page.cursor)
        expected += [hit.doc_id for hit in page.hits]
    assert asyncio.run(ask()) == expected
    assert len(expected) > 3 * 7


def test_who_wants_no_reranking_misses_nothing(
    pressed: tuple[Service, Pressed], client_of: Callable[..., httpx.AsyncClient]
) -> None:
    service, pool = pressed
    pool.level = 2

    async def ask() -> dict[str, object]:
        async with client_of(service, "search") as client:
            return (await client.post("/v1/search", json={"query": "drag", "rerank_depth": 0})).json()

    assert asyncio.run(ask())["degraded"] == []


def test_nothing_is_marked_under_load(
    pressed: tuple[Service, Pressed], client_of: Callable[..., httpx.AsyncClient]
) -> None:
    service, pool = pressed
    pool.level = 1

    async def ask() -> dict[str, object]:
        async with client_of(service, "search") as client:
            return (await client.post("/v1/search", json={"query": "drag", "marks": True})).json()

    assert asyncio.run(ask())["degraded"] == [FEWER, UNMARKED]
