"""One reader never sees or changes another's, and one tenant never another's, whatever is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Served

READ = ["d03", "d06", "d09"]  # what bob did something with; only ever documents of his
Ask = Callable[..., Any]


@pytest.fixture
def bob(served: Served, request: pytest.FixtureRequest) -> Iterator[str]:
    """Somebody with a past: nothing of it may be seen or changed by others."""
    name = f"bob-{request.node.name}"
    token = served.token(name)
    ask = {"key": served.keys["default"], "reader": token}
    events = [{"doc_id": doc_id, "kind": "like"} for doc_id in READ]
    assert served.ask("POST", "/v1/events", json={"events": events}, **ask).json()["added"] == 3
    served.ask("POST", "/v1/profile/declare", json={"text": "bob's secret interest"}, **ask)
    before = served.ask("GET", "/v1/profile/export", **ask).json()
    assert len(before["events"]) == 3
    assert len(before["declared"]) == 1
    yield name
    assert served.ask("GET", "/v1/profile/export", **ask).json() == before


def attempts(bob: str, body: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield requests by which somebody else might hope to be bob."""
    yield {}
    for name in ("user_id", "user", "reader", "sub", "tenant", "on_behalf_of"):
        yield {"params": {name: bob}}
        if body is not None:
            yield {"json": {**body, name: bob}}
    for name in ("Quire-User", "X-User-Id", "X-Reader", "X-Remote-User", "Forwarded", "X-Forwarded-User"):
        yield {"headers": {name: bob}}
    yield {"headers": {"Cookie": f"quire_reader={bob}; user_id={bob}"}}


OF_A_READER: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/v1/profile", None),
    ("GET", "/v1/profile/export", None),
    ("GET", "/v1/recommendations?k=5&include_read=true", None),
    ("POST", "/v1/search", {"query": "turbine blade", "k": 5}),
    ("POST", "/v1/search/stream", {"query": "turbine blade", "k": 5}),
    ("GET", "/v1/search?q=turbine&k=5", None),
    ("GET", "/v1/why-not?q=turbine&id=d01", None),
    ("GET", "/v1/documents/summary?id=d01", None),
    ("POST", "/v1/events", {"events": [{"doc_id": "d50", "kind": "hide"}]}),
    ("POST", "/v1/profile/mute", {"name": "d03"}),
    ("POST", "/v1/profile/unmute", {"name": "d03"}),
    ("POST", "/v1/profile/declare", {"text": "sailing"}),
    ("POST", "/v1/profile/undeclare", {"text": "bob's secret interest"}),
    ("POST", "/v1/profile/forget-document", {"id": "d03"}),
    ("DELETE", "/v1/profile", None),
]


@pytest.mark.parametrize(
    ("method", "path", "body"), OF_A_READER, ids=[f"{method} {path}" for method, path, _ in OF_A_READER]
)
@pytest.mark.parametrize("who", ["another reader", "nobody", "the same name of another tenant"])
def test_nobody_is_bob_but_bob(
    served: Served, bob: str, method: str, path: str, body: dict[str, Any] | None, who: str
) -> None:
    if who == "another reader":
        ask = {"key": served.keys["default"], "reader": served.token(f"eve-{bob}"[:200])}
    elif who == "nobody":
        ask = {"key": served.keys["default"]}
    else:
        ask = {"key": served.keys["harbour"], "reader": served.token(bob, "harbour")}
    where, _, query = path.partition("?")
    for attempt in attempts(bob, body):
        sent = {"json": body} if body is not None and "json" not in attempt else {}
        params = {**dict(pair.split("=") for pair in query.split("&") if pair), **attempt.pop("params", {})}
        answer = served.ask(method, where, **ask, **sent, **attempt, params=params)
        assert answer.status_code in (200, 401, 422), answer.text
        assert "bob's secret" not in answer.text
        if answer.status_code == 200 and "because" in answer.text:
            assert '"kind":"like"' not in answer.text  # which only bob ever did


def test_what_bob_muted_is_bobs(served: Served) -> None:
    """The one change that needs an interest that is there."""
    key = served.keys["default"]
    ann, eve = served.token("ann-mutes"), served.token("eve-mutes")
    for token in (ann, eve):
        served.ask("POST", "/v1/profile/declare", json={"text": "tidal harbours"}, key=key, reader=token)
    assert served.ask(
        "POST", "/v1/profile/mute", json={"name": "tidal harbours"}, key=key, reader=ann
    ).json() == {"changed": True}
    muted = [
        [one["muted"] for one in served.ask("GET", "/v1/profile", key=key, reader=token).json()["interests"]]
        for token in (ann, eve)
    ]
    assert muted == [[True], [False]]


