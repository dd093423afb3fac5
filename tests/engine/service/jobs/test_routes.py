"""Jobs over HTTP: what is taken in, what is refused, and what is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import httpx
import pytest
from job_making import multipart, texts, until

from engine.service.api import jobs as routes
from engine.service.jobs import Jobs
from engine.service.service import Service
from indexer.encoder import HashingEncoder
from indexer.index import Index

FORM = {"content-type": "multipart/form-data; boundary=edge"}
TEXT = {"doc_id": "a", "text": "a lantern in the meadow"}


@pytest.fixture
def served(make_service: Callable[..., Service], tmp_path: Any) -> Service:
    """A service whose jobs are done by processes that know its encoder."""
    (tmp_path / "roots").mkdir()
    service = make_service(roots=(str(tmp_path / "roots"),), max_upload_mb=20)
    service.jobs.close()
    service.jobs = Jobs.open(
        service.state, service.engines.place, service.settings, indexing="hashing_indexing"
    )
    return service


@pytest.fixture
def ask(served: Service, asker_of: Callable[..., Any]) -> Any:
    """Ask with a key that may index."""
    return asker_of(served, "index")


def test_documents_go_in_and_can_be_found(served: Service, ask: Any) -> None:
    served.jobs.start()
    answer = ask(
        "POST", "/v1/documents", json={"documents": [TEXT, {**TEXT, "doc_id": "b", "metadata": {"y": 1}}]}
    )
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['job_id']}"
    assert (job["state"], job["progress"]["documents"], job["finished"]) == ("queued", 2, None)
    done = until(lambda: (found := ask("GET", answer.headers["location"]).json())["finished"] and found)
    assert (done["state"], done["progress"]["added"], done["refusals"]) == ("done", 2, [])
    assert served.engines.generation == done["generation"]  # whoever was told that it is done finds it
    assert {"a", "b"} <= set(texts(served.engines.place))
    gone = ask("DELETE", "/v1/documents?id=a&id=b")
    assert gone.status_code == 202
    until(lambda: ask("GET", gone.headers["location"]).json()["state"] == "done")
    assert not {"a", "b"} & set(texts(served.engines.place))


def test_metadata_keep_their_types(served: Service, ask: Any) -> None:
    served.jobs.start()
    metadata = {
        "year": 1962,
        "rate": 0.5,
        "open": True,
        "tags": ["a", "b"],
        "on": {"$date": "1962-03-01"},
        "at": [{"$date": "2020-01-01T10:00:00"}],
    }
    answer = ask("POST", "/v1/documents", json={"documents": [{**TEXT, "metadata": metadata}]})
    until(lambda: ask("GET", answer.headers["location"]).json()["state"] == "done")
    with Index.open(served.engines.place, encoder=HashingEncoder(32)) as index:
        (found,) = (document for document in index.documents() if document.doc_id == "a")
    assert dict(found.metadata) == {
        "year": 1962,
        "rate": 0.5,
        "open": True,
        "tags": ("a", "b"),
        "on": date(1962, 3, 1),
        "at": (datetime(2020, 1, 1, 10),),
    }


def test_files_go_in(served: Service, ask: Any) -> None:
    served.jobs.start()
    body = multipart(("notes/a.md", b"# Lanterns"), ("b.pdf", b"no PDF"))
    answer = ask("POST", "/v1/documents", content=body, headers=FORM)
    assert answer.status_code == 202
    done = until(lambda: (found := ask("GET", answer.headers["location"]).json())["finished"] and found)
    assert [refusal["source"] for refusal in done["refusals"]] == ["b.pdf"]
    assert "notes/a.md" in texts(served.engines.place)


def test_jobs_are_listed_and_cancelled(ask: Any) -> None:
    made = [ask("DELETE", f"/v1/documents?id={number}").json()["job_id"] for number in range(5)]
    first = ask("GET", "/v1/jobs?limit=3").json()
    rest = ask("GET", f"/v1/jobs?limit=3&before={first['next']}").json()
    assert [job["job_id"] for job in first["jobs"] + rest["jobs"]] == made[::-1]
    assert rest["next"] is None
    cancelled = ask("DELETE", f"/v1/jobs/{made[0]}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert [job["job_id"] for job in ask("GET", "/v1/jobs?state=cancelled").json()["jobs"]] == [made[0]]


def test_a_key_makes_a_request_safe_to_repeat(ask: Any) -> None:
    key = {"Idempotency-Key": "import-7"}
    first = ask("POST", "/v1/documents", json={"documents": [TEXT]}, headers=key).json()
    assert (
        ask("POST", "/v1/documents", json={"documents": [TEXT]}, headers=key).json()["job_id"]
        == first["job_id"]
    )
    other = ask("POST", "/v1/documents", json={"documents": [{**TEXT, "doc_id": "z"}]}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "urn:quire:problem:idempotency-key-reused")
    assert (
        ask("POST", "/v1/documents", json={"documents": [TEXT]}, headers={"Idempotency-Key": ""}).status_code
        == 422
    )


@pytest.mark.parametrize(
    ("documents", "field"),
    [
        ([], "documents"),
        ([{"doc_id": "", "text": "x"}], "documents.0.doc_id"),
        ([{"doc_id": "x" * 1025, "text": "x"}], "documents.0.doc_id"),
        ([{"doc_id": "a\x00b", "text": "x"}], "documents.0"),
        ([TEXT, {"doc_id": "a"}], "documents.1.text"),
        ([{**TEXT, "text": ""}], "documents.0.text"),
        ([{**TEXT, "txt": "x"}], "documents.0"),
        ([{**TEXT, "metadata": {"": 1}}], "documents.0.metadata"),
        ([{**TEXT, "metadata": {"a": {"b": 1}}}], "documents.0.metadata"),
        ([{**TEXT, "metadata": {"a": {"$date": "no date"}}}], "documents.0.metadata"),
        ([{**TEXT, "metadata": {"a": None}}], "documents.0.metadata"),
        ([{**TEXT, "metadata": {"a": 10**400}}], "documents.0.metadata"),
        ([{**TEXT, "metadata": {"a": {"$date": "2020-01-01", "b": 1}}}], "documents.0.metadata"),
        ([{**TEXT, "metadata": {"a": [1, {"$date": "2020-01-01"}]}}], "documents.0.metadata"),
    ],
)
def test_documents_that_cannot_be_are_refused(ask: Any, documents: list[Any], field: str) -> None:
    answer = ask("POST", "/v1/documents", json={"documents": documents})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(field)
    assert ask("GET", "/v1/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"content-type": "application/json"}, 400),
        (b'{"documents": [{"doc_id": "\\ud800", "text": "x"}]}', {"content-type": "application/json"}, 400),
        (b"\xff", {"content-type": "application/json"}, 400),
        (b"hello", {"content-type": "text/plain"}, 415),
        (b"hello", {}, 415),
        (b"hello", {"content-type": "multipart/form-data"}, 400),
        (b"hello", FORM, 400),
        (multipart(), FORM, 422),
        (multipart(("a.txt", b"x"), fields=(("titel", "x"),)), FORM, 422),
        (b"[" * 100_000, {"content-type": "application/json"}, 400),
    ],
)
def test_bodies_that_are_none_are_refused(
    served: Service, ask: Any, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = ask("POST", "/v1/documents", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert not list((served.state / "jobs").iterdir())


def test_few_bodies_are_read_at_once(
    served: Service, client_of: Callable[..., httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each of them takes of memory they take together."""
    read, lock, full = routes._add_documents, threading.Lock(), threading.Event()
    at_it: set[int] = set()
    most = 0

    def counted(*arguments: Any) -> Any:
        nonlocal most
        with lock:
            at_it.add(threading.get_ident())
            most = max(most, len(at_it))
            if most == routes.READ_AT_ONCE:
                full.set()
        full.wait(20)
        try:
            return read(*arguments)
        finally:
            with lock:
                at_it.discard(threading.get_ident())

    monkeypatch.setattr(routes, "_add_documents", counted)

    async def many() -> list[httpx.Response]:
        async with client_of(served, "index") as client:
            body = {"documents": [TEXT]}
            return await asyncio.gather(*(client.post("/v1/documents", json=body) for _ in range(12)))

    assert {answer.status_code for answer in asyncio.run(many())} == {202}
    assert most == routes.READ_AT_ONCE


