"""API keys: secrets that are kept nowhere, and keys that come and go under a running service."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.access.caller import SCOPES
from engine.service.access.errors import AccessFileError, InvalidGrant
from engine.service.access.keys import KeyRing
from engine.service.problems import Problem

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_the_secret_opens_and_nothing_near_it_does(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    key, secret = ring.create(["search"])
    other, _ = ring.create(["admin"])
    assert ring.check(secret) == key
    start, tail = f"quire_{key.key_id}_", secret.removeprefix(f"quire_{key.key_id}_")
    assert len(base64.urlsafe_b64decode(tail + "=")) == 32
    wrong = [
        "",
        "quire",
        "quire_",
        start,
        tail,
        secret[:-1],
        secret + "A",
        secret.upper(),
        f" {secret}",
        f"quire_{other.key_id}_{tail}",
        f"quire_00000000_{tail}",
        f"Quire_{key.key_id}_{tail}",
        hashlib.sha256(secret.encode()).hexdigest(),
        start + "é" * 43,
        "quire_\udcff_",
        "x" * 100_000,
    ]
    assert [one for one in wrong if ring.check(one) is not None] == []


@given(st.text(max_size=80))
def test_no_text_opens(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    ring = KeyRing(tmp_path_factory.getbasetemp() / "ring")
    if not ring.list():
        ring.create(["search"])
    key_id = ring.list()[0].key_id
    for guess in (text, f"quire_{text}", f"quire_{key_id}_{text}"):
        assert ring.check(guess) is None


def test_no_secret_is_kept_shown_or_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ring = KeyRing(tmp_path)
    key, secret = ring.create(["search"], name="site")
    ring.check(secret)
    tail = secret.rpartition(f"{key.key_id}_")[2]
    digest = hashlib.sha256(secret.encode()).hexdigest()
    kept = "".join(path.read_text() for path in tmp_path.iterdir())
    for place in (kept, repr(key), str(key), json.dumps(key.to_json()), repr(ring), caplog.text):
        assert tail not in place
    assert digest in kept
    assert digest not in repr(key) + json.dumps(key.to_json()) + caplog.text
    with pytest.raises(InvalidGrant) as error:
        ring.revoke(secret)
    assert tail not in str(error.value)
    assert "not by its secret" in str(error.value)


def test_an_expired_key_opens_nothing_and_says_so_to_its_holder_alone(tmp_path: Path) -> None:
    now = [NOON]
    ring = KeyRing(tmp_path, now=lambda: now[0])
    key, secret = ring.create(["search"], expires=timedelta(days=1))
    assert key.expires == NOON + timedelta(days=1)
    now[0] = NOON + timedelta(days=1) - timedelta(seconds=1)
    assert ring.check(secret) == key
    now[0] = NOON + timedelta(days=1)
    with pytest.raises(Problem) as error:
        ring.check(secret)
    assert (error.value.status, error.value.kind) == (401, "key-expired")
    assert "Bearer" in error.value.headers["WWW-Authenticate"]
    assert ring.check(secret[:-1]) is None
    assert ring.list() == (key,)


def test_a_ring_sees_what_another_does(tmp_path: Path) -> None:
    serving, administering = KeyRing(tmp_path), KeyRing(tmp_path)
    assert serving.list() == ()
    key, secret = administering.create(["search"])
    assert serving.check(secret) == key
    assert administering.revoke(key.key_id) == key
    assert serving.check(secret) is None
    with pytest.raises(InvalidGrant, match="there is no key"):
        serving.revoke(key.key_id)


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path: Path) -> None:
    """Of the same size, and with the time of the file before put back: another inode gives it away."""
    ring, other = KeyRing(tmp_path), KeyRing(tmp_path)
    key, secret = other.create(["search"])
    assert ring.check(secret) == key
    before = (tmp_path / "keys.json").stat()
    entry = json.loads((tmp_path / "keys.json").read_text())
    entry["keys"][0]["sha256"] = "0" * 64
    (tmp_path / "new").write_text(json.dumps(entry, ensure_ascii=False, indent=1) + "\n")
    os.utime(tmp_path / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "new").replace(tmp_path / "keys.json")
    after = (tmp_path / "keys.json").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert ring.check(secret) is None


def test_removing_the_file_revokes_all(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    _, secret = ring.create(["search"])
    (tmp_path / "keys.json").unlink()
    assert ring.check(secret) is None
    assert ring.list() == ()


def test_all_that_is_said_of_a_key_comes_back(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path, now=lambda: NOON)
    made = [
        ring.create(
            SCOPES, tenant="acme", name=" Käthe's 站点 ", expires=timedelta(hours=1), rate_per_minute=7
        )[0],
        ring.create(["index"])[0],
    ]
    assert set(KeyRing(tmp_path).list()) == set(made)
    assert made[0].name == "Käthe's 站点"
    assert made[0].to_json()["scopes"] == list(SCOPES)
    assert (made[1].rate_per_minute, made[1].expires, made[1].tenant) == (None, None, "default")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"scopes": []}, "found none"),
        ({"scopes": ["search", "root"]}, "found root"),
        ({"scopes": "search"}, "one or more of the scopes"),
        ({"tenant": "../x"}, "tenant's name"),
        ({"tenant": ""}, "tenant's name"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "\x1b[31m"}, "printable"),
        ({"name": "x" * 201}, "up to 200"),
        ({"expires": timedelta()}, "more than nothing"),
        ({"expires": timedelta(days=-1)}, "more than nothing"),
        ({"expires": timedelta(days=36_501)}, "36,500 days"),
        ({"rate_per_minute": 0}, "from 1 to"),
        ({"rate_per_minute": True}, "from 1 to"),
        ({"rate_per_minute": 1.5}, "from 1 to"),
    ],
)
def test_a_key_that_cannot_be_is_refused(tmp_path: Path, values: dict[str, object], said: str) -> None:
    ring = KeyRing(tmp_path)
    scopes = values.pop("scopes", ["search"])
    with pytest.raises(InvalidGrant, match=said):
        ring.create(scopes, **values)  # type: ignore[arg-type]
    assert ring.list() == ()


def change(field: str, value: object) -> object:
    """Return what puts a value into the first key of the file."""

    def changed(found: dict[str, list[dict[str, object]]]) -> None:
        found["keys"][0][field] = value

    return changed


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"format": 1}',
        b'{"format": 2, "keys": []}',
        b'{"format": 1, "keys": {}, "more": 1}',
        b'{"format": 1, "keys": [1]}',
        b"[" * 100_000,
        change("extra", 1),
        change("scopes", ["search", "all"]),
        change("scopes", [["search"]]),
        change("scopes", None),
        change("sha256", "00"),
        change("sha256", "z" * 64),
        change("sha256", None),
        change("expires", "tomorrow"),
        change("expires", "2026-01-01T00:00:00"),
        change("expires", 5),
        change("created", None),
        change("id", "../../x"),
        change("id", None),
        change("tenant", "a b"),
        change("tenant", None),
        change("rate_per_minute", -1),
        change("name", 5),
        lambda found: found["keys"].append(found["keys"][0]),
        lambda found: found["keys"][0].pop("tenant"),
    ],
)
def test_a_damaged_file_lets_nobody_in_and_is_not_written_over(tmp_path: Path, damage: object) -> None:
    ring = KeyRing(tmp_path)
    _, secret = ring.create(["search"])
    path = tmp_path / "keys.json"
    if callable(damage):
        found = json.loads(path.read_text())
        damage(found)
        damage = json.dumps(found).encode()
    assert isinstance(damage, bytes)
    path.write_bytes(damage)
    for act in (
        lambda: ring.check(secret),
        lambda: ring.create(["search"]),
        lambda: ring.revoke("00000000"),
        ring.list,
    ):
        with pytest.raises(
            AccessFileError, match=r"keys\.json is not as `quire keys` wrote it: .*restore it"
        ):
            act()
    assert path.read_bytes() == damage


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from engine.service.access.keys import KeyRing\n"
        "ring = KeyRing(Path(sys.argv[1]))\n"
        "for n in range(10): print(ring.create(['search'], name=f'{sys.argv[2]}-{n}')[1])"
    )
    root = Path(__file__).resolve().parents[4]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / "state", str(number)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        for number in range(4)
    ]
    shown = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    ring = KeyRing(tmp_path / "state")
    assert {key.name for key in ring.list()} == {f"{one}-{n}" for one in range(4) for n in range(10)}
    assert all(ring.check(secret) is not None for secrets in shown for secret in secrets)
