"""Who comes in at the API: keys, scopes, readers, and how often."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from engine.service.access.admission import FAILURES_A_MINUTE
from engine.service.access.caller import SCOPES
from engine.service.access.keys import KeyRing


def kind(answer: object) -> str:
    """Return what an answer's problem is."""
    return str(answer.json()["type"]).rpartition(":")[2]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "scopes", [some for count in (1, 2, 4) for some in itertools.combinations(SCOPES, count)]
)
def test_a_key_opens_what_its_scopes_say_and_nothing_else(
    door: Callable, client: Callable, scopes: tuple[str, ...]
) -> None:
    here = door()
    asking, key = client(here), here.secret(*scopes)
    for scope in SCOPES:
        found = asking.get(f"/v1/{scope}", headers=key)
        if scope in scopes:
            assert found.status_code == 200
        else:
            assert (found.status_code, kind(found), found.json()["scope"]) == (403, "scope-missing", scope)
            assert repr(scope) in found.json()["detail"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "key-missing"),
        ([""], "key-missing"),
        (["Bearer"], "key-missing"),
        (["Bearer "], "key-missing"),
        (["Basic cXVpcmU6eA=="], "key-missing"),
        (["{secret}"], "key-missing"),
        (["Bearer {secret}", "Bearer {secret}"], "key-missing"),
        (["Bearer {secret}x"], "key-invalid"),
        (["Bearer {secret} x"], "key-invalid"),
        (["Bearer quire_00000000_x"], "key-invalid"),
        (["Bearer é"], "key-invalid"),
        (["Bearer {secret}"], ""),
        (["bearer   {secret} "], ""),
    ],
)
def test_how_a_key_is_sent(door: Callable, client: Callable, given: list[str], expected: str) -> None:
    here = door()
    secret = here.secret("search")["Authorization"].removeprefix("Bearer ")
    headers = [(b"Authorization", one.replace("{secret}", secret).encode()) for one in given]
    found = client(here).get("/v1/search", headers=headers)
    if not expected:
        assert found.status_code == 200
        return
    assert (found.status_code, kind(found)) == (401, expected)
    assert found.headers["www-authenticate"].startswith("Bearer realm=")
    assert secret[:12] not in found.text, "what may be a secret is not said again"


def test_a_revoked_key_is_refused_at_its_next_request(door: Callable, client: Callable) -> None:
    here = door()
    asking, key = client(here), here.secret("search")
    assert asking.get("/v1/search", headers=key).status_code == 200
    KeyRing(here.keys.folder).revoke(here.keys.list()[0].key_id)
    assert kind(asking.get("/v1/search", headers=key)) == "key-invalid"


