"""Applications for the tests of `engine.service.running`, and `Served`: a process of its own that serves one of them.

    python -m served library '{"workers": 2}' INDEX
    python -m served application '{"workers": 2}' FOLDER

`library` is Quire's own, over an index that was made with `HashingEncoder(32)`. Of `application`,
/held answers once somebody writes into FOLDER/go (a pipe), and says first in FOLDER/held that it has begun. With
a file FOLDER/slow it does the same while it starts.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from engine.configuration import Configuration
    from indexer.opening import Place

LONGEST = 60.0
"""Seconds that nothing here takes: it is where a test has failed."""


def application(place: Place, configuration: Configuration) -> FastAPI:
    """Return the application. A file `fails` in the folder keeps it from being made."""
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse, StreamingResponse

    from engine.errors import IndexOpenError
    from engine.service.problems import Problem
    from engine.service.watching.metrics import Metrics
    from engine.service.watching.watch import watch

    folder, app = Path(place), FastAPI()
    if (folder / "fails").exists():
        raise IndexOpenError(f"{folder} holds no index that can be opened")
    if (folder / "slow").exists():
        (folder / "held").write_text("held")
        (folder / "go").read_text()
    if (folder / "dies").exists():
        os.kill(os.getpid(), signal.SIGKILL)

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return JSONResponse(error.to_json(), error.status, error.headers)

    @app.get("/pid")
    async def pid() -> int:
        return os.getpid()

    @app.get("/held")
    async def held() -> str:
        await asyncio.to_thread((folder / "held").write_text, "held")
        return await asyncio.to_thread((folder / "go").read_text)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            yield "event: first\ndata: 1\n\n"
            await asyncio.Event().wait()

        return StreamingResponse(events(), media_type="text/event-stream")

    watch(app, Metrics(), secret=b"s" * 32, check=bool, admin=lambda _: None, environ={})
    return app


def library(place: Place, configuration: Configuration) -> FastAPI:
    """Return Quire's own application over an index."""
    from engine.service.app import create_app
    from engine.service.service import Service
    from indexer.encoder import HashingEncoder

    return create_app(Service.open(place, configuration=configuration, encoder=HashingEncoder(32)))


class Served:
    """A process that serves an application.

    Args:
        folder: Its log is there, and pipes for `application`.
        index: Serve this with `library`; None for `application`, over the folder.
        waited_for: Whether to wait until it says something.
        **values: Of [service].
    """

    def __init__(
        self, folder: Path, index: Path | None = None, *, waited_for: bool = True, **values: object
    ) -> None:
        self.folder = folder
        for name in ("held", "go"):
            os.mkfifo(folder / name)
        name, place = ("application", folder) if index is None else ("library", index)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "served", name, json.dumps({"port": 0, **values}), str(place)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self.url = self.said() if waited_for else ""

    def said(self) -> str:
        """Return the next line that it prints: first its URL."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def log(self) -> str:
        """Return what it logged."""
        return (self.folder / "log").read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(LONGEST)

    def close(self) -> None:
        """Be gone, whatever happened."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LONGEST)
        if self.process.stdout is not None:
            self.process.stdout.close()


def main() -> None:
    """Serve, and say where."""
    from engine.configuration import load
    from engine.errors import SearchError
    from engine.service.running import serve

    values, folder = json.loads(sys.argv[2]), sys.argv[3]
    options = {f"service.{name}": (name, value) for name, value in values.items()}
    configuration = load(environ={"HOME": folder}, options=options, folder=Path(folder))
    import served  # as processes that are spawned know it

    chosen = getattr(served, sys.argv[1])
    try:
        serve(folder, configuration, say=lambda url: print(url, flush=True), application=chosen)
    except SearchError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        raise SystemExit(3) from None


if __name__ == "__main__":
    main()
