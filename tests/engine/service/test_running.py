"""The service as a program: it says where it is when it answers, why it cannot, and it ends in order."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from served import LONGEST, Served

from engine.configuration import load
from engine.errors import NoSuchIndex
from engine.service import running
from engine.service.listening import CannotServe, listening, url_of
from engine.service.running import require_packages, serve


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def make(**values: object) -> Served:
        folder = tmp_path / f"served-{len(made)}"
        folder.mkdir()
        made.append(Served(folder, **values))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=LONGEST)


def events(url: str, first: threading.Event) -> str:
    """Return a stream's text, having said when it began."""
    with httpx.stream("GET", url, timeout=LONGEST) as answer:
        text = ""
        for part in answer.iter_text():
            text += part
            first.set()
    return text


def held(server: Served, pool: ThreadPoolExecutor) -> Future[httpx.Response]:
    """Return a request that is under way, and ends when somebody writes into the pipe `go`."""
    request = pool.submit(get, f"{server.url}/held")
    (server.folder / "held").read_text()
    return request


def let_go(server: Served) -> None:
    """End a request that is held, and whose answer nobody waits for, unless the server ends first."""
    while server.process.poll() is None:
        try:
            pipe = os.open(server.folder / "go", os.O_WRONLY | os.O_NONBLOCK)
        except (
            OSError
        ) as error:  # nobody reads it: not yet, or never, where the request was ended before it did
            if error.errno != errno.ENXIO:
                raise
        else:
            return os.close(pipe)


def refused(url: str) -> bool:
    try:
        httpx.get(url, timeout=LONGEST)
    except httpx.TransportError:
        return True
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_stop_it_finishes_what_is_under_way(
    served: Callable[..., Served], pool: ThreadPoolExecutor, how: signal.Signals, workers: int
) -> None:
    server = served(workers=workers)
    assert get(f"{server.url}/health/ready").json() == {"status": "ready"}
    request = held(server, pool)
    server.process.send_signal(how)
    while not refused(f"{server.url}/pid"):
        assert server.process.poll() is None
    (server.folder / "go").write_text("done")
    assert request.result(LONGEST).json() == "done"
    assert server.process.wait(LONGEST) == 0
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert {"stopping", "stopped", "request"} <= {line["event"] for line in lines}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_takes_longer_than_it_may_is_told_so_and_streams_end_with_an_event(
    served: Callable[..., Served], pool: ThreadPoolExecutor, workers: int
) -> None:
    server, first = served(workers=workers, drain_seconds=0), threading.Event()
    stream = pool.submit(events, f"{server.url}/stream", first)
    assert first.wait(LONGEST)
    request = held(server, pool)
    server.process.send_signal(signal.SIGTERM)
    answer = request.result(LONGEST)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:quire:problem:stopping")
    assert answer.headers["retry-after"] == "1"
    assert stream.result(LONGEST).split("\n\n")[1].startswith("event: problem\ndata: {")
    let_go(server)
    assert server.process.wait(LONGEST) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_stop_while_it_starts_it_ends_at_once_and_as_one_who_was_asked_to(
    tmp_path: Path, how: signal.Signals, workers: int
) -> None:
    """It died of the signal; and as a container's first process, which the kernel spares, it did not stop at all."""
    (tmp_path / "slow").touch()
    server = Served(tmp_path, waited_for=False, workers=workers)
    try:
        assert (tmp_path / "held").read_text().startswith("held")
        server.process.send_signal(how)
        assert server.process.wait(LONGEST) == 0
        assert server.log() == ""
    finally:
        server.close()


def test_a_worker_that_dies_is_started_again_and_the_others_go_on(served: Callable[..., Served]) -> None:
    server = served(workers=3)
    pids: set[int] = set()
    while len(pids) < 3:  # until each has started, and answered
        pids.add(get(f"{server.url}/pid").json())
    victim = min(pids)
    os.kill(victim, signal.SIGKILL)
    seen: set[int] = set()
    while not seen - pids:
        seen.add(get(f"{server.url}/pid").json())
    counted = get(f"{server.url}/metrics").text
    assert 'quire_requests_total{method="GET",route="/pid",status="200"}' in counted
    assert server.stop() == 0
    ended = [json.loads(line) for line in server.log().splitlines() if "ended" in line]
    assert [one["how"] for one in ended] == ["by signal SIGKILL"]


def test_workers_end_when_their_supervisor_is_killed(served: Callable[..., Served]) -> None:
    server = served(workers=2)
    server.process.kill()
    server.process.wait(LONGEST)
    while not refused(f"{server.url}/pid"):
        pass


@pytest.mark.parametrize("workers", [1, 2])
def test_an_index_that_cannot_be_opened_is_why_it_does_not_start(tmp_path: Path, workers: int) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "fails").touch()
    server = Served(folder, workers=workers)
    assert server.url.endswith(f"{folder} holds no index that can be opened")
    assert server.process.wait(LONGEST) == 3
    server.close()


def test_a_worker_that_dies_before_it_answers_is_why_it_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "dies").touch()
    server = Served(tmp_path, workers=2)
    assert server.url.startswith("CannotServe: a worker ended before it could answer, by signal SIGKILL")
    assert server.process.wait(LONGEST) == 3
    server.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_named(served: Callable[..., Served], tmp_path: Path, workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = served(workers=workers, port=port)
        assert server.url == (
            f"CannotServe: 127.0.0.1:{port} is taken by another program; stop that one, or take another port: "
            "--port 0 finds a free one"
        )
        assert server.process.wait(LONGEST) == 3


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(CannotServe, match=r"192\.0\.2\.1:0 cannot be listened on"):
        listening("192.0.2.1", 0)
    with pytest.raises(CannotServe, match="no address of this machine"):
        listening("no such host.invalid", 0)


def test_no_index_is_an_error_before_anything_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    configuration = load(
        environ={"HOME": str(tmp_path)}, options={"service.port": ("--port", 0)}, folder=tmp_path
    )
    with pytest.raises(NoSuchIndex):
        serve(tmp_path / "nothing", configuration, say=said.append)
    assert said == []


def test_packages_that_are_missing_are_named_with_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "find_spec", lambda name: None if name in ("uvicorn", "jwt") else object())
    with pytest.raises(CannotServe) as refused_with:
        require_packages()
    assert str(refused_with.value) == (
        'the service needs uvicorn, jwt, which is not installed: pip install "quire-search[service]"'
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://localhost:80"),
        ("::", "http://localhost:80"),
        ("::1", "http://[::1]:80"),
        ("search.example", "http://search.example:80"),
    ],
)
def test_the_url_is_one_that_a_browser_here_can_take(host: str, url: str) -> None:
    assert url_of(host, 80) == url
