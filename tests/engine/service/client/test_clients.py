"""Both clients, against a server that answers as a test says: what they send, read, raise, and send again."""

from __future__ import annotations

import asyncio
import inspect
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.service.client import (
    AsyncClient,
    Busy,
    Client,
    NoAnswer,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Patience,
    ServiceProblem,
    TooMany,
    Unusable,
)
from engine.service.client.answers.search import Completions
from engine.service.client.connection import Connection
from engine.service.settings import ServiceSettings

Handler = Callable[[httpx.Request], httpx.Response]
COMPLETIONS = {"completions": [{"text": "turbine", "kind": "word", "doc_id": "", "highlights": [[0, 3]]}]}


class Asked:
    """Calls a method of either client, and remembers how long it slept between requests."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.slept: list[float] = []

    def __call__(self, handler: Handler, method: str, *args: Any, reader: str = "", **kwargs: Any) -> Any:
        made: dict[str, Any] = {
            "key": "quire_abc",
            "reader": reader,
            "transport": httpx.MockTransport(handler),
            "patience": Patience(chance=random.Random(1)),
        }
        if self.kind == "sync":
            with Client("http://quire.test/", **made) as client:
                client._sleep = self.slept.append
                found = getattr(client, method)(*args, **kwargs)
                return list(found) if isinstance(found, Iterator) else found
        return asyncio.run(self._async(made, method, args, kwargs))

    async def _async(self, made: dict[str, Any], method: str, args: Any, kwargs: Any) -> Any:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)

        async with AsyncClient("http://quire.test/", **made) as client:
            client._sleep = sleep
            found = getattr(client, method)(*args, **kwargs)
            if isinstance(found, AsyncIterator):
                return [each async for each in found]
            return await found


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Asked:
    return Asked(request.param)


def problem(
    status: int, kind: str = "a-kind", headers: dict[str, str] | None = None, **more: object
) -> httpx.Response:
    body = {
        "type": f"urn:quire:problem:{kind}",
        "title": "T",
        "status": status,
        "detail": "what to do",
        **more,
    }
    kept = {"content-type": "application/problem+json", "x-request-id": "r-17", **(headers or {})}
    return httpx.Response(status, content=json.dumps(body), headers=kept)


def in_turn(*responses: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """Return a handler that gives these answers one after the other, and the requests it had."""
    had: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        had.append(request)
        answer = responses[len(had) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle, had


def test_a_request_says_who_asks(ask: Asked) -> None:
    handle, had = in_turn(httpx.Response(200, json=COMPLETIONS))
    found = ask(handle, "suggest", "tür & bin/?#", k=3, reader="a.b.c")
    assert isinstance(found, Completions)
    assert [each.text for each in found] == ["turbine"]
    assert found.completions[0].highlights == ((0, 3),)
    (request,) = had
    assert request.url.path == "/v1/suggest"
    assert dict(request.url.params) == {"q": "tür & bin/?#", "k": "3"}
    assert request.headers["authorization"] == "Bearer quire_abc"
    assert request.headers["quire-reader"] == "a.b.c"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotAuthenticated), (403, NotAllowed), (404, NotFound), (422, Unusable), (500, ServiceProblem)],
)
def test_a_problem_is_raised_as_what_it_is(ask: Asked, status: int, kind: type[ServiceProblem]) -> None:
    handle, had = in_turn(problem(status, "some-kind", suggestion="year"))
    with pytest.raises(ServiceProblem) as caught:
        ask(handle, "document", "d1")
    found = caught.value
    assert type(found) is kind
    assert (found.status, found.kind, found.detail) == (status, "some-kind", "what to do")
    assert (found.request_id, found.members) == ("r-17", {"suggestion": "year"})
    assert "what to do" in str(found)
    assert "r-17" in str(found)
    assert len(had) == 1


@pytest.mark.parametrize(("status", "kind"), [(429, TooMany), (503, Busy)])
def test_what_may_be_sent_twice_is_sent_again(ask: Asked, status: int, kind: type[ServiceProblem]) -> None:
    busy = [problem(status, headers={"retry-after": "2"}) for _ in range(4)]
    handle, had = in_turn(busy[0], busy[1], httpx.Response(200, json=COMPLETIONS))
    assert len(ask(handle, "suggest", "t")) == 1
    assert len(had) == 3
    assert all(2 <= slept <= 2.5 for slept in ask.slept)

    handle, had = in_turn(*busy)
    with pytest.raises(kind) as caught:
        ask(handle, "suggest", "t")
    assert caught.value.retry_after == 2
    assert len(had) == 4


def test_what_the_service_puts_off_for_long_is_raised_at_once(ask: Asked) -> None:
    handle, had = in_turn(problem(429, headers={"retry-after": "3600"}))
    with pytest.raises(TooMany):
        ask(handle, "suggest", "t")
    assert (len(had), ask.slept) == (1, [])


def test_what_must_not_be_sent_twice_is_not(ask: Asked) -> None:
    handle, had = in_turn(problem(503, headers={"retry-after": "1"}))
    with pytest.raises(Busy):
        ask(handle, "reader_token", "ann")
    assert len(had) == 1


def test_a_connection_that_fails_is_tried_again(ask: Asked) -> None:
    handle, had = in_turn(httpx.ConnectError("refused"), httpx.Response(200, json=COMPLETIONS))
    assert len(ask(handle, "suggest", "t")) == 1
    assert len(had) == 2


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("refused"), httpx.RemoteProtocolError("broke off"), httpx.ReadError("gone")],
)
def test_nobody_there(ask: Asked, error: Exception) -> None:
    handle, had = in_turn(*[error] * 4)
    with pytest.raises(NoAnswer) as caught:
        ask(handle, "suggest", "t")
    assert caught.value.kind == "unreachable"
    assert caught.value.__cause__ is error
    assert len(had) == 4


def test_too_slow_is_not_asked_again(ask: Asked) -> None:
    handle, had = in_turn(httpx.ReadTimeout("30 s"))
    with pytest.raises(NoAnswer) as caught:
        ask(handle, "suggest", "t")
    assert (caught.value.kind, len(had)) == ("timed-out", 1)


@pytest.mark.parametrize(
    "content",
    [
        "<html>A proxy says hello</html>",
        '["no object"]',
        '{"completions": [{"text": 3}]}',
        "[" * 100_000,
        "",
    ],
)
def test_an_answer_of_somebody_else(ask: Asked, content: str) -> None:
    handle, _ = in_turn(httpx.Response(200, content=content))
    with pytest.raises(NoAnswer, match="no answer of Quire's"):
        ask(handle, "suggest", "t")


def test_an_error_of_somebody_else(ask: Asked) -> None:
    handle, _ = in_turn(httpx.Response(502, text="<h1>Bad gateway</h1>"))
    with pytest.raises(ServiceProblem) as caught:
        ask(handle, "suggest", "t")
    assert (caught.value.status, caught.value.kind) == (502, "unknown")


RANKING = {
    "query": "q", "k": 1, "found": 0, "reranked_depth": 0, "hits": [], "notices": ["line\u2028end"], "degraded": [],
    "suggestions": [], "facets": {}, "cursor": None, "generation": 1, "timings_ms": {},
}  # fmt: skip
FIRST = f": hello\n\nevent: first\ndata: {json.dumps(RANKING, ensure_ascii=False)}\n\n".encode()


def test_a_stream_is_told_event_by_event(ask: Asked) -> None:
    stream = FIRST + FIRST.replace(b"first", b"ranking")
    handle, had = in_turn(httpx.Response(200, content=stream, headers={"content-type": "text/event-stream"}))
    beats = ask(handle, "stream", "q", k=1)
    assert [beat.event for beat in beats] == ["first", "ranking"]
    assert beats[0].data.notices == ("line\u2028end",)
    assert json.loads(had[0].content)["k"] == 1


def test_the_service_gives_up_before_its_clients_do() -> None:
    """Its 503 says when to ask again, and is heeded; silence is not."""
    assert ServiceSettings().request_seconds < Connection("http://localhost").timeout


def test_a_stream_may_end_in_a_problem(ask: Asked) -> None:
    body = json.dumps({"type": "urn:quire:problem:overloaded", "status": 503, "detail": "later"})
    content = f"event: problem\ndata: {body}\n\n".encode()
    handle, _ = in_turn(httpx.Response(200, content=content, headers={"X-Request-Id": "abcdefgh"}))
    with pytest.raises(Busy, match="later") as caught:
        ask(handle, "stream", "q")
    assert caught.value.request_id == "abcdefgh"


@pytest.mark.parametrize(
    "events", [b"", b"<h1>Welcome to our network</h1>", FIRST], ids=["none", "html", "first"]
)
def test_a_stream_that_breaks_off_is_no_answer(ask: Asked, events: bytes) -> None:
    handle, _ = in_turn(httpx.Response(200, content=events))
    with pytest.raises(NoAnswer, match="a stream that ends with"):
        ask(handle, "stream", "q")


def test_a_stream_that_does_not_begin_is_a_problem_like_any(ask: Asked) -> None:
    handle, had = in_turn(problem(503), problem(422, "invalid-query"))
    with pytest.raises(Unusable):
        ask(handle, "stream", "q")
    assert len(had) == 2


def test_uploads_are_sent_as_files(ask: Asked, tmp_path: Path) -> None:
    (tmp_path / "räume.txt").write_text("walls", encoding="utf-8")
    (tmp_path / "b.md").write_text("# doors", encoding="utf-8")
    handle, had = in_turn(problem(503), problem(422), problem(422))
    with pytest.raises(Unusable):
        ask(handle, "add_files", [tmp_path / "räume.txt", tmp_path / "b.md"])
    assert had[0].headers["content-type"].startswith("multipart/form-data")
    # Sent again it is whole again, and the same request by its key.
    for request in had[:2]:
        assert b"walls" in request.content
        assert b"# doors" in request.content
        assert b'name="doc_id"' not in request.content
    assert had[0].headers["idempotency-key"] == had[1].headers["idempotency-key"]

    with pytest.raises(Unusable):
        ask(handle, "add_files", {"other/name": tmp_path / "b.md"}, key="mine")
    sent = had[2].content
    assert sent.index(b"other/name") < sent.index(b"# doors")
    assert had[2].headers["idempotency-key"] == "mine"


def job(state: str) -> httpx.Response:
    """Return a job as it is told."""
    names = "files files_read skipped documents added updated unchanged deleted missing refused passages"
    body = {
        "job_id": "job/1",
        "kind": "files",
        "state": state,
        "cancelling": False,
        "message": "",
        "created": "2026",
    }
    more = {"started": None, "finished": None, "refusals": [], "generation": 0}
    return httpx.Response(200, json={**body, **more, "progress": dict.fromkeys(names.split(), 0)})


def test_a_job_is_looked_at_until_it_has_ended(ask: Asked) -> None:
    handle, had = in_turn(job("queued"), job("reading"), problem(503), job("indexing"), job("failed"))
    seen: list[str] = []
    found = ask(handle, "wait", "job/1", progress=lambda job: seen.append(job.state))
    assert (found.state, seen) == ("failed", ["queued", "reading", "indexing", "failed"])
    assert {request.url.raw_path for request in had} == {b"/v1/jobs/job%2F1"}
    assert ask.slept == sorted(ask.slept)


def test_waiting_may_end_before_the_job_does(ask: Asked) -> None:
    handle, had = in_turn(job("queued"))
    with pytest.raises(TimeoutError, match="queued"):
        ask(handle, "wait", "job/1", seconds=0)
    assert len(had) == 1


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("localhost:8765",), "begins with http"),
        (("http://x", "quire_a b"), "an API key is"),
        (("http://x", "schlüssel"), "an API key is"),
        (("http://x", "a\r\nX-Other: 1"), "an API key is"),
    ],
)
def test_what_cannot_be_an_address_or_a_key(arguments: tuple[str, ...], found: str) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(ValueError, match=found):
            kind(*arguments)


def test_secrets_are_not_shown() -> None:
    with Client("http://x", "quire_secret", reader="to.ke.n") as client:
        assert "quire_secret" not in repr(client._connection)
        assert "to.ke.n" not in repr(client._connection)


def test_a_reader_is_asked_for_over_the_same_connections() -> None:
    handle, had = in_turn(*[httpx.Response(200, json=COMPLETIONS)] * 2)
    with Client("http://x", "quire_a", transport=httpx.MockTransport(handle)) as client:
        client.for_reader("t.o.k").suggest("a")
        client.suggest("b")
    assert [request.headers.get("quire-reader") for request in had] == ["t.o.k", None]


def test_both_clients_offer_the_same() -> None:
    def offered(kind: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(value))
            for name, value in vars(kind).items()
            if callable(value) and not name.startswith("_")
        }

    sync, coroutines = offered(Client), offered(AsyncClient)
    assert sync.keys() == coroutines.keys()
    assert {name for name in sync if sync[name] != coroutines[name]} <= {"for_reader", "wait"}
    assert all(getattr(Client, name).__doc__ for name in sync)
    shown = inspect.signature(Client("http://x").suggest)
    assert list(shown.parameters) == ["text", "k"]
