"""The OpenAPI document: whole, in itself consistent, and of every route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from engine.service.api import api_router
from engine.service.api.callers import LISTS
from engine.service.api.document import PATH, TAGS, describe, public_name
from engine.service.api.schemas import documents, readers, search
from engine.service.app import create_app
from engine.service.service import Service

from .conftest import Asker


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = FastAPI(openapi_url="/v1/openapi.json")
    app.include_router(api_router())
    describe(app)
    return app.openapi()


def test_it_is_made_once_and_not_on_the_event_loop(
    make_service: Callable[..., Service], asker_of: Callable[..., Asker], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []

    def counted(**values: Any) -> dict[str, Any]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        made.append(True)
        return get_openapi(**values)

    monkeypatch.setattr("engine.service.api.document.get_openapi", counted)
    service = make_service()
    app = create_app(service)
    assert not made
    ask = asker_of(service, app=app)
    for _ in range(3):
        answer = ask("GET", PATH)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == app.openapi()
    assert made == [True]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "$ref":
                yield one
            else:
                yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_what_may_be_given_several_times_is_what_is_said_to_be_a_list(document: dict[str, Any]) -> None:
    said = {
        (path, each["name"])
        for _, path, operation in operations(document)
        for each in operation.get("parameters", ())
        if each["in"] == "query"
        and "array" in [kind.get("type") for kind in (each["schema"], *each["schema"].get("anyOf", ()))]
    }
    assert said == LISTS


def test_it_has_all_that_was_promised(document: dict[str, Any]) -> None:
    found = {(method, path) for method, path, _ in operations(document)}
    promised = """POST /v1/search, GET /v1/search, POST /v1/search/stream, GET /v1/suggest, GET /v1/documents/text,
        GET /v1/documents/similar, GET /v1/documents/summary, POST /v1/summaries, GET /v1/why-not,
        GET /v1/recommendations, POST /v1/events, GET /v1/profile, POST /v1/profile/mute, POST /v1/profile/unmute,
        POST /v1/profile/declare, POST /v1/profile/undeclare, POST /v1/profile/forget-document,
        GET /v1/profile/export, DELETE /v1/profile, POST /v1/reader-tokens, GET /v1/stats, POST /v1/documents,
        DELETE /v1/documents, POST /v1/jobs, GET /v1/jobs, GET /v1/jobs/{job_id}, DELETE /v1/jobs/{job_id}"""
    assert found == {tuple(one.split()) for one in promised.split(",")}


def test_every_operation_is_named_and_told(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    for method, path, operation in operations(document):
        assert operation["operationId"].replace("_", "").isalpha(), path
        assert len(operation["tags"]) == 1
        assert operation["tags"][0] in TAGS
        assert operation["summary"].strip(), path
        assert "scope" in operation["description"], f"{method} {path} does not say which scope it needs"
        assert operation["security"], path


def test_every_failure_is_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        statuses = {int(status) for status in operation["responses"]}
        assert {401, 403, 422, 429, 500, 503} <= statuses
        if method == "POST":
            assert {400, 413, 415} <= statuses, path
        for status, response in operation["responses"].items():
            assert response["description"]
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]
                [reference] = references(response)
                assert reference.endswith("/Problem")


def test_no_schema_is_missing_or_superfluous(document: dict[str, Any]) -> None:
    named = {one.rpartition("/")[2] for one in references(document)}
    assert named == set(document["components"]["schemas"])


def test_no_request_names_a_reader_but_where_tokens_are_issued(document: dict[str, Any]) -> None:
    """A reader is only ever named by a signed token."""
    schemas = document["components"]["schemas"]
    for method, path, operation in operations(document):
        names = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        for reference in references(operation.get("requestBody", {})):
            names |= set(schemas[reference.rpartition("/")[2]].get("properties", {}))
        assert ("user_id" in names) == (path == "/v1/reader-tokens"), f"{method} {path}: {names}"
        assert not names & {"user", "reader", "tenant"}


def test_bodies_take_nothing_that_is_not_known(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Request"):
            assert schema["additionalProperties"] is False, name


def test_examples_are_what_they_are_of(document: dict[str, Any]) -> None:
    """Those of whole bodies and answers, by the models; those of fields, by their type."""
    for model in (search.SearchIn, search.RankingOut, readers.EventsIn, documents.SummariesIn):
        [example] = document["components"]["schemas"][public_name(model.__name__)]["examples"]
        model.model_validate(example)
    python = {"string": str, "integer": int, "number": (int, float), "array": list, "object": dict}
    seen = 0
    for schema in document["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            for example in field.get("examples", []):
                kinds = [one.get("type") for one in field.get("anyOf", [field])]
                assert any(isinstance(example, python[kind]) for kind in kinds if kind in python), field
                seen += 1
    assert seen > 10
