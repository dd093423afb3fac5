"""Requests that no client would send, over a real socket to a service as `quire serve` has it."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from live_service import Site, serve

from engine.service.access.caller import SCOPES
from reranker.overlap import OverlapScorer

from .conftest import ENCODER

PATIENCE = 30.0  # seconds after which a test has failed: nothing waits so long
BODY_KB = 16


@pytest.fixture(scope="module")
def site(small_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A service that gives up soon, and takes little."""
    folder = tmp_path_factory.mktemp("hostile") / "index"
    shutil.copytree(small_index, folder)
    made = serve(
        folder,
        ENCODER,
        OverlapScorer(),
        request_seconds=1,
        max_body_kb=BODY_KB,
        max_upload_mb=1,
        rate_per_minute=10_000_000,
        burst=1_000_000,
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def key(site: Site) -> str:
    return site.service.keys.create(SCOPES)[1]


@pytest.fixture(autouse=True)
def _still_well(site: Site, key: str) -> Iterator[None]:
    """Whatever was sent, whoever comes next is answered."""
    yield
    # On a busy machine a search may take longer than the second that this service gives it.
    for _ in range(10):
        answer = httpx.get(
            f"{site.url}/v1/search?q=turbine", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
        )
        if answer.status_code != 503:
            break
    assert answer.status_code == 200
    assert answer.json()["found"] > 0


class Line:
    """A connection, on which a test writes what it likes."""

    def __init__(self, site: Site) -> None:
        where = urlsplit(site.url)
        self.socket = socket.create_connection((where.hostname, where.port), timeout=PATIENCE)

    def send(self, data: bytes) -> bool:
        """Send; return whether the other side still took it."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def answer(self) -> tuple[int, bytes]:
        """Return the status and all there is of the answer until the other side closes; 0 where it just closes."""
        received = b""
        while True:
            try:
                piece = self.socket.recv(65_536)
            except ConnectionResetError:
                break
            if not piece:
                break
            received += piece
        return (int(received.split(b" ", 2)[1]) if received.startswith(b"HTTP/1.1 ") else 0), received


@pytest.fixture
def line(site: Site) -> Iterator[Line]:
    made = Line(site)
    yield made
    made.socket.close()


def head(key: str, *headers: str, path: str = "/v1/search", method: str = "POST") -> bytes:
    """Return the head of a request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def test_a_chunked_body_without_end(line: Line, key: str) -> None:
    """It says no length, and is refused while it is still coming; then nobody listens to it any more."""
    line.send(head(key, "Transfer-Encoding: chunked"))
    chunk = b"400\r\n" + b" " * 1024 + b"\r\n"

    def send() -> None:
        while line.send(chunk * 64):
            pass

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    assert line.answer()[0] == 413
    sending.join(PATIENCE)
    assert not sending.is_alive()


def test_a_chunked_body_that_stops_when_it_is_told(line: Line, key: str) -> None:
    line.send(head(key, "Transfer-Encoding: chunked"))
    for _ in range(BODY_KB + 2):
        line.send(b"400\r\n" + b" " * 1024 + b"\r\n")
    line.send(b"0\r\n\r\n")
    assert line.answer()[0] == 413


def test_a_body_that_says_it_is_enormous(line: Line, key: str) -> None:
    line.send(head(key, "Content-Length: 1000000000000"))
    status, received = line.answer()
    assert status == 413
    assert b"application/problem+json" in received


def test_an_enormous_body_of_nobody(line: Line) -> None:
    line.send(head("quire_00000000_x", "Content-Length: 1000000000000", path="/v1/documents"))
    assert line.answer()[0] == 401


def test_a_body_that_never_comes(line: Line, key: str) -> None:
    line.send(head(key, "Content-Length: 100") + b'{"qu')
    assert line.answer()[0] in (408, 503)


def test_many_bodies_that_never_come_keep_nobody_waiting(site: Site, key: str) -> None:
    with contextlib.ExitStack() as opened:
        lines = [Line(site) for _ in range(200)]
        for one in lines:
            opened.enter_context(one.socket)
            one.send(head(key, "Content-Length: 100"))
        headers = {"Authorization": f"Bearer {key}"}
        assert httpx.get(f"{site.url}/v1/suggest?q=tur", headers=headers, timeout=PATIENCE).status_code == 200
        for one in lines:
            status, received = one.answer()
            assert status in (408, 503), received


@pytest.mark.parametrize(
    "flood",
    [
        [f"X-{number}: {'x' * 100}" for number in range(2000)],
        [f"X: {'x' * 1_000_000}"],
        [f"{'X' * 1_000_000}: x"],
        ["Cookie: " + "; ".join(f"c{number}=v" for number in range(100_000))],
    ],
    ids=["many", "long value", "long name", "cookies"],
)
def test_a_flood_of_headers(line: Line, key: str, flood: list[str]) -> None:
    line.send(head(key, *flood, "Content-Length: 2") + b"{}")
    assert line.answer()[0] in (0, 400, 431)


def test_a_head_without_end(line: Line) -> None:
    """Were it collected until it is whole, one connection could fill the memory."""
    line.send(b"GET /v1/search HTTP/1.1\r\nHost: localhost\r\n")
    sent = 0
    while sent < 1 << 10 and line.send(b"X-Header: " + b"x" * 16_000 + b"\r\n"):
        sent += 1
    assert sent < 1 << 10  # 16 MB
    assert line.answer()[0] in (0, 400, 431)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/search?q=%ff%fe",
        "/v1/search?q=%C0%AF&k=5",
        "/v1/search?q=%ED%A0%80",
        "/v1/search?q=%00",
        "/v1/search?q=%",
        "/v1/search?q=%zz",
        "/v1/search?%ff=1",
        "/v1/search?q=turbine&q=blade",
        "/v1/search?q=turbine&k=1&k=2",
        "/v1/search?" + "&".join(f"a{number}=1" for number in range(3000)),
        "/v1/search?q=" + "%F0%9F%90%89" * 300,
        "/v1/documents/text?id=%ff",
        "/v1/documents/text?id=..%2F..%2Fetc%2Fpasswd",
        "/v1/documents/text?id=/etc/passwd",
        "/v1/documents/text?id=d00&start=-1",
        "/v1/documents/text?id=d00&start=99999999999999999999999999",
        "/v1/documents/text?id=d00&end=1e3",
        "/v1/suggest?q=%ff%ff",
        "/v1/why-not?q=%ff&id=%ff",
        "/static/../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/x/..%2f..%2f..%2fetc%2fpasswd",
        "/static/x/%5c..%5c..%5cservice.py",
        "/?q=%ff%fe&f.topic=%ff&from=%ff&page=%ff&lang=%ff",
        "/?q=a&page=99999999999999999999",
        "/?q=a&page=-1",
        "/?q=a&from=0000-00-00&to=9999-99-99",
        "/?q=a&sort=%ff",
        "/?q=a&f.=1&f=2&f.%00=3",
        "/results?q=%ff&beat=%ff",
        "/document?id=%ff",
        "/document?id=d00&start=-5&end=x",
        "/document?id=d00&start=99999999999999999999999&end=1",
        "/why?q=%ff&id=%ff",
        "/similar?id=%ff",
        "/summary?id=%ff&id=%00",
        "/enter?token=%ff",
        "//evil.example/",
        "/\\evil.example/",
        "/v1/jobs/..%2f..%2fkeys.json",
        "/v1/jobs/%00",
    ],
)
def test_odd_addresses(line: Line, key: str, path: str) -> None:
    line.send(head(key, path=path, method="GET"))
    status, received = line.answer()
    assert 200 <= status < 500, received[:500]
    assert b"root:" not in received
    assert b"Traceback" not in received


