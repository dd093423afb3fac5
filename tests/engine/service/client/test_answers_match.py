"""What the client reads is what the OpenAPI document says, member for member; and every operation has its method."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, make_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from fastapi import FastAPI

from engine.service import client
from engine.service.api import api_router
from engine.service.api.document import describe
from engine.service.client import Client, endpoints
from engine.service.client.call import Call

CALLS: dict[str, Call[Any]] = {
    "add_documents": endpoints.add_documents([{"doc_id": "d", "text": "t"}]),
    "add_files": endpoints.add_files(["f.txt"]),
    "add_paths": endpoints.add_paths(["p"]),
    "cancel": endpoints.cancel("{job_id}"),
    "declare": endpoints.declare("text"),
    "delete_documents": endpoints.delete_documents(["d"]),
    "document": endpoints.document("d", start=1, end=2),
    "erase_profile": endpoints.erase_profile(),
    "export_profile": endpoints.export_profile(),
    "forget_document": endpoints.forget_document("d"),
    "job": endpoints.job("{job_id}"),
    "jobs": endpoints.jobs(limit=5, before="x", state=["done"]),
    "mute": endpoints.mute("n"),
    "profile": endpoints.profile(),
    "reader_token": endpoints.reader_token("u", hours=1),
    "recommend": endpoints.recommend(diversity=0.5),
    "record": endpoints.record([{"doc_id": "d"}]),
    "search": endpoints.search(
        "q",
        filters={},
        cursor="c",
        facets=["f"],
        rerank_depth=1,
        alpha=0.5,
        diversity=0.5,
        passages=1,
        snippet_chars=50,
    ),
    "similar": endpoints.similar("d"),
    "stats": endpoints.stats(),
    "stream": endpoints.stream("q", filters={}, facets=["f"]),
    "suggest": endpoints.suggest("t"),
    "summaries": endpoints.summaries(["d"], sentences=2),
    "summary": endpoints.summary("d", sentences=2),
    "undeclare": endpoints.undeclare("t"),
    "unmute": endpoints.unmute("n"),
    "why_not": endpoints.why_not("q", "d", rerank_depth=3),
}
ONLY_ADDRESS = {("GET", "/v1/search")}
"""What is there for people with a browser: the client has POST."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = FastAPI()
    app.include_router(api_router())
    describe(app)
    found: dict[str, Any] = app.openapi()
    return found


def place(call: Call[Any]) -> tuple[str, str]:
    return call.method, call.path.replace("%7B", "{").replace("%7D", "}")


