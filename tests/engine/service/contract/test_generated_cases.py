"""Requests that schemathesis makes of the OpenAPI document, as it is and bent: no 500, nothing that is not documented.

    QUIRE_TEST_SCHEMATHESIS_CASES=20000 pytest tests/engine/service/contract/test_generated_cases.py

Half of the cases are as the document says, half are broken on purpose; some of each are given ids, fields and cursors
that the index really has, so that they get past the first look. The same cases come at every run.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis")

from fastapi import FastAPI  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.generation import GenerationMode  # noqa: E402
from schemathesis.python import asgi  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.service.access.caller import SCOPES  # noqa: E402
from engine.service.api import api_router  # noqa: E402
from engine.service.api.document import describe  # noqa: E402

from .conftest import ODD_IDS, Served  # noqa: E402

CASES = int(os.environ.get("QUIRE_TEST_SCHEMATHESIS_CASES", "1500"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
FULL = "urn:quire:problem:too-many-jobs"
"""Nobody does the jobs here, so that after 200 no more are taken; which is documented, and no fault."""
REFUSALS = (400, 401, 403, 404, 413, 414, 415, 422, 429, 431)
"""What a broken request may be answered with: by and by also that too many broken tokens have come from here."""
NEVER_DONE = ("POST /v1/profile/mute",)
"""Needs the name of an interest that the reader has at that moment; `test_readers_apart` has one."""
IDS = ["d00", "d07", "zz", *ODD_IDS]
PATHS = ["notes.txt", "folder", "notes.txt", "folder", "../keys.json", "/etc/passwd"]
FILTERS: list[dict[str, object]] = [
    {"year": {"gte": 1995}},
    {"and": [{"lang": "en"}, {"not": {"tags": {"in": ["t1", "t2"]}}}]},
    {"year": {"exists": True}},
    {"tags": "t3", "or": [{"lang": "de"}, {"year": 2001}]},
]


def _operations() -> Iterator[Any]:
    app = FastAPI(openapi_url="/v1/openapi.json")
    app.include_router(api_router())
    describe(app)
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.config.update(base_url="http://localhost")
    schema.config.checks.negative_data_rejection.expected_statuses = [str(status) for status in REFUSALS]
    for found in schema.get_all_operations():
        yield found.ok()


OPERATIONS = list(_operations())
EACH = math.ceil(CASES / len(OPERATIONS))


@pytest.fixture(scope="module")
def session(served: Served) -> Iterator[Any]:
    """What sends requests to the application, in this process."""
    with asgi.get_client(served.app) as client:
        yield client


@pytest.fixture(scope="module")
def callers(served: Served) -> list[dict[str, str]]:
    """Headers of those who ask: mostly somebody who may everything, for a reader; sometimes less than that."""
    everything = {
        "Authorization": f"Bearer {served.keys['default']}",
        "Quire-Reader": served.token("generated"),
    }
    less = [{"Authorization": f"Bearer {served.key(scope)}"} for scope in SCOPES]
    return [everything] * 8 + less


@pytest.fixture(scope="module")
def cursors(served: Served) -> list[str]:
    """Cursors of real lists."""
    found = []
    for query in ("turbine", "wing -drag"):
        body = {"query": query, "k": 3}
        answer = served.ask("POST", "/v1/search", key=served.keys["default"], json=body)
        found.append(answer.json()["cursor"])
    return found


@pytest.fixture(scope="module")
def job_ids(served: Served) -> list[str]:
    """Ids of real jobs."""
    body = {"documents": [{"doc_id": "new", "text": "A document."}]}
    return [
        served.ask("POST", "/v1/documents", key=served.keys["default"], json=body).json()["job_id"]
        for _ in range(3)
    ]


def salted(case: Any, chance: st.DataObject, cursors: list[str], job_ids: list[str]) -> bool:
    """Put some real names into a case; return whether it was changed."""
    real = {
        "id": IDS,
        "doc_id": IDS,
        "name": IDS,
        "cursor": cursors,
        "sort": ["year", "-year", "tags"],
        "q": ["turbine", '+wing "boundary layer" year:>=1999', "tubrine"],
        "query": ["turbine", "-wing lang:en", "the"],
    }
    changed = False
    if "job_id" in (case.path_parameters or {}):
        case.path_parameters["job_id"] = chance.draw(st.sampled_from(job_ids))
        changed = True
    for place in (case.query, case.body):
        if not isinstance(place, dict):
            continue
        for name in [name for name in place if name in real]:
            place[name] = chance.draw(st.sampled_from(real[name]))
            changed = True
        if "ids" in place:
            place["ids"] = chance.draw(st.lists(st.sampled_from([*IDS, "absent"]), min_size=1, max_size=4))
            changed = True
        if "paths" in place:
            place["paths"] = chance.draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3))
            changed = True
        if "filters" in place:
            place["filters"] = chance.draw(st.sampled_from(FILTERS))
            changed = True
    return changed


@pytest.mark.parametrize("operation", OPERATIONS, ids=[each.label for each in OPERATIONS])
def test_only_what_is_documented(
    operation: Any, session: Any, callers: list[dict[str, str]], cursors: list[str], job_ids: list[str]
) -> None:
    statuses: Counter[int] = Counter()
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    @settings(
        max_examples=EACH,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(
        case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes)),
        caller=st.sampled_from(callers),
        chance=st.data(),
        salt=st.booleans(),
    )
    def one(case: Any, caller: dict[str, str], chance: st.DataObject, salt: bool) -> None:
        changed = salt and salted(case, chance, cursors, job_ids)
        assume(_can_be_sent(case))
        response = case.call(session=session, headers=caller)
        statuses[response.status_code] += 1
        checks = CHECKS if changed else [*CHECKS, negative_data_rejection]
        if response.status_code == 503 and response.json()["type"] == FULL:
            checks = CHECKS[1:]
        case.validate_response(response, checks=checks)

    one()
    print(f"{operation.label}: {dict(sorted(statuses.items()))}")  # seen with -rP
    assert statuses.total() >= min(EACH, 50) or not (
        operation.query or operation.body or operation.path_parameters
    )
    if operation.label not in NEVER_DONE:
        assert min(statuses) < 300, f"nothing was ever answered: {dict(statuses)}"


def _can_be_sent(case: Any) -> bool:
    """Whether the case is one that HTTP can carry: schemathesis makes header values that no client would send."""
    return all(
        isinstance(value, str) and value.isprintable() and value.isascii() for value in case.headers.values()
    )
