"""`AsyncClient`: the service from a program of coroutines."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import anyio
import httpx

from engine.service.client import endpoints
from engine.service.client.answers.jobs import Job
from engine.service.client.call import Call, as_method, check_whole, problem_in
from engine.service.client.connection import FAILURES, TIMEOUT, Connection, pauses
from engine.service.client.errors import ServiceProblem, no_answer
from engine.service.client.patience import Patience
from engine.service.client.server_events import EventParser

P = ParamSpec("P")
T = TypeVar("T")


def _asking(build: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    """Return the method that sends what a function of `endpoints` makes."""

    @wraps(build)
    def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        return self.send(build(*args, **kwargs))

    return as_method(method, build)


def _streaming(build: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[T]]:
    """Return the method that sends what a function of `endpoints` makes, and yields the events of its answer."""

    @wraps(build)
    def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        return self._events(build(*args, **kwargs))

    return as_method(method, build)


class AsyncClient(AbstractAsyncContextManager["AsyncClient"]):
    """Asks a service. Close it, or use it in an `async with` statement.

    Every method raises ServiceProblem where the service does not do what was asked. Requests that may be sent twice
    are sent again when the service is busy or cannot be reached (`patience`).

    Args:
        url: Where the service is: http://localhost:8765.
        key: An API key, `quire_...`.
        reader: A reader's token, for what concerns a reader.
        timeout: Seconds to wait for a connection, and for each piece of an answer.
        patience: How often, and how long, a request is sent again.
        transport: Sends requests in place of the network, for tests.

    Raises:
        ValueError: the address, the key or the token cannot be one.
    """

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        reader: str = "",
        timeout: float = TIMEOUT,
        patience: Patience | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(url, key, reader, timeout, patience or Patience())
        self._http = httpx.AsyncClient(**self._connection.options, transport=transport)
        self._sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    search = _asking(endpoints.search)
    stream = _streaming(endpoints.stream)
    suggest = _asking(endpoints.suggest)
    document = _asking(endpoints.document)
    similar = _asking(endpoints.similar)
    summary = _asking(endpoints.summary)
    summaries = _asking(endpoints.summaries)
    why_not = _asking(endpoints.why_not)
    recommend = _asking(endpoints.recommend)
    record = _asking(endpoints.record)
    profile = _asking(endpoints.profile)
    mute = _asking(endpoints.mute)
    unmute = _asking(endpoints.unmute)
    declare = _asking(endpoints.declare)
    undeclare = _asking(endpoints.undeclare)
    forget_document = _asking(endpoints.forget_document)
    export_profile = _asking(endpoints.export_profile)
    erase_profile = _asking(endpoints.erase_profile)
    reader_token = _asking(endpoints.reader_token)
    stats = _asking(endpoints.stats)
    add_documents = _asking(endpoints.add_documents)
    add_files = _asking(endpoints.add_files)
    add_paths = _asking(endpoints.add_paths)
    delete_documents = _asking(endpoints.delete_documents)
    jobs = _asking(endpoints.jobs)
    job = _asking(endpoints.job)
    cancel = _asking(endpoints.cancel)

    def for_reader(self, token: str) -> AsyncClient:
        """Return a client that asks for a reader, over the same connections; closing either closes both."""
        other = object.__new__(type(self))
        other.__dict__ = self.__dict__ | {"_connection": replace(self._connection, reader=token)}
        return other

    async def wait(
        self, job_id: str, *, seconds: float | None = None, progress: Callable[[Job], None] | None = None
    ) -> Job:
        """Return a job when it has ended, however it did.

        Args:
            job_id: Which.
            seconds: How long to wait; None for as long as it takes.
            progress: Called with the job whenever it was looked at.

        Raises:
            TimeoutError: it has not ended by then; it goes on.
        """
        end = None if seconds is None else time.monotonic() + seconds
        for pause in pauses():
            job = await self.job(job_id)
            if progress is not None:
                progress(job)
            if job.ended:
                return job
            if end is not None and time.monotonic() + pause > end:
                raise TimeoutError(f"job {job_id} is {job.state} after {seconds:g} seconds")
            await self._sleep(pause)
        raise AssertionError("pauses never end")

    async def send(self, call: Call[T]) -> T:
        """Return the answer to a request."""
        return await self._patient(call, lambda: self._once(call))

    async def close(self) -> None:
        """Close the connections. Closing twice is harmless."""
        await self._http.aclose()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _patient(self, call: Call[Any], ask: Callable[[], Awaitable[T]]) -> T:
        attempt = 0
        while True:
            try:
                return await ask()
            except ServiceProblem as problem:
                wait = self._connection.patience.wait(attempt, problem, call.repeatable)
                if wait is None:
                    raise
            attempt += 1
            await self._sleep(wait)

    async def _once(self, call: Call[T]) -> T:
        try:
            with self._connection.asking(call) as request:
                return call.answer(await self._http.request(**request))
        except FAILURES as error:
            raise no_answer(error) from error

    async def _open(self, call: Call[Any]) -> httpx.Response:
        """Return a response of which nothing but the headers is read; of one that is an error, raise that."""
        try:
            with self._connection.asking(call) as request:
                response = await self._http.send(self._http.build_request(**request), stream=True)
            if not response.is_success:
                await response.aread()
                raise problem_in(response)
        except FAILURES as error:
            raise no_answer(error) from error
        return response

    async def _events(self, call: Call[T]) -> AsyncIterator[T]:
        response = await self._patient(call, lambda: self._open(call))
        parser, last = EventParser(), ""
        async with contextlib.aclosing(response):
            try:
                async for piece in response.aiter_bytes():
                    for event in parser.feed(piece):
                        yield call.event(event, response.headers)
                        last = event.name
            except FAILURES as error:
                raise no_answer(error) from error
        check_whole(last)