def test_every_operation_has_a_method(document: dict[str, Any]) -> None:
    operations = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert {place(call) for call in CALLS.values()} == operations - ONLY_ADDRESS
    assert CALLS.keys() == set(endpoints.__all__)
    assert all(hasattr(Client, name) for name in CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_is_as_documented(document: dict[str, Any], name: str) -> None:
    call = CALLS[name]
    method, path = place(call)
    responses = document["paths"][path][method.lower()]["responses"]
    (success,) = [said for status, said in responses.items() if status.startswith("2")]
    if name == "stream":
        assert "text/event-stream" in success["content"]
        return
    schema = success["content"]["application/json"]["schema"]
    assert list(differences(call.kind, schema, document, "answer")) == []


@pytest.mark.parametrize("name", CALLS)
def test_a_request_is_as_documented(document: dict[str, Any], name: str) -> None:
    call = CALLS[name]
    method, path = place(call)
    said = document["paths"][path][method.lower()]
    known = {one["name"] for one in said.get("parameters", ()) if one["in"] == "query"}
    needed = {one["name"] for one in said.get("parameters", ()) if one["in"] == "query" and one["required"]}
    given = dict(call.query)
    assert needed <= given.keys() <= known
    if call.body is not None:
        assert isinstance(call.body, dict)
        schema = resolved(said["requestBody"]["content"]["application/json"]["schema"], document)
        assert set(schema.get("required", ())) <= call.body.keys() <= schema["properties"].keys()
    if name == "search":  # of which everything can be said
        assert call.body.keys() == schema["properties"].keys()
    if call.files:
        assert "multipart/form-data" in said["requestBody"]["content"]
    # Being sent twice must do no more than being sent once: reading, or a key of the request's own.
    headers = {one["name"] for one in said.get("parameters", ()) if one["in"] == "header"}
    if call.repeatable and "Idempotency-Key" in headers:
        assert call.headers is not None
        assert call.headers["Idempotency-Key"]


def test_every_method_is_in_the_documentation(root: Path) -> None:
    text = (root / "docs" / "service.md").read_text(encoding="utf-8")
    section = text.partition("\n## Python client\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| `")]
    named = {name for line in table for name in re.findall(r"`(\w+)\(", line.split("|")[1])}
    assert named == CALLS.keys() | {"wait"}
    errors = set(re.findall(r"── (\w+)", section))
    assert {
        name for name in client.__all__ if name not in ("AsyncClient", "Client", "Patience")
    } == errors | {"ServiceProblem"}


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def differences(kind: Any, schema: dict[str, Any], document: dict[str, Any], where: str) -> Any:
    """Yield where a type and a schema do not say the same."""
    schema = resolved(schema, document)
    if len(schema.get("allOf", ())) == 1:
        schema = resolved(schema["allOf"][0], document)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        properties = schema.get("properties", {})
        for name in properties.keys() ^ hints.keys():
            yield f"{where}: {name} is in one of them alone"
        for field in fields(kind):
            if field.name in properties:
                yield from differences(
                    hints[field.name], properties[field.name], document, f"{where}.{field.name}"
                )
        return
    choices = schema.get("anyOf") or [schema]
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    optional = [one for one in choices if one.get("type") == "null"]
    if bool(optional) != (NoneType in parts):
        yield f"{where}: only one of them may be null"
    choices = [resolved(one, document) for one in choices if one.get("type") != "null"]
    parts = tuple(one for one in parts if one is not NoneType)
    if kind is object or len(choices) > 1 or len(parts) > 1:
        found = {named(one) for one in parts}
        expected = {one.get("type", "object") for one in choices}
        if kind is not object and found != expected:
            yield f"{where}: {sorted(found)} here, {sorted(expected)} there"
        return
    yield from inside(parts[0], choices[0], document, where)


def inside(kind: Any, schema: dict[str, Any], document: dict[str, Any], where: str) -> Any:
    """Yield where one type and one schema do not say the same."""
    if named(kind) != schema.get("type", "object"):
        yield f"{where}: {named(kind)} here, {schema.get('type')} there"
    elif get_origin(kind) is tuple:
        for item in set(get_args(kind)) - {Ellipsis}:
            yield from differences(item, schema["items"], document, f"{where}[]")
    elif get_origin(kind) is Mapping and isinstance(schema.get("additionalProperties"), dict):
        yield from differences(get_args(kind)[1], schema["additionalProperties"], document, f"{where}{{}}")
    elif isinstance(kind, type) and is_dataclass(kind):
        yield from differences(kind, schema, document, where)


def named(kind: Any) -> str:
    """Return a type's name in JSON Schema."""
    if get_origin(kind) is tuple:
        return "array"
    return {str: "string", int: "integer", float: "number", bool: "boolean"}.get(kind, "object")


def test_a_difference_is_seen() -> None:
    """The comparison itself: each of these says something else than the schema."""
    items = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": items}}}
    for wrong in (
        tuple[int, ...],
        tuple[str | None, ...],
        Mapping[str, int],
        str,
        tuple[int | None, ...] | None,
    ):
        kind = make_dataclass("Made", [("a", wrong)])
        assert list(differences(kind, schema, {}, "answer")), wrong
    assert not list(
        differences(make_dataclass("Made", [("a", tuple[int | None, ...])]), schema, {}, "answer")
    )
    assert list(differences(make_dataclass("Made", [("b", tuple[int | None, ...])]), schema, {}, "answer"))
