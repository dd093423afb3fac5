"""Every operation of the OpenAPI document × everybody who may not: exactly the refusal that is documented.

Which scope an operation needs, and whether it needs a reader, is read from what the document says of it, so that an
operation that is added is held to what it says of itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import jwt
import pytest
from fastapi import FastAPI

from engine.service.access.caller import SCOPES, Scope
from engine.service.api import api_router
from engine.service.api.document import describe

from .conftest import Served

SCOPE = re.compile(r"Needs the scope `(\w+)`")


@dataclass(frozen=True)
class Operation:
    """What the document says of one operation."""

    method: str
    path: str
    scope: str
    of_a_reader: bool
    statuses: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _operations() -> Iterator[Operation]:
    app = FastAPI()
    app.include_router(api_router())
    describe(app)
    for path, methods in app.openapi()["paths"].items():
        for method, said in methods.items():
            description = " ".join(said.get("description", "").split())
            needed = SCOPE.search(description)
            yield Operation(
                method.upper(),
                path.replace("{job_id}", "job_0"),
                needed.group(1) if needed else "",
                "and a reader's token" in description,
                frozenset(said["responses"]),
            )


OPERATIONS = list(_operations())
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=map(str, OPERATIONS))


def refused(answer: httpx.Response, status: int, kind: str) -> None:
    """Make sure that an answer is this refusal, and tells nothing of what was given."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found = answer.json()
    assert (answer.status_code, found["type"]) == (status, f"urn:quire:problem:{kind}"), found
    assert found["status"] == status
    assert found["detail"]
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for name in ("authorization", "quire-reader"):
        given = answer.request.headers.get(name, "").removeprefix("Bearer ")
        assert len(given) < 20 or given not in answer.text


@every_operation
def test_every_operation_says_what_it_needs(operation: Operation) -> None:
    assert operation.scope in SCOPES
    assert operation.statuses >= {"401", "403", "429", "500", "503"}


@every_operation
@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (None, "key-missing"),
        ("", "key-missing"),
        ("Basic cXVpcmU6cXVpcmU=", "key-missing"),
        ("Bearer", "key-missing"),
        ("Bearer x", "key-invalid"),
        ("Bearer quire_00000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "key-invalid"),
        ("Bearer " + "quire_" * 1000, "key-invalid"),
    ],
)
def test_no_key(served: Served, operation: Operation, header: str | None, kind: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    refused(served.ask(operation.method, operation.path, headers=headers), 401, kind)


@every_operation
def test_a_key_that_does_not_hold(served: Served, operation: Operation) -> None:
    ring = served.service.keys
    key, secret = ring.create(SCOPES)
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    refused(served.ask(operation.method, operation.path, key=wrong), 401, "key-invalid")
    other_id = secret.replace(key.key_id, "0" * 8)
    refused(served.ask(operation.method, operation.path, key=other_id), 401, "key-invalid")
    refused(served.ask(operation.method, operation.path, key=secret.upper()), 401, "key-invalid")
    # It holds, until it is taken back.
    assert (
        served.ask(operation.method, operation.path, key=secret, reader=served.token("x")).status_code != 401
    )
    ring.revoke(key.key_id)
    refused(served.ask(operation.method, operation.path, key=secret), 401, "key-invalid")
    refused(served.ask(operation.method, operation.path, key=served.expired_key()), 401, "key-expired")


@every_operation
def test_a_key_in_another_place_is_no_key(served: Served, operation: Operation) -> None:
    key = served.keys["default"]
    for name in ("key", "api_key", "access_token", "authorization"):
        refused(served.ask(operation.method, operation.path, params={name: key}), 401, "key-missing")
    refused(
        served.ask(operation.method, operation.path, headers={"Cookie": f"key={key}"}), 401, "key-missing"
    )
    refused(served.ask(operation.method, operation.path, headers={"X-Api-Key": key}), 401, "key-missing")


@every_operation
def test_every_other_scope_is_not_enough(served: Served, operation: Operation) -> None:
    reader = served.token("scopes")
    others: list[Scope] = [scope for scope in SCOPES if scope != operation.scope]
    for scopes in [*([scope] for scope in others), others]:
        answer = served.ask(operation.method, operation.path, key=served.key(*scopes), reader=reader)
        refused(answer, 403, "scope-missing")
        assert answer.json()["scope"] == operation.scope


@every_operation
def test_its_scope_alone_is_enough(served: Served, operation: Operation) -> None:
    key = served.key(operation.scope)  # type: ignore[arg-type]
    answer = served.ask(operation.method, operation.path, key=key, reader=served.token("scopes"))
    assert answer.status_code not in (401, 403), answer.text
    assert str(answer.status_code) in operation.statuses


@every_operation
def test_a_reader_where_one_is_needed(served: Served, operation: Operation) -> None:
    answer = served.ask(operation.method, operation.path, key=served.keys["default"])
    if operation.of_a_reader:
        refused(answer, 401, "reader-missing")
    else:
        assert answer.status_code not in (401, 403), answer.text


@every_operation
def test_a_token_of_another_tenant(served: Served, operation: Operation) -> None:
    token = served.token("ann", "harbour")
    refused(
        served.ask(operation.method, operation.path, key=served.keys["default"], reader=token),
        403,
        "tenant-mismatch",
    )


@every_operation
def test_a_token_that_does_not_hold(served: Served, operation: Operation) -> None:
    def ask(token: str) -> httpx.Response:
        return served.ask(operation.method, operation.path, key=served.keys["default"], reader=token)

    refused(ask(served.expired_token("ann")), 401, "token-expired")
    for token in forged(served.token("ann")):
        refused(ask(token), 401, "token-invalid")


def forged(token: str) -> Iterator[str]:
    """Yield tokens that somebody without the secret could make of one that they have."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = _coded({**claims, "sub": "bob"})
    yield f"{head}.{other}.{signature}"
    yield f"{_coded({'alg': 'none', 'typ': 'JWT'})}.{other}."
    yield f"{_coded({'alg': 'None', 'typ': 'JWT'})}.{other}.{signature}"
    yield f"{head}.{body}."
    yield f"{head}.{body}.{signature[::-1]}"
    yield jwt.encode(claims, "a secret of somebody else, as long as ours", algorithm="HS256")
    yield jwt.encode(claims, "k" * 64, algorithm="HS512")
    named = _coded({"alg": "HS256", "typ": "JWT", "jwk": {"kty": "oct", "k": ""}, "kid": "/dev/null"})
    empty = hmac.new(b"", f"{named}.{other}".encode(), hashlib.sha256).digest()
    yield f"{named}.{other}.{base64.urlsafe_b64encode(empty).decode().rstrip('=')}"
    yield "not.a.token"
    yield "x"
    yield "." * 100


def _coded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_the_document_itself_is_for_everybody(served: Served) -> None:
    answer = served.ask("GET", "/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["paths"].keys() >= {
        operation.path for operation in OPERATIONS if "job_0" not in operation.path
    }


def test_nothing_else_is_open(served: Served) -> None:
    """A path of /v1 that is none is told to nobody without a key."""
    for path in (
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/search/",
        "/v1//search",
        "/V1/search",
        "/v1/docs",
        "/docs",
        "/redoc",
    ):
        assert served.ask("GET", path).status_code in (401, 404), path