@pytest.mark.parametrize(
    "path",
    ["/v1/search?q=\xff\xfe", "/v1/search?q=a b", "/v1/\xe4", "http://evil.example/v1/search?q=a", "*", "a"],
)
def test_addresses_that_are_none(line: Line, key: str, path: str) -> None:
    line.send(head(key, path=path, method="GET"))
    status, _ = line.answer()
    assert status == 0 or 200 <= status < 500


BODIES = [
    b"[" * 10_000,
    b'{"filters":' * 1000 + b"1" + b"}" * 1000,
    b'{"query": "a", "filters": ' + b'{"not":' * 200 + b'{"year": 1}' + b"}" * 200 + b"}",
    b'{"query": "a", "k": ' + b"9" * 10_000 + b"}",
    b'{"query": "a", "k": 1e400}',
    b'{"query": "a", "strength": NaN}',
    b'{"query": "a", "strength": -Infinity}',
    b'{"query": "\\ud800"}',
    b'{"query": "\\u0000"}',
    b'{"query": "\xff\xfe"}',
    b'{"query": "a", "query": "b"}',
    b'{"__proto__": {"k": 1}, "query": "a"}',
    b'{"query": {"$gt": ""}}',
    b'{"query": "a", "filters": {"year": {"gte": "\' OR 1=1 --"}}}',
    b'{"query": "a", "filters": {"year\x00": 1}}',
    b'{"query": "a", "filters": {"and": [' + b"{}," * 2000 + b"{}]}}",
    b'{"query": "a", "cursor": "50.AAAA"}',
    b'{"query": "a", "cursor": "' + b"A" * 10_000 + b'"}',
    b'\xef\xbb\xbf{"query": "a"}',
    '{"query": "a"}'.encode("utf-16"),
    '{"query": "a"}'.encode("utf-32"),
    b"query=a",
    b"",
]


