"""Both clients on a service that really listens: what a program would do with it, from adding documents to erasing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from live_service import Site, serve

from engine.service.access.caller import SCOPES
from engine.service.client import (
    AsyncClient,
    Client,
    NoAnswer,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Unusable,
)
from engine.service.client.answers.jobs import Job
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from reranker.overlap import OverlapScorer

ENCODER = HashingEncoder(32)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, corpus: list[Document]) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("client")
    with Index.create(folder / "index", encoder=ENCODER) as index, index.writer() as writer:
        for document in corpus:
            writer.add(document)
    (folder / "shelf").mkdir()
    (folder / "shelf" / "gull.md").write_text("# Gulls\n\nA gull follows the plough.", encoding="utf-8")
    made = serve(
        folder / "index",
        ENCODER,
        OverlapScorer(),
        indexing="hashing_indexing",
        state=str(folder / "state"),
        roots=(str(folder / "shelf"),),
        rate_per_minute=1_000_000,
        burst=1_000_000,
        refresh_seconds=1,
    )
    yield made
    made.stop()


class Either:
    """Calls methods of one of the two clients."""

    def __init__(self, kind: str, site: Site) -> None:
        self.site = site
        key = site.service.keys.create(SCOPES)[1]
        self._runner = asyncio.Runner() if kind == "async" else None
        self._client: Any = AsyncClient(site.url, key) if self._runner else Client(site.url, key)
        self._now = self._client

    def as_reader(self, name: str) -> None:
        """Ask for a reader from now on."""
        self._now = self._client.for_reader(self.reader_token(name, hours=1).token)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._now, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            if self._runner is None:
                return list(found) if isinstance(found, Iterator) else found
            return self._runner.run(self._all(found))

        return call

    async def _all(self, found: Any) -> Any:
        if isinstance(found, AsyncIterator):
            return [each async for each in found]
        return await found

    def end(self) -> None:
        self.close()
        if self._runner is not None:
            self._runner.close()


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, site: Site) -> Iterator[Either]:
    made = Either(request.param, site)
    yield made
    made.end()


def test_searching(client: Either) -> None:
    first = client.search(
        "turbine blade", k=5, facets=["lang"], filters={"year": {"gte": 1995}}, explain=True
    )
    assert len(first) == 5
    assert [hit.rank for hit in first] == [1, 2, 3, 4, 5]
    assert all(hit.metadata["year"] >= 1995 for hit in first)
    assert {value.value for value in first.facets["lang"]} <= {"en", "de"}
    for hit in first:
        assert sum(term.value for term in hit.ledger.terms) == pytest.approx(hit.score, abs=1e-5)
    following = client.search(
        "turbine blade", k=5, facets=["lang"], filters={"year": {"gte": 1995}}, cursor=first.cursor
    )
    assert {hit.doc_id for hit in first}.isdisjoint(hit.doc_id for hit in following)


def test_two_beats(client: Either) -> None:
    beats = client.stream("turbine blade cooling", k=5)
    assert [beat.event for beat in beats] in (["first", "ranking"], ["ranking"])
    assert beats[-1].data.hits == client.search("turbine blade cooling", k=5).hits


def test_documents(client: Either) -> None:
    whole = client.document("d05")
    part = client.document("d05", start=3, end=10)
    assert part.text == whole.text[3:10]
    assert client.similar("d05", k=3).items[0].doc_id != "d05"
    assert client.summary("d05", query="turbine").doc_id == "d05"
    several = client.summaries(["d05", "absent", "d06"])
    assert ([one.doc_id for one in several], several.missing) == (["d05", "d06"], ("absent",))
    assert client.why_not("turbine", "absent").stage == "not indexed"
    assert [one.text for one in client.suggest("turb")]
    with pytest.raises(NotFound):
        client.document("absent")
    with pytest.raises(Unusable) as caught:
        client.search("a", k=-1)
    assert caught.value.request_id
    assert caught.value.members["errors"][0]["field"] == "k"


def test_a_reader(client: Either, request: pytest.FixtureRequest) -> None:
    client.as_reader(request.node.name)
    assert client.profile().interests == ()
    events = [{"doc_id": "d03", "kind": "like"}, {"doc_id": "d04"}]
    assert client.record(events).added == 2
    assert client.declare("supersonic wings").changed
    profile = client.profile()
    assert (profile.events, len(profile.interests) >= 2) == (2, True)
    assert "supersonic wings" in [one.name for one in profile.interests]
    assert client.mute("supersonic wings").changed
    assert client.profile().muted == ("supersonic wings",)
    assert client.unmute("supersonic wings").changed
    assert client.undeclare("supersonic wings").changed
    assert len(client.recommend(k=3)) > 0
    assert client.forget_document("d04").events == 1
    assert len(client.export_profile().events) == 1
    assert client.erase_profile().events == 1
    assert client.export_profile().events == ()


def test_an_event_that_is_sent_twice_counts_once(client: Either, request: pytest.FixtureRequest) -> None:
    """As happens when an answer is lost on its way: the client names each event, so that it can be known again."""
    from engine.service.client import endpoints

    client.as_reader(request.node.name)
    call = endpoints.record([{"doc_id": "d03", "kind": "like"}])
    assert [client.send(call).added, client.send(call).added] == [1, 0]
    assert client.profile().events == 1


def test_documents_come_and_go(client: Either, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    mine = request.node.name.strip("[]").replace("[", "-")
    seen: list[Job] = []
    document = {
        "doc_id": mine,
        "text": f"A heron named {mine.replace('-', '')} stands in the reeds.",
        "title": "Heron",
        "metadata": {"found": date(2024, 5, 1), "tags": ["bird", "reed"]},
    }
    job = client.add_documents([document], key=f"{mine}-once")
    assert client.add_documents([document], key=f"{mine}-once").job_id == job.job_id
    done = client.wait(job.job_id, seconds=60, progress=seen.append)
    assert (done.state, done.progress.added + done.progress.unchanged, done.refusals) == ("done", 1, ())
    assert seen[-1] == done
    assert client.document(mine).metadata == {"found": "2024-05-01", "tags": ("bird", "reed")}

    (tmp_path / "ibis.txt").write_text("An ibis walks on the lawn.", encoding="utf-8")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    done = client.wait(
        client.add_files(
            {f"{mine}/ibis": tmp_path / "ibis.txt", f"{mine}/b": tmp_path / "broken.pdf"}
        ).job_id,
        seconds=60,
    )
    assert (done.state, done.progress.added, done.progress.refused) == ("done", 1, 1)
    assert len(done.refusals) == 1
    assert "ibis" in client.document(f"{mine}/ibis").text

    done = client.wait(client.add_paths(["gull.md"]).job_id, seconds=60)
    assert done.progress.added + done.progress.unchanged == 1
    with pytest.raises((NotAllowed, Unusable, NotFound)):
        client.add_paths(["../state/keys.json"])

    done = client.wait(client.delete_documents([mine, f"{mine}/ibis", "absent"]).job_id, seconds=60)
    assert (done.progress.deleted, done.progress.missing) == (2, 1)
    with pytest.raises(NotFound):
        client.document(mine)
    assert done.job_id in [one.job_id for one in client.jobs(limit=5, state=["done"])]


def test_who_may(client: Either, site: Site) -> None:
    key = site.service.keys.create(["search"])[1]
    with Client(site.url, key) as small:
        assert small.search("turbine").found
        with pytest.raises(NotAllowed, match="admin"):
            small.stats()
        with pytest.raises(NotAuthenticated, match="Quire-Reader"):
            small.profile()
    with Client(site.url) as nobody, pytest.raises(NotAuthenticated):
        nobody.search("turbine")
    assert client.stats().index.documents > 50


def test_nobody_at_home() -> None:
    with Client("http://127.0.0.1:9", timeout=1) as client:
        client._sleep = lambda seconds: None
        with pytest.raises(NoAnswer) as caught:
            client.search("a")
    assert caught.value.kind == "unreachable"
