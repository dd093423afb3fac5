"""Who may ask how the service does, and what it says while it cannot answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import httpx
import pytest
from starlette.requests import Request

from engine.service.app import create_app
from engine.service.service import Service
from engine.service.watching.health import Readiness, is_local


def request_from(host: str | None, **headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    client = None if host is None else (host, 1234)
    return Request({"type": "http", "headers": named, "client": client})


@pytest.mark.parametrize(
    ("host", "headers", "local"),
    [
        ("127.0.0.1", {}, True),
        ("127.8.9.1", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("192.168.1.5", {}, False),
        ("::ffff:10.0.0.1", {}, False),
        ("testclient", {}, False),
        (None, {}, False),
        ("127.0.0.1", {"x_forwarded_for": "10.0.0.1"}, False),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, False),
        ("127.0.0.1", {"via": "1.1 proxy"}, False),
        ("10.0.0.1", {"x_forwarded_for": "127.0.0.1"}, False),
    ],
)
def test_what_comes_from_this_machine(host: str | None, headers: dict[str, str], local: bool) -> None:
    assert is_local(request_from(host, **headers)) == local


def test_numbers_are_for_this_machine_and_for_keys_of_operators(service: Service) -> None:
    _, admin = service.keys.create(("admin",), tenant="default")
    _, search = service.keys.create(("search", "events", "index"), tenant="default")
    app = create_app(service)

    async def ask(host: str, key: str = "") -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(host, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return await client.get("/metrics", headers=headers)

    statuses = [
        asyncio.run(ask(*words)).status_code
        for words in [
            ("127.0.0.1",),
            ("10.1.2.3",),
            ("10.1.2.3", "quire_x_y"),
            ("10.1.2.3", search),
            ("10.1.2.3", admin),
        ]
    ]
    assert statuses == [200, 401, 401, 403, 200]
    assert asyncio.run(ask("127.0.0.1")).headers["content-type"].startswith("text/plain; version=0.0.4")


def test_keys_are_counted_on_the_event_loop_and_numbers_written_beside_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rates are for the event loop alone; numbers of several processes are many files, which nobody should wait for."""
    _, admin = service.keys.create(("admin",), tenant="default")
    where: dict[str, int] = {}
    take, render = service.rates.take, service.metrics.render

    def counted(who: str, per_minute: int) -> float:
        where["counted"] = threading.get_ident()
        return take(who, per_minute)

    def rendered() -> bytes:
        where["rendered"] = threading.get_ident()
        return render()

    monkeypatch.setattr(service.rates, "take", counted)
    monkeypatch.setattr(service.metrics, "render", rendered)

    async def ask() -> int:
        transport = httpx.ASGITransport(create_app(service), client=("10.1.2.3", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.get("/metrics", headers={"Authorization": f"Bearer {admin}"})).status_code

    assert asyncio.run(ask()) == 200
    assert where["counted"] == threading.get_ident() != where["rendered"]


def test_an_index_that_cannot_be_read_is_not_ready_and_is_not_asked_for_each_request() -> None:
    asked, broken = [], [False]

    def check() -> None:
        asked.append(1)
        if broken[0]:
            raise OSError("gone")

    async def run() -> list[bool]:
        readiness = Readiness(check)
        said = list(await asyncio.gather(*(readiness.ready() for _ in range(20))))
        broken[0] = True
        said.append(await readiness.ready())
        readiness._asked = float("-inf")
        said.append(await readiness.ready())
        return said

    assert asyncio.run(run()) == [True] * 21 + [False]
    assert len(asked) == 2


def test_an_index_that_does_not_answer_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.watching.health.CHECK_SECONDS", 0.01)
    free = threading.Event()

    async def run() -> bool:
        said = await Readiness(free.wait).ready()
        free.set()
        return said

    assert asyncio.run(run()) is False


def test_a_service_whose_index_is_gone_says_so(
    service: Service, client_of: Callable[..., httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise OSError("the disk is gone")

    async def ask() -> httpx.Response:
        monkeypatch.setattr(service.engines, "check", gone)
        async with client_of(service) as client:
            return await client.get("/health/ready")

    answer = asyncio.run(ask())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "disk" not in answer.text