@pytest.mark.parametrize("body", BODIES, ids=[repr(body[:30]) for body in BODIES])
@pytest.mark.parametrize("path", ["/v1/search", "/v1/search/stream", "/v1/events"])
def test_odd_bodies(site: Site, key: str, path: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    headers["Quire-Reader"] = site.token("hostile")
    answer = httpx.post(site.url + path, content=body, headers=headers, timeout=PATIENCE)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        json.loads(answer.content)


def test_what_says_that_it_is_packed_is_not_unpacked(site: Site, key: str) -> None:
    """A megabyte of blanks in a kilobyte: as it came it is no JSON, and nobody makes anything else of it."""
    import gzip

    packed = gzip.compress(b'{"query": "a"}' + b" " * (1 << 20))
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    answer = httpx.post(f"{site.url}/v1/search", content=packed, headers=headers, timeout=PATIENCE)
    assert answer.status_code in (400, 415, 422)


@pytest.mark.parametrize(
    "smuggled",
    [
        ["Content-Length: 2", "Transfer-Encoding: chunked"],
        ["Content-Length: 2", "Content-Length: 40"],
        ["Content-Length: -1"],
        ["Content-Length: 0x10"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding : chunked"],
        [" folded: header"],
    ],
)
def test_two_readings_of_one_request(line: Line, key: str, smuggled: list[str]) -> None:
    """Where a proxy may read another length than we do, a second request could be hidden in the first."""
    hidden = b"GET /v1/stats HTTP/1.1\r\nHost: localhost\r\n\r\n"
    request = head(key, *smuggled).replace(b"Connection: close\r\n", b"")
    line.send(request + b"{}" + hidden)
    line.socket.shutdown(socket.SHUT_WR)
    _, received = line.answer()
    assert received.count(b"HTTP/1.1 ") <= 1
    assert b" 200 OK" not in received


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example", ""])
def test_another_host(site: Site, host: str) -> None:
    """A name that somebody points at this machine must not make a browser read it for them."""
    answer = httpx.get(f"{site.url}/", headers={"Host": host}, timeout=PATIENCE)
    assert answer.status_code in (400, 421)
    assert "evil" not in answer.headers.get("location", "")


def test_a_crowd_that_hangs_up(site: Site, key: str) -> None:
    """Everybody asks and leaves before the answer: what was begun for them does not stay."""

    def ask_and_leave() -> None:
        one = Line(site)
        body = b'{"query": "turbine blade cooling"}'
        one.send(head(key, f"Content-Length: {len(body)}") + body)
        one.socket.close()

    crowd = [threading.Thread(target=ask_and_leave) for _ in range(100)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(PATIENCE)
    httpx.get(f"{site.url}/v1/search?q=turbine", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)
    assert site.service.pool.waiting == 0


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "\r\nX: 1",
        "/%0d%0aX:1",
    ],
)
def test_the_box_sends_nobody_elsewhere(site: Site, back: str) -> None:
    form = {"doc_id": "d00", "kind": "like", "back": back}
    answer = httpx.post(f"{site.url}/feedback", data=form, headers={"Origin": site.url}, timeout=PATIENCE)
    assert answer.status_code < 500
    assert "x" not in {name.lower() for name in answer.headers}
    where = answer.headers.get("location", "/")
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "path", ["/feedback", "/you/mute", "/you/erase", "/you/declare", "/you/preferences", "/leave"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_no_other_site_changes_anything(site: Site, path: str, headers: dict[str, str]) -> None:
    cookies = {"quire_reader": site.token("victim")}
    form = {"doc_id": "d00", "kind": "like", "name": "d00", "text": "x", "back": "/"}
    with httpx.Client(base_url=site.url, cookies=cookies, timeout=PATIENCE) as client:
        assert client.post(path, data=form, headers=headers).status_code == 403