@pytest.mark.parametrize("met", ["d03", "d57"])
def test_nobody_finds_out_by_erasing_what_others_met(served: Served, bob: str, met: str) -> None:
    """The answer is the same whether bob met the document too, or nobody."""
    ask = {"key": served.keys["default"], "reader": served.token(f"spy-{met}")}
    event = {"events": [{"doc_id": met, "kind": "read"}]}
    assert served.ask("POST", "/v1/events", json=event, **ask).json()["added"] == 1
    erased = served.ask("DELETE", "/v1/profile", **ask).json()
    assert erased == {"readers": 1, "events": 1, "declared": 0, "muted": 0}


def test_a_tenant_has_its_own_readers(served: Served) -> None:
    """The same name is somebody else there, erased by nobody here."""
    here = {"key": served.keys["default"], "reader": served.token("two-homes")}
    there = {"key": served.keys["harbour"], "reader": served.token("two-homes", "harbour")}
    served.ask("POST", "/v1/events", json={"events": [{"doc_id": "d03", "kind": "like"}]}, **here)
    assert served.ask("GET", "/v1/profile", **here).json()["events"] == 1
    assert served.ask("GET", "/v1/profile", **there).json()["events"] == 0
    served.ask("POST", "/v1/events", json={"events": [{"doc_id": "d04", "kind": "like"}]}, **there)
    assert served.ask("DELETE", "/v1/profile", **there).json()["events"] == 1
    assert served.ask("GET", "/v1/profile", **here).json()["events"] == 1


def test_an_administrator_issues_tokens_of_their_own_tenant_alone(served: Served) -> None:
    issued = served.ask("POST", "/v1/reader-tokens", key=served.keys["harbour"], json={"user_id": "ann"})
    assert issued.status_code == 201
    token = issued.json()["token"]
    assert served.service.tokens.read(token).tenant == "harbour"
    assert served.ask("GET", "/v1/profile", key=served.keys["default"], reader=token).status_code == 403
    for extra in ({"tenant": "default"}, {"claims": {"tenant": "default"}}, {"aud": "x"}, {"guest": True}):
        body = {"user_id": "ann", **extra}
        answer = served.ask("POST", "/v1/reader-tokens", key=served.keys["harbour"], json=body)
        assert answer.status_code == 422, answer.text


def test_a_tenant_does_not_see_anothers_jobs(served: Served) -> None:
    body = {"documents": [{"doc_id": "of-the-harbour", "text": "A pier."}]}
    once = {"Idempotency-Key": "the same at both"}
    there = served.ask("POST", "/v1/documents", key=served.keys["harbour"], json=body, headers=once)
    here = served.ask("POST", "/v1/documents", key=served.keys["default"], json=body, headers=once)
    assert (there.status_code, here.status_code) == (202, 202)
    job = there.json()["job_id"]
    assert job != here.json()["job_id"]
    for method in ("GET", "DELETE"):
        answer = served.ask(method, f"/v1/jobs/{job}", key=served.keys["default"])
        assert answer.status_code == 404
        assert "of-the-harbour" not in answer.text
    listed = served.ask("GET", "/v1/jobs?limit=100", key=served.keys["default"]).json()["jobs"]
    assert job not in [one["job_id"] for one in listed]
    assert served.ask("GET", f"/v1/jobs?before={job}", key=served.keys["default"]).status_code in (200, 404)
    assert served.ask("GET", f"/v1/jobs/{job}", key=served.keys["harbour"]).json()["state"] != "cancelled"


def test_an_answer_about_a_reader_is_kept_by_no_cache(served: Served) -> None:
    ask = {"key": served.keys["default"], "reader": served.token("cached")}
    for path in ("/v1/profile", "/v1/profile/export", "/v1/recommendations", "/v1/search?q=turbine"):
        assert "no-store" in served.ask("GET", path, **ask).headers["cache-control"], path


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), other=st.data())
@settings(max_examples=40)
def test_names_that_look_alike_are_two_readers(served: Served, name: str, other: st.DataObject) -> None:
    """Case, white space, forms of one letter, NULs: whoever is not the same string is not the same reader."""
    ways: list[Callable[[str], str]] = [
        str.upper, str.lower, str.strip, lambda text: text + " ", lambda text: text + "\x00",
        lambda text: text + "\u200b", lambda text: "./" + text, lambda text: text + "%00",
        lambda text: f"{text}/../{text}",
    ]  # fmt: skip
    twin = other.draw(st.sampled_from(ways))(name)
    if twin in (name, "") or "\x00" in name + twin:
        return
    key = served.keys["default"]
    mine, theirs = served.token(name), served.token(twin)
    served.ask("DELETE", "/v1/profile", key=key, reader=mine)
    served.ask("DELETE", "/v1/profile", key=key, reader=theirs)
    served.ask("POST", "/v1/profile/declare", json={"text": "mine"}, key=key, reader=mine)
    assert served.ask("GET", "/v1/profile/export", key=key, reader=theirs).json()["declared"] == []
    assert len(served.ask("GET", "/v1/profile/export", key=key, reader=mine).json()["declared"]) == 1
