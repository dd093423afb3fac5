"""Each route answers what the engine answers, in the shape that the OpenAPI document promises."""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from engine import Event, Hit, Query, SearchEngine, SearchSettings
from engine.marking import Mark
from engine.service.api.schemas import admin, around, documents, readers, search
from engine.service.service import Service
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index

Ask = Callable[..., httpx.Response]


def told(response: httpx.Response, schema: type[BaseModel], status: int = 200) -> dict[str, Any]:
    """Return an answer, which fits its schema: no field less, none more."""
    assert response.status_code == status, response.text
    assert response.headers["cache-control"] == "no-store"
    found: dict[str, Any] = response.json()
    schema.model_validate(found)
    return found


def untimed(ranking: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in ranking.items() if name not in ("timings_ms", "cursor")}


@pytest.mark.parametrize(
    ("body", "query", "settings"),
    [
        ({"query": "wing drag", "k": 4, "explain": True}, Query("wing drag"), {}),
        (
            {"query": "wing", "k": 3, "filters": {"year": {"gte": 2000}}, "sort": "-year"},
            Query("wing year:>=2000", sort="-year"),
            {},
        ),
        ({"query": '+"wing" -drag', "k": 4, "operators": False}, Query('+"wing" -drag', operators=False), {}),
        ({"query": "wing", "k": 4, "facets": ["lang", "year"]}, Query("wing"), {"facets": ("lang", "year")}),
        (
            {"query": "wing", "k": 4, "alpha": 0.1, "diversity": 0.5, "rerank_depth": 7},
            Query("wing"),
            {"alpha": 0.1, "diversity": 0.5, "rerank_depth": 7},
        ),
        (
            {"query": "wing", "k": 4, "passages": 1, "snippet_chars": 50},
            Query("wing"),
            {"passages_per_hit": 1, "snippet_chars": 50},
        ),
        ({"query": "wing", "k": 0}, Query("wing"), {}),
        ({"query": ""}, Query(""), {}),
    ],
)
def test_search(
    ask: Ask, shared_service: Service, body: dict[str, Any], query: Query, settings: dict[str, Any]
) -> None:
    found = told(ask("POST", "/v1/search", json=body), search.RankingOut)
    expected = shared_service.engines.shared.search(
        query, k=body.get("k", 10), explain=body.get("explain", False), settings=SearchSettings(**settings)
    ).to_json()
    expected["query"] = body["query"]
    assert untimed(found) == untimed(expected) | {"degraded": []}
    assert found["timings_ms"]


def test_the_address_says_the_same_as_the_body(ask: Ask) -> None:
    address = {
        "q": "wing",
        "k": 3,
        "facet": ["lang", "tags"],
        "sort": "year",
        "rerank_depth": 5,
        "explain": "true",
    }
    body = {
        "query": "wing",
        "k": 3,
        "facets": ["lang", "tags"],
        "sort": "year",
        "rerank_depth": 5,
        "explain": True,
    }
    one = told(ask("GET", "/v1/search", params=address), search.RankingOut)
    other = told(ask("POST", "/v1/search", json=body), search.RankingOut)
    assert untimed(one) == untimed(other)
    following = told(ask("GET", "/v1/search", params={**address, "cursor": one["cursor"]}), search.RankingOut)
    assert following["hits"][0]["rank"] == 4


