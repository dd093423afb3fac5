"""A service over a small index, and clients that speak to its application without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

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


@pytest.fixture
def make_service(
    tmp_path: Path, make_index: Callable[..., Index], corpus: list, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Service]]:
    """Make services over a small index of their own; values are those of `ServiceSettings`."""
    for variable in ("QUIRE_TOKEN_SECRET", "QUIRE_TOKEN_SECRET_FILE"):
        monkeypatch.delenv(variable, raising=False)
    made: list[Service] = []

    def make(search: SearchSettings | None = None, **values: object) -> Service:
        if not (tmp_path / "index").exists():
            make_index(*corpus).close()
        place, state = tmp_path / "index", tmp_path / "state"
        settings = replace(GENEROUS, **values)  # type: ignore[arg-type]
        engines = Engines.open(place, search=search, encoder=HashingEncoder(32), reranker=OverlapScorer())
        service = Service(engines, settings, state)
        made.append(service)
        return service

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """A service over the small index."""
    return make_service()


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
