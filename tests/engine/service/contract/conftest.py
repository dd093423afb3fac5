"""One service for all tests of the contract, in this process: a small index, keys of every kind, two tenants."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from engine.configuration import load
from engine.service.access.caller import SCOPES, Scope
from engine.service.app import create_app
from engine.service.service import Service
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from reranker.overlap import OverlapScorer

ENCODER = HashingEncoder(32)
SETTINGS = {"rate_per_minute": 10_000_000, "burst": 1_000_000, "threads": 2, "max_body_kb": 64}
TENANTS = ("default", "harbour")


@dataclass
class Served:
    """A service, its application, and whoever may ask it.

    Args:
        service: The service.
        app: Its application.
        keys: The secret of a key with all scopes, by tenant.
        asked: How many requests were sent.
    """

    service: Service
    app: FastAPI
    keys: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def key(self, *scopes: Scope, tenant: str = "default", **values: Any) -> str:
        """Return the secret of a new key."""
        return self.service.keys.create(scopes, tenant=tenant, **values)[1]

    def expired_key(self) -> str:
        """Return the secret of a key that held until just now."""
        ring = self.service.keys
        now = ring._now
        ring._now = lambda: now() - timedelta(days=2)
        try:
            return ring.create(SCOPES, expires=timedelta(days=1))[1]
        finally:
            ring._now = now

    def token(self, reader: str, tenant: str = "default") -> str:
        """Return a reader's token."""
        return self.service.tokens.issue(reader, tenant, hours=1)

    def expired_token(self, reader: str) -> str:
        """Return a token that held until an hour ago."""
        tokens = self.service.tokens
        clock = tokens._clock
        tokens._clock = lambda: clock() - 7200
        try:
            return tokens.issue(reader, "default", hours=1)
        finally:
            tokens._clock = clock

    def ask(
        self, method: str, path: str, *, key: str = "", reader: str = "", **request: Any
    ) -> httpx.Response:
        """Return the answer to one request."""
        headers = dict(request.pop("headers", {}))
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if reader:
            headers["Quire-Reader"] = reader

        async def asking() -> httpx.Response:
            # Each from an address of its own: one that is refused too often is not told why any more.
            self.asked += 1
            address = f"10.{self.asked >> 16 & 255}.{self.asked >> 8 & 255}.{self.asked & 255}"
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, headers=headers, **request)

        return asyncio.run(asking())


@pytest.fixture(scope="session")
def small_index(tmp_path_factory: pytest.TempPathFactory, corpus: list[Document]) -> Path:
    """An index of the corpus, with names that are a trouble to any URL."""
    folder = tmp_path_factory.mktemp("contract") / "index"
    index = Index.create(folder, encoder=ENCODER)
    with index.writer() as writer:
        for document in corpus:
            writer.add(document)
        for odd in ODD_IDS:
            writer.add(Document(odd, "A turbine blade with an odd name. It cools the boundary layer.", odd))
    index.close()
    return folder


ODD_IDS = ("a/b/../c?d=e&f#g%2F", "\u706f\u5854 \U0001f409", '"><script>', "..", " ")


@pytest.fixture(scope="session")
def served(small_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The service. Tests may change readers' profiles, each under names of its own, and nothing else."""
    state = tmp_path_factory.mktemp("contract-state")
    shelf = tmp_path_factory.mktemp("shelf")
    (shelf / "folder").mkdir()
    (shelf / "notes.txt").write_text("Notes on turbine blades.", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("QUIRE_TOKEN_SECRET", "QUIRE_TOKEN_SECRET_FILE"):
            patch.delenv(variable, raising=False)
        options = {f"service.{name}": (name, value) for name, value in SETTINGS.items()}
        options |= {
            "service.state": ("state", str(state)),
            "service.roots": ("roots", (str(shelf),)),
        }
        configuration = load(environ={"HOME": str(state)}, options=options, folder=state)
        with Service.open(
            small_index, configuration=configuration, encoder=ENCODER, reranker=OverlapScorer()
        ) as service:
            made = Served(service, create_app(service))
            made.keys = {tenant: made.key(*SCOPES, tenant=tenant) for tenant in TENANTS}
            yield made
