"""What may be repeated, how long to wait, how a failure is called, and how requests are written."""

from __future__ import annotations

import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.elastic.errors import ElasticError
from indexer.elastic.wire.encoding import path_of, payload_of, query_of
from indexer.elastic.wire.retrying import LONGEST_PAUSE, PAUSE, pause, reason_of, repeatable, retry_after_of


@pytest.mark.parametrize(
    ("line", "params", "expected"),
    [
        ("GET /books/_doc/1", {}, True),
        ("HEAD /books", {}, True),
        ("DELETE /books", {}, True),
        ("DELETE /_pit", {}, True),
        ("DELETE /books/_doc/1", {"if_seq_no": 3, "if_primary_term": 1}, False),
        ("PUT /books", {}, False),
        ("PUT /books/_doc/1", {}, True),
        ("PUT /books/_doc/1", {"if_seq_no": 3}, False),
        ("PUT /books/_doc/1", {"op_type": "create"}, False),
        ("PUT /books/_create/1", {}, False),
        ("PUT /books/_settings", {}, True),
        ("PUT /books/_mapping", {}, True),
        ("POST /books/_doc", {}, False),
        ("POST /books/_update/1", {}, False),
        ("POST /_aliases", {}, False),
        ("POST /_reindex", {}, False),
        ("POST /books/_search", {}, True),
        ("POST /_search/scroll", {}, False),
        ("POST /_msearch", {}, True),
        ("POST /a,b/_pit", {"keep_alive": "1m"}, True),
        ("POST /books/_bulk", {}, True),
        ("POST /books/_refresh", {}, True),
        ("POST /books/_forcemerge", {}, True),
    ],
)
def test_what_may_be_done_twice(line: str, params: dict[str, Any], expected: bool) -> None:
    method, _, path = line.partition(" ")
    assert repeatable(method, path, params) is expected


@settings(deadline=None)
@given(st.integers(1, 30), st.floats(0, 1), st.none() | st.floats(0, 100))
def test_pauses_grow_are_bounded_and_respect_the_server(
    attempt: int, chance: float, retry_after: float | None
) -> None:
    wait = pause(attempt, chance, retry_after)
    least = retry_after or 0.0
    assert least <= wait <= least + min(LONGEST_PAUSE, PAUSE * 2 ** (attempt - 1)) + 1e-9
    assert pause(attempt, 0.0, None) == 0.0
    assert pause(attempt + 1, 1.0, None) >= pause(attempt, 1.0, None)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_retry_after_is_a_number_or_a_date(seconds: int) -> None:
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert retry_after_of(str(seconds)) == seconds
    assert retry_after_of(format_datetime(now + timedelta(seconds=seconds), usegmt=True), now) == seconds
    assert retry_after_of(format_datetime(now - timedelta(seconds=seconds), usegmt=True), now) == 0


@pytest.mark.parametrize("text", [None, "", "soon", "-3", "1.5e", "²"])
def test_what_is_no_retry_after_is_none(text: str | None) -> None:
    assert retry_after_of(text) is None


def _raised(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (_raised(ValueError("x"), ConnectionRefusedError(111, "Connection refused")), "connection refused"),
        (
            _raised(ValueError("x"), ConnectionResetError(104, "Connection reset by peer")),
            "connection reset by peer",
        ),
        (_raised(ValueError("x"), TimeoutError("timed out")), "no answer in time"),
        (ValueError("of  its\nown"), "of its own"),
        (ValueError(), "ValueError"),
        (
            _raised(ValueError("x"), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")),
            "TLS failed",
        ),
        (socket.gaierror(-2, "Name or service not known"), "name or service not known"),
    ],
)
def test_why_a_connection_failed_is_said_shortly(error: Exception, expected: str) -> None:
    assert reason_of(error).startswith(expected)


def test_an_error_that_is_its_own_cause_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    assert reason_of(first)


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4))
def test_paths_are_quoted(parts: list[str]) -> None:
    path = path_of(*parts)
    assert path.isascii()
    assert [unquote(part) for part in path.split("/")[1:]] == parts


def test_queries_are_written_as_the_server_reads_them() -> None:
    query = query_of(
        {"refresh": True, "x": None, "filter_path": ["a.*", "-b"], "keep_alive": "1m", "q": "ä&=?"}
    )
    assert parse_qs(urlsplit(query).query) == {
        "refresh": ["true"], "filter_path": ["a.*,-b"], "keep_alive": ["1m"], "q": ["ä&=?"],
    }  # fmt: skip
    assert query_of({}) == query_of({"x": None}) == ""


def test_bodies_are_json_or_lines_of_it() -> None:
    assert payload_of(None, None) is None
    body = payload_of({"v": np.array([0.5, 1.0], dtype=np.float32), "t": "ä\n"}, None)
    assert json.loads(body or b"") == {"v": [0.5, 1.0], "t": "ä\n"}
    lines = payload_of(None, [{"index": {}}, b'{"a":1}', b'{"b":2}\n'])
    assert lines == b'{"index":{}}\n{"a":1}\n{"b":2}\n'
    assert payload_of(None, b"x\n") == b"x\n"
    assert payload_of(None, []) == b""


@pytest.mark.parametrize("value", ["\ud800", 2**64, object(), {1: 2}])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(ElasticError, match="cannot be written as JSON"):
        payload_of({"x": value}, None)