def test_bodies_that_are_too_large_are_refused(
    served: Service, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = multipart(("a.txt", b"x" * (21 << 20)))
    assert ask("POST", "/v1/documents", content=large, headers=FORM).status_code == 413
    monkeypatch.setattr(routes, "MOST_JSON", 1000)
    answer = ask("POST", "/v1/documents", json={"documents": [{**TEXT, "text": "x" * 1000}]})
    assert answer.status_code == 413
    assert "JSON Lines" in answer.json()["detail"]
    assert not list((served.state / "jobs").iterdir())


def test_paths_are_those_under_the_roots(served: Service, ask: Any, tmp_path: Any) -> None:
    (tmp_path / "roots" / "a.txt").write_text("lantern")
    assert ask("POST", "/v1/jobs", json={"paths": ["a.txt"]}).status_code == 202
    (tmp_path / "secret").write_text("x")
    answers = set()
    for path in (str(tmp_path / "secret"), str(tmp_path / "never"), "/etc/passwd", "/never"):
        answer = ask("POST", "/v1/jobs", json={"paths": ["a.txt", path]})
        answers.add((answer.status_code, answer.text.replace(json.dumps(path)[1:-1], "PATH")))
    assert len(answers) == 1
    assert answers.pop()[0] == 403
    assert ask("POST", "/v1/jobs", json={"paths": ["../secret"]}).status_code == 422
    assert ask("POST", "/v1/jobs", json={"paths": []}).status_code == 422
    assert len(ask("GET", "/v1/jobs").json()["jobs"]) == 1


def test_every_route_needs_the_scope_to_index(served: Service, asker_of: Callable[..., Any]) -> None:
    searcher = asker_of(served, "search", "events", "admin")
    for method, path in (
        ("POST", "/v1/documents"),
        ("DELETE", "/v1/documents?id=a"),
        ("POST", "/v1/jobs"),
        ("GET", "/v1/jobs"),
        ("GET", "/v1/jobs/x"),
        ("DELETE", "/v1/jobs/x"),
    ):
        answer = searcher(
            method, path, json={"documents": [TEXT], "paths": ["a"]} if method == "POST" else None
        )
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:quire:problem:scope-missing")


def test_a_job_of_another_tenant_is_not_there(
    served: Service, asker_of: Callable[..., Any], ask: Any
) -> None:
    job = ask("DELETE", "/v1/documents?id=a").json()["job_id"]
    other = asker_of(served, "index", tenant="other")
    assert other("GET", f"/v1/jobs/{job}").status_code == 404
    assert other("DELETE", f"/v1/jobs/{job}").status_code == 404
    assert other("GET", "/v1/jobs").json()["jobs"] == []
    assert ask("GET", f"/v1/jobs/{job}").json()["state"] == "queued"


def test_too_many_jobs_are_told_to_come_again(served: Service, ask: Any) -> None:
    object.__setattr__(served.settings, "max_waiting_jobs", 1)
    ask("DELETE", "/v1/documents?id=a")
    for answer in (
        ask("DELETE", "/v1/documents?id=b"),
        ask("POST", "/v1/documents", content=multipart(("a.txt", b"x")), headers=FORM),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")


def test_a_full_disk_is_told_and_leaves_nothing(
    served: Service, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.service.jobs.uploads.os.write", full)
    answer = ask("POST", "/v1/documents", content=multipart(("a.txt", b"x")), headers=FORM)
    assert (answer.status_code, answer.json()["type"]) == (507, "urn:quire:problem:disk-full")
    monkeypatch.undo()
    monkeypatch.setattr("engine.service.jobs.folders.os.fsync", full)
    assert ask("POST", "/v1/documents", json={"documents": [TEXT]}).status_code == 507
    assert ask("DELETE", "/v1/documents?id=a").status_code == 507
    assert not list((served.state / "jobs").iterdir())