def test_marks(ask: Ask, shared_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's marks stand with the passages that they are of."""
    engine = shared_service.engines.shared
    asked: list[str] = []

    def mark(query: Query, hits: Sequence[Hit]) -> tuple[tuple[Mark | None, ...], ...]:
        asked.append(query.text)
        return tuple(
            tuple(Mark(hit.rank, at, 0.5) if at % 2 else None for at in range(len(hit.passages)))
            for hit in hits
        )

    monkeypatch.setattr(engine, "mark", mark)
    body = {"query": "wing drag lift", "k": 8, "marks": True}
    found = told(ask("POST", "/v1/search", json=body), search.RankingOut)
    for hit in found["hits"]:
        for at, one in enumerate(hit["passages"]):
            mark_at = {"start": hit["rank"], "end": at, "cosine": 0.5}
            assert one["mark"] == (mark_at if at % 2 else None)
    assert any(len(hit["passages"]) > 1 for hit in found["hits"])
    assert asked == ["wing drag lift"]
    plain = told(ask("POST", "/v1/search", json=body | {"marks": False}), search.RankingOut)
    assert all("mark" not in one for hit in plain["hits"] for one in hit["passages"])
    monkeypatch.undo()
    told(ask("POST", "/v1/search", json=body), search.RankingOut)


def test_a_document_with_a_number_beyond_all_can_be_found_and_read(
    make_service: Callable[..., Service], asker_of: Callable[..., Ask]
) -> None:
    """A line of JSON that says 1e400 is infinity to whoever reads it, and JSON has no other word for that."""
    service = make_service()
    with Index.open(service.engines.place, encoder=HashingEncoder(32)) as index, index.writer() as writer:
        writer.add(Document("beyond", "a quagga", metadata={"n": math.inf, "all": (1.5, -math.inf)}))
    service.engines.refresh()
    ask = asker_of(service, "search")
    greatest = sys.float_info.max
    expected = {"n": greatest, "all": [1.5, -greatest]}
    answers = [
        told(ask("POST", "/v1/search", json={"query": "quagga", "k": 1, "facets": ["n"]}), search.RankingOut),
        told(ask("GET", "/v1/documents/text?id=beyond"), documents.TextOut),
    ]
    assert [answers[0]["hits"][0]["metadata"], answers[1]["metadata"]] == [expected, expected]
    assert answers[0]["facets"] == {"n": [{"value": greatest, "count": 1}]}


def test_documents(ask: Ask, shared_service: Service) -> None:
    engine = shared_service.engines.shared
    found = told(ask("GET", "/v1/documents/text?id=d07&start=3&end=40"), documents.TextOut)
    assert found == engine.document("d07", start=3, end=40).to_json()
    found = told(ask("GET", "/v1/documents/similar?id=d07&k=4"), documents.SimilarOut)
    assert found == engine.similar("d07", k=4).to_json()
    assert len(found["items"]) == 4
    found = told(ask("GET", "/v1/documents/summary?id=d07&q=wing&length=200"), documents.SummaryOut)
    assert found == engine.summarise("d07", query="wing", length=200).to_json()


def test_summaries_of_several(ask: Ask, shared_service: Service) -> None:
    engine = shared_service.engines.shared
    body = {"ids": ["d07", "absent", "d09", "d07"], "query": "wing", "sentences": 1, "keyphrases": 3}
    found = told(ask("POST", "/v1/summaries", json=body), documents.SummariesOut)
    assert found["missing"] == ["absent"]
    assert found["summaries"] == [
        engine.summarise(doc_id, query="wing", sentences=1).to_json() for doc_id in ("d07", "d09")
    ]
    assert found["keyphrases"] == [one.to_json() for one in engine.keyphrases(["d07", "d09"], 3)]
    assert ask("POST", "/v1/summaries", json={"ids": ["absent", "nowhere"]}).status_code == 404


def test_summaries_that_nobody_waits_for_any_more_are_not_made(
    make_service: Callable[..., Service], asker_of: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(request_seconds=1)
    engine = service.engines.shared
    begun: list[str] = []
    told = threading.Event()

    def slow(doc_id: str, **values: object) -> object:
        begun.append(doc_id)
        told.wait(20)
        return SearchEngine.summarise(engine, doc_id)

    monkeypatch.setattr(engine, "summarise", slow)
    answer = asker_of(service, "search")("POST", "/v1/summaries", json={"ids": ["d01", "d02", "d03"]})
    told.set()
    assert answer.status_code == 503
    service.pool.close()
    assert begun == ["d01"]


def test_around_a_search(ask: Ask, shared_service: Service) -> None:
    engine = shared_service.engines.shared
    found = told(ask("GET", "/v1/suggest?q=turb&k=5"), around.CompletionsOut)
    assert found["completions"] == [one.to_json() for one in engine.complete("turb", k=5)]
    assert found["completions"]
    for doc_id in ("d00", "d55", "absent"):
        found = told(ask("GET", f"/v1/why-not?q=turbine blade&id={doc_id}&k=2"), around.WhyNotOut)
        assert found == engine.why_not("turbine blade", doc_id, k=2).to_json()


def test_a_reader(ask: Ask) -> None:
    """What she does is remembered, shown, taken back and erased; of somebody unknown all is empty."""
    empty = told(ask("GET", "/v1/profile"), readers.ProfileOut)
    assert (empty["events"], empty["interests"]) == (0, [])
    assert told(ask("GET", "/v1/profile/export"), readers.ExportOut)["events"] == []
    late = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    events = [
        {"doc_id": "d03", "kind": "like", "event_id": "e1"},
        {"doc_id": "d03", "kind": "like", "event_id": "e1"},
        {"doc_id": "d04", "kind": "hide", "at": "2026-01-01T10:00:00Z"},
        {"doc_id": "d05", "at": late},
    ]
    found = told(ask("POST", "/v1/events", json={"events": events}), readers.RecordedOut)
    assert found == {"added": 2, "duplicates": 1, "future": 1}
    changed = told(ask("POST", "/v1/profile/declare", json={"text": "wing flutter"}), readers.ChangedOut)
    assert changed == {"changed": True}
    profile = told(ask("GET", "/v1/profile"), readers.ProfileOut)
    assert {one["name"] for one in profile["interests"]} == {"d03", "wing flutter"}
    assert profile["hidden"] == ["d04"]
    for muted in (True, False):
        route = f"/v1/profile/{'mute' if muted else 'unmute'}"
        for again in (True, False):
            assert told(ask("POST", route, json={"name": "d03"}), readers.ChangedOut)["changed"] is again
        profile = told(ask("GET", "/v1/profile"), readers.ProfileOut)
        assert [one["name"] for one in profile["interests"] if one["muted"]] == (["d03"] if muted else [])
    hits = told(ask("POST", "/v1/search", json={"query": "wing", "k": 60}), search.RankingOut)["hits"]
    assert "d04" not in {hit["doc_id"] for hit in hits}
    because = {one["doc_id"] for hit in hits for one in hit["ledger"]["because"]}
    assert "d03" in because
    recommended = told(ask("GET", "/v1/recommendations?k=3"), readers.RecommendationsOut)
    assert len(recommended["items"]) == 3
    gone = ask("POST", "/v1/profile/forget-document", json={"id": "d04"})
    assert told(gone, readers.ForgottenDocumentOut) == {"events": 1}
    changed = told(ask("POST", "/v1/profile/undeclare", json={"text": "wing flutter"}), readers.ChangedOut)
    assert changed == {"changed": True}
    export = told(ask("GET", "/v1/profile/export"), readers.ExportOut)
    assert [event["doc_id"] for event in export["events"]] == ["d03"]
    erased = told(ask("DELETE", "/v1/profile"), readers.ForgottenOut)
    assert (erased["readers"], erased["events"]) == (1, 1)
    assert told(ask("GET", "/v1/profile"), readers.ProfileOut) == empty


def test_strength_turns_interests_off(ask: Ask) -> None:
    ask("POST", "/v1/events", json={"events": [{"doc_id": "d03", "kind": "like"}]})
    body = {"query": "wing", "k": 5}
    personal = told(ask("POST", "/v1/search", json=body), search.RankingOut)
    plain = told(ask("POST", "/v1/search", json=body | {"strength": 0}), search.RankingOut)
    terms = [
        {term["name"] for hit in one["hits"] for term in hit["ledger"]["terms"]} for one in (personal, plain)
    ]
    assert "interest" in terms[0]
    assert "interest" not in terms[1]


def test_a_search_is_the_tokens_reader_and_nobody_elses(
    service: Service, asker_of: Callable[..., Ask]
) -> None:
    """A reader of the same name of another tenant shares nothing with her."""
    service.engines.of("default").record([Event("ann", "d03", "hide")])
    hers = asker_of(service, "search", user_id="ann")
    namesake = asker_of(service, "search", user_id="ann", tenant="other")
    nobody = asker_of(service, "search")
    found = [
        {hit["doc_id"] for hit in one("POST", "/v1/search", json={"query": "wing", "k": 100}).json()["hits"]}
        for one in (hers, namesake, nobody)
    ]
    assert found[1] == found[2] == found[0] | {"d03"}
    assert "d03" not in found[0]


def test_administration(ask: Ask, shared_service: Service, asker_of: Callable[..., Ask]) -> None:
    body = {"user_id": "bea", "hours": 2}
    issued = told(ask("POST", "/v1/reader-tokens", json=body), admin.TokenOut, 201)
    proved = shared_service.tokens.read(issued["token"])
    assert (proved.user_id, proved.tenant) == ("bea", "default") == (issued["user_id"], issued["tenant"])
    left = datetime.fromisoformat(issued["expires"]) - datetime.now(UTC)
    assert timedelta(hours=1.9) < left <= timedelta(hours=2)
    stats = told(ask("GET", "/v1/stats"), admin.StatsOut)
    assert stats["index"]["documents"] == 62
    assert stats["process"]["generation"] == shared_service.engines.generation
    for hours in (0, -1, 25, 10**6):
        refused = ask("POST", "/v1/reader-tokens", json={"user_id": "bea", "hours": hours})
        assert refused.status_code == 422


def test_no_cursor_where_none_is_wanted(ask: Ask) -> None:
    for paging in (True, False):
        body = {"query": "wing", "k": 3, "paging": paging}
        assert (told(ask("POST", "/v1/search", json=body), search.RankingOut)["cursor"] is None) is not paging
        address = {"q": "wing", "k": 3, "paging": paging}
        found = told(ask("GET", "/v1/search", params=address), search.RankingOut)
        assert (found["cursor"] is None) is not paging