def test_where_the_keys_cannot_be_read_nobody_comes_in(
    door: Callable, client: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    here = door()
    asking, key = client(here), here.secret("search")
    (here.keys.folder / "keys.json").write_text("{")
    found = asking.get("/v1/search", headers=key)
    assert (found.status_code, kind(found)) == (500, "access-file-error")
    assert "content-security-policy" in found.headers
    assert "keys.json" not in found.text, "what is where is nobody's business outside"
    assert "keys.json is not as `quire keys` wrote it" in caplog.text
    assert key["Authorization"] not in caplog.text


def test_an_expired_key_is_told_so(door: Callable, client: Callable) -> None:
    here = door()
    here.keys = KeyRing(here.keys.folder, now=lambda: datetime.now(UTC) - timedelta(days=2))
    key = here.secret("search", expires=timedelta(days=1))
    assert client(here).get("/v1/search", headers=key).status_code == 200
    here.keys = KeyRing(here.keys.folder)
    found = client(here).get("/v1/search", headers=key)
    assert (found.status_code, kind(found)) == (401, "key-expired")


def test_a_reader_is_who_the_token_says(door: Callable, client: Callable) -> None:
    here = door()
    asking, key = client(here), here.secret("search", "events")
    assert asking.get("/v1/search", headers=key).json()["user"] is None
    assert asking.get("/v1/search", headers=key | here.reader("ann")).json()["user"] == "ann"
    assert asking.get("/v1/own", headers=key | here.reader("安")).json()["user"] == "安"
    found = asking.get("/v1/own", headers=key)
    assert (found.status_code, kind(found)) == (401, "reader-missing")
    assert "www-authenticate" in found.headers
    guest = {"Quire-Reader": here.tokens.issue_guest("default")[1]}
    assert asking.get("/v1/own", headers=key | guest).json()["guest"] is True


def test_a_reader_of_another_tenant_is_nobody_here(door: Callable, client: Callable) -> None:
    here = door()
    asking = client(here)
    for mine, theirs in (("acme", "default"), ("default", "acme")):
        key = here.secret("search", "events", tenant=mine)
        assert asking.get("/v1/own", headers=key | here.reader(tenant=mine)).json()["tenant"] == mine
        found = asking.get("/v1/own", headers=key | here.reader(tenant=theirs))
        assert (found.status_code, kind(found)) == (403, "tenant-mismatch")


def test_a_token_that_does_not_hold_is_an_error_and_not_nobody(door: Callable, client: Callable) -> None:
    here = door()
    asking, key = client(here), here.secret("search")
    good = here.reader()["Quire-Reader"]
    for given in ([good[:-2]], [""], ["quire"], [good, good]):
        headers = [*key.items(), *(("Quire-Reader", one) for one in given)]
        found = asking.get("/v1/search", headers=headers)
        assert (found.status_code, kind(found)) == (401, "token-invalid")


def test_a_key_that_asks_too_often_waits(door: Callable, client: Callable) -> None:
    here = door(burst=3, rate_per_minute=60)
    asking, key, other = client(here), here.secret("search"), here.secret("search")
    assert [asking.get("/v1/search", headers=key).status_code for _ in range(4)] == [200, 200, 200, 429]
    found = asking.get("/v1/search", headers=key)
    assert (kind(found), found.headers["retry-after"], found.json()["retry_after"]) == (
        "rate-limited",
        "1",
        1,
    )
    assert "60 requests a minute" in found.json()["detail"]
    assert asking.get("/v1/search", headers=other).status_code == 200
    here.clock.now += 1
    assert asking.get("/v1/search", headers=key).status_code == 200


def test_a_key_may_have_its_own_rate(door: Callable, client: Callable) -> None:
    here = door(burst=3, rate_per_minute=60)
    asking, slow = client(here), here.secret("search", rate_per_minute=1)
    assert [asking.get("/v1/search", headers=slow).status_code for _ in range(2)] == [200, 429]
    assert asking.get("/v1/search", headers=slow).headers["retry-after"] == "60"


def test_what_a_key_may_not_do_counts_too(door: Callable, client: Callable) -> None:
    here = door(burst=3, rate_per_minute=60)
    asking, key = client(here), here.secret("search")
    assert [asking.get("/v1/admin", headers=key).status_code for _ in range(4)] == [403, 403, 403, 429]


def test_one_request_is_counted_once(door: Callable, client: Callable) -> None:
    """The guards look at the key before the body is read, and the route asks again."""
    here = door(burst=10, rate_per_minute=60)
    asking, key = client(here), here.secret("search")
    body = {"json": {"a": 1}, "headers": key}
    assert [asking.post("/v1/size", **body).status_code for _ in range(11)] == [200] * 10 + [429]


def test_refusals_are_counted_by_address_and_spare_those_who_may(door: Callable, client: Callable) -> None:
    here = door(rate_per_minute=10_000, burst=10_000)
    trying, elsewhere = client(here, peer="10.0.0.1"), client(here, peer="10.0.0.2")
    wrong = {"Authorization": "Bearer quire_00000000_x"}
    statuses = [trying.get("/v1/search", headers=wrong).status_code for _ in range(FAILURES_A_MINUTE + 2)]
    assert statuses == [401] * FAILURES_A_MINUTE + [429] * 2
    key = here.secret("search")
    assert trying.get("/v1/search").status_code == 429
    assert trying.get("/v1/search", headers=key | {"Quire-Reader": "x"}).status_code == 429
    assert trying.get("/v1/search", headers=key).status_code == 200
    assert elsewhere.get("/v1/search", headers=wrong).status_code == 401


def test_behind_a_proxy_the_address_is_the_client_s(door: Callable, client: Callable) -> None:
    here = door(trusted_proxies=("10.0.0.1",))
    asking = client(here, peer="10.0.0.1")
    for _ in range(FAILURES_A_MINUTE + 1):
        found = asking.get("/v1/search", headers={"X-Forwarded-For": "6.6.6.6, 1.1.1.1"})
    assert found.status_code == 429
    assert asking.get("/v1/search", headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2"}).status_code == 401


def test_the_description_names_both_kinds_of_proof(door: Callable, client: Callable) -> None:
    asking = client(door())
    found = asking.get("/openapi.json").json()
    schemes = found["components"]["securitySchemes"]
    assert schemes["key"]["scheme"] == "bearer"
    assert (schemes["reader"]["in"], schemes["reader"]["name"]) == ("header", "Quire-Reader")
    assert {"key": []} in found["paths"]["/v1/own"]["get"]["security"]
