"""A small application behind the guards: no index, no threads, a clock that the test turns."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Body, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

from engine.service.access.addresses import Proxies
from engine.service.access.caller import SCOPES, Caller, Scope
from engine.service.access.cookies import as_reader, drop_reader, keep_reader
from engine.service.access.dependencies import box_caller, needs, reader_at_box, reader_of
from engine.service.access.guards import add_guards
from engine.service.access.keys import KeyRing
from engine.service.access.origins import same_origin
from engine.service.access.rates import Rates
from engine.service.access.state import reader_problem_of
from engine.service.access.tokens import Tokens
from engine.service.problems import MEDIA_TYPE, Problem
from engine.service.settings import ServiceSettings

SECRET = "a secret of forty characters, for the test"


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Door:
    """What guards ask of a service."""

    settings: ServiceSettings
    keys: KeyRing
    tokens: Tokens
    rates: Rates
    proxies: Proxies
    clock: Clock = field(default_factory=Clock)
    signed_with: str = SECRET

    def secret(self, *scopes: Scope, **values: Any) -> dict[str, str]:
        """Return the header of a new key."""
        return {"Authorization": f"Bearer {self.keys.create(scopes, **values)[1]}"}

    def reader(self, user_id: str = "ann", tenant: str = "default") -> dict[str, str]:
        """Return the header of a new reader's token."""
        return {"Quire-Reader": self.tokens.issue(user_id, tenant)}


@pytest.fixture
def door(tmp_path: Path) -> Callable[..., Door]:
    """Make what guards ask of a service; values are those of `ServiceSettings`."""

    def make(**values: Any) -> Door:
        settings = ServiceSettings(**values)
        clock = Clock()
        return Door(
            settings,
            KeyRing(tmp_path / "state"),
            Tokens(tmp_path / "state", settings, environ={"QUIRE_TOKEN_SECRET": SECRET}),
            Rates(settings.burst, settings.workers, clock=clock),
            Proxies(settings.trusted_proxies),
            clock,
        )

    return make


def who(caller: Caller) -> dict[str, object]:
    """Return who was let in."""
    return {"key": caller.key_id, "tenant": caller.tenant, "user": caller.user_id, "guest": caller.guest}


def small_app(door: Door) -> FastAPI:
    """Return an application with one route of each kind."""
    app = FastAPI()
    app.state.service = door
    _add_api(app)
    _add_box(app)
    add_guards(app, door)
    return app


def _add_api(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def told(_: Request, problem: Problem) -> JSONResponse:
        return JSONResponse(problem.to_json(), problem.status, problem.headers, MEDIA_TYPE)

    for scope in SCOPES:

        @app.get(f"/v1/{scope}")
        def ask(caller: Annotated[Caller, Depends(needs(scope))]) -> dict[str, object]:
            return who(caller)

    @app.get("/v1/own")
    def own(caller: Annotated[Caller, Depends(reader_of("events"))]) -> dict[str, object]:
        return who(caller)

    @app.post("/v1/size")
    def size(
        caller: Annotated[Caller, Depends(needs("search"))], body: Annotated[dict[str, object], Body()]
    ) -> dict[str, object]:
        return {"size": len(str(body))}

    @app.post("/v1/documents")
    async def upload(request: Request, caller: Annotated[Caller, Depends(needs("index"))]) -> dict[str, int]:
        return {"size": len(await request.body())}

    @app.get("/v1/cached")
    async def cached(caller: Annotated[Caller, Depends(needs("search"))]) -> JSONResponse:
        return JSONResponse({}, headers={"Cache-Control": "max-age=60"})

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {}


def _add_box(app: FastAPI) -> None:
    @app.get("/")
    async def home(request: Request, caller: Annotated[Caller, Depends(box_caller)]) -> dict[str, object]:
        problem = reader_problem_of(request.scope)
        return {**who(caller), "problem": problem.kind if problem else None}

    @app.post("/like", dependencies=[Depends(same_origin)])
    async def like(request: Request, caller: Annotated[Caller, Depends(box_caller)]) -> RedirectResponse:
        return RedirectResponse(f"/?{as_reader(request, caller).user_id}", 303)

    @app.get("/enter")
    async def enter(request: Request, token: str) -> RedirectResponse:
        reader_at_box(request, token)
        keep_reader(request, token)
        return RedirectResponse("/", 303, {"Referrer-Policy": "no-referrer"})

    @app.post("/leave", dependencies=[Depends(same_origin)])
    async def leave(request: Request) -> RedirectResponse:
        drop_reader(request)
        return RedirectResponse("/", 303)


class Asking:
    """A browser or a program that asks an application, one request after the other, and keeps its cookies.

    Args:
        app: Asked without a network.
        peer: From which address.
    """

    def __init__(self, app: FastAPI, peer: str = "127.0.0.1") -> None:
        transport = httpx.ASGITransport(app, client=(peer, 1234))  # type: ignore[arg-type]
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765")
        self.cookies = self._client.cookies

    def request(self, method: str, path: str, **values: Any) -> httpx.Response:
        """Ask once."""
        return asyncio.run(self._client.request(method, path, **values))

    def get(self, path: str, **values: Any) -> httpx.Response:
        """Ask with GET."""
        return self.request("GET", path, **values)

    def post(self, path: str, **values: Any) -> httpx.Response:
        """Ask with POST."""
        return self.request("POST", path, **values)


@pytest.fixture
def client() -> Callable[..., Asking]:
    """Make clients of a small application behind a door."""

    def make(door: Door, **values: Any) -> Asking:
        return Asking(small_app(door), **values)

    return make
