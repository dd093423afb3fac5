"""A bulk request is sent until every line is acknowledged; what is refused for good is named."""

from __future__ import annotations

from typing import Any

import pytest

from indexer.elastic.errors import ElasticError
from indexer.elastic.rebuilding import sending
from indexer.errors import IndexFull, IndexUnavailable

STORE = (b'{"index":{"_index":"a","_id":"1"}}', b'{"x":1}')
DELETE = b'{"delete":{"_index":"a","_id":"2"}}'
CREATE = (b'{"index":{"_index":"a","_id":"3"}}', b'{"x":3}')


class Server:
    """Answers as told, and remembers what it was sent."""

    def __init__(self, *answers: list[tuple[int, str]]) -> None:
        self.answers = list(answers)
        self.sent: list[list[bytes]] = []

    def request(self, method: str, path: str, *, lines: list[bytes], timeout: float) -> dict[str, Any]:
        assert (method, path) == ("POST", "/_bulk")
        self.sent.append(list(lines))
        items = []
        for status, kind in self.answers.pop(0):
            told: dict[str, Any] = {"_index": "a", "_id": "x", "status": status}
            if kind:
                told["error"] = {
                    "type": kind,
                    "reason": "blocked by: [TOO_MANY_REQUESTS/12/disk]" if "block" in kind else "no",
                }
            items.append({"index": told})
        return {
            "errors": any(status >= 400 and kind for item in items for status, kind in [_of(item)]),
            "items": items,
        }


def _of(item: dict[str, Any]) -> tuple[int, str]:
    told = item["index"]
    return told["status"], told.get("error", {}).get("type", "")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending.time, "sleep", lambda seconds: None)


def send(server: Server, **options: int) -> None:
    sending.send(server, [*STORE, DELETE, *CREATE], **options)  # type: ignore[arg-type]


def test_what_the_server_is_too_busy_for_is_sent_again_and_nothing_else() -> None:
    server = Server([(200, ""), (429, "busy"), (503, "busy")], [(404, ""), (429, "busy")], [(201, "")])
    send(server)
    assert server.sent == [[*STORE, DELETE, *CREATE], [DELETE, *CREATE], [*CREATE]]


def test_a_newer_version_counts_as_done() -> None:
    server = Server([(409, "version_conflict_engine_exception"), (200, ""), (200, "")])
    send(server)
    assert len(server.sent) == 1


def test_what_is_refused_for_good_is_named() -> None:
    with pytest.raises(ElasticError, match="a/x"):
        send(Server([(200, ""), (200, ""), (400, "document_parsing_exception")]))


def test_a_full_disk_is_said() -> None:
    with pytest.raises(IndexFull):
        send(Server([(200, ""), (429, "cluster_block_exception"), (200, "")]))


def test_patience_ends() -> None:
    busy = [(429, "busy")] * 3
    server = Server(busy, busy, busy)
    with pytest.raises(IndexUnavailable):
        send(server, tries=3)
    assert len(server.sent) == 3
