"""A service over a small index, and clients that speak to its application without a network."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from engine import SearchSettings
from engine.service.access.caller import SCOPES, Scope
from engine.service.app import create_app
from engine.service.engines import Engines
from engine.service.service import Service
from engine.service.settings import ServiceSettings
from indexer.encoder import HashingEncoder
from indexer.index import Index
from reranker.overlap import OverlapScorer

GENEROUS = ServiceSettings(rate_per_minute=1_000_000, burst=1_000_000, threads=2)
"""No test is to run into a rate that it does not mean."""


def _made(index: Path, folder: Path, search: SearchSettings | None = None, **values: object) -> Service:
    """Return a service over a copy of an index."""
    if not (folder / "index").exists():
        shutil.copytree(index, folder / "index")
    engines = Engines.open(
        folder / "index", search=search, encoder=HashingEncoder(32), reranker=OverlapScorer()
    )
    return Service(engines, replace(GENEROUS, **values), folder / "state")  # type: ignore[arg-type]


@pytest.fixture(scope="session", autouse=True)
def _own_secret() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("QUIRE_TOKEN_SECRET", "QUIRE_TOKEN_SECRET_FILE"):
            patch.delenv(variable, raising=False)
        yield


@pytest.fixture
def make_service(tmp_path: Path, index: Index) -> Iterator[Callable[..., Service]]:
    """Make services over a small index of the test's own; values are those of `ServiceSettings`."""
    made: list[Service] = []

    def make(search: SearchSettings | None = None, **values: object) -> Service:
        made.append(_made(index.path, tmp_path, search, **values))
        return made[-1]

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """A service over the small index."""
    return make_service()


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory, index: Index) -> Iterator[Service]:
    """A service over the small index, for tests that leave no trace in it but readers of their own."""
    with _made(index.path, tmp_path_factory.mktemp("shared")) as service:
        yield service


class Asker:
    """Asks a service, one question after the other."""

    def __init__(self, service: Service, client: httpx.AsyncClient) -> None:
        self.service = service
        self._runner = asyncio.Runner()
        self._client = client

    def __call__(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **request))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@pytest.fixture
def asker_of(client_of: Callable[..., httpx.AsyncClient]) -> Iterator[Callable[..., Asker]]:
    """Make askers: `asker_of(service, "search", user_id="ann")`."""
    made: list[Asker] = []

    def make(service: Service, *scopes: Scope, **values: Any) -> Asker:
        made.append(Asker(service, client_of(service, *scopes, **values)))
        return made[-1]

    yield make
    for asker in made:
        asker.close()


@pytest.fixture(scope="session")
def shared_app(shared_service: Service) -> FastAPI:
    """The application of `shared_service`."""
    return create_app(shared_service)


@pytest.fixture
def ask(
    request: pytest.FixtureRequest,
    shared_service: Service,
    shared_app: FastAPI,
    asker_of: Callable[..., Asker],
) -> Asker:
    """Ask `shared_service`, with a key of all scopes, as a reader whom no other test knows."""
    user_id = f"reader of {request.node.nodeid}"[-200:]
    return asker_of(shared_service, user_id="".join(filter(str.isprintable, user_id)), app=shared_app)


@pytest.fixture
def client_of() -> Callable[..., httpx.AsyncClient]:
    """Make clients of a service, with an API key of these scopes and perhaps a reader's token."""

    def make(
        service: Service,
        *scopes: Scope,
        user_id: str | None = None,
        tenant: str = "default",
        app: object = None,
    ) -> httpx.AsyncClient:
        _, secret = service.keys.create(scopes or SCOPES, tenant=tenant)
        headers = {"Authorization": f"Bearer {secret}"}
        if user_id is not None:
            headers["Quire-Reader"] = service.tokens.issue(user_id, tenant, hours=1)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app or create_app(service)),  # type: ignore[arg-type]
            base_url="http://localhost",
            headers=headers,
        )

    return make


def problem(response: httpx.Response, *statuses: int) -> dict[str, Any]:
    """Return the problem that a response is; it is one of these statuses."""
    assert response.status_code in statuses, response.text[:500]
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == response.status_code
    assert found["type"].startswith("urn:quire:problem:")
    assert found["title"]
    assert len(response.content) < 4000
    return found
