"""`quire keys`: secrets shown once, to standard output alone; keys that come and go."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from engine.service.access.keys import KeyRing
from engine.service.access.tokens import Tokens
from engine.service.settings import ServiceSettings

Quire = Callable[..., Result]
ADDRESS = "elasticsearch://localhost:9/books"


@pytest.fixture(autouse=True)
def _no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("QUIRE_TOKEN_SECRET", "QUIRE_TOKEN_SECRET_FILE"):
        monkeypatch.delenv(variable, raising=False)


def test_a_key_is_made_shown_once_and_revoked(quire: Quire, index: Path) -> None:
    made = quire("keys", "add", index, "--scope", "search", "--scope", "events", "--name", "the site")
    assert made.exit_code == 0
    secret = made.stdout.strip()
    ring = KeyRing(index / "service")
    key = ring.check(secret)
    assert key is not None
    assert (key.scopes, key.name, key.tenant, key.expires) == (
        {"search", "events"},
        "the site",
        "default",
        None,
    )
    assert secret not in made.stderr
    assert "It is shown this once." in made.stderr
    assert (
        f"key {key.key_id}: search, events; readers of default; 600 requests a minute; until it is revoked"
        in made.stderr
    )
    listed = quire("keys", "list", index)
    assert key.key_id in listed.stdout
    assert "the site" in listed.stdout
    assert secret[-20:] not in listed.stdout + listed.stderr
    gone = quire("keys", "revoke", index, key.key_id)
    assert gone.stdout == f"{key.key_id} is revoked: the site.\n"
    assert ring.check(secret) is None
    assert quire("keys", "list", index).stdout == "There are no keys; `quire keys add` makes one.\n"
    again = quire("keys", "revoke", index, key.key_id)
    assert (again.exit_code, "there is no key" in again.stderr) == (2, True)


def test_all_that_a_key_may_have(quire: Quire, index: Path) -> None:
    made = quire(
        *(
            "keys",
            "add",
            index,
            "--scope",
            "index",
            "--tenant",
            "acme",
            "--expires",
            "1.5",
            "--rate",
            "7",
            "--json",
        )
    )
    told = json.loads(made.stdout)
    assert (told["scopes"], told["tenant"], told["rate_per_minute"]) == (["index"], "acme", 7)
    left = datetime.fromisoformat(told["expires"]) - datetime.now(UTC)
    assert timedelta(hours=35.9) < left <= timedelta(hours=36)
    assert KeyRing(index / "service").check(told.pop("secret")) is not None
    assert json.loads(quire("keys", "list", index, "--json").stdout) == [told]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Missing option '--scope'"),
        (["--scope", "all"], "scopes search, events, index, admin; found all"),
        (["--scope", "search", "--tenant", "a b"], "a tenant's name is"),
        (["--scope", "search", "--expires", "0"], "more than nothing"),
        (["--scope", "search", "--expires", "nan"], "a number of days"),
        (["--scope", "search", "--expires", "inf"], "a number of days"),
        (["--scope", "search", "--rate", "0"], "from 1 to"),
    ],
)
def test_a_key_that_cannot_be(quire: Quire, index: Path, options: list[str], said: str) -> None:
    made = quire("keys", "add", index, *options)
    assert (made.exit_code, made.stdout) == (2, "")
    assert said in " ".join(made.stderr.split())
    assert "There are no keys" in quire("keys", "list", index).stdout


def test_expired_keys_are_listed_as_such(quire: Quire, index: Path) -> None:
    long_ago = KeyRing(index / "service", now=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    long_ago.create(["search"], expires=timedelta(days=1))
    assert "expired" in quire("keys", "list", index).stdout


def test_the_list_fits_a_narrow_terminal(quire: Quire, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quire("keys", "add", index, "--scope", "search", "--scope", "admin", "--name", "n" * 60, "--expires", "3")
    monkeypatch.setenv("COLUMNS", "40")
    lines = quire("keys", "list", index).stdout.splitlines()
    assert len(lines) == 2
    assert all(len(line) <= 40 for line in lines)


def test_a_token_is_the_reader_s_to_the_service(quire: Quire, index: Path) -> None:
    issued = quire("keys", "token", index, "ann", "--hours", "2")
    assert issued.exit_code == 0
    token = issued.stdout.strip()
    found = Tokens(index / "service", ServiceSettings(), environ={}).read(token)
    assert (found.user_id, found.tenant, found.expires - found.issued) == (
        "ann",
        "default",
        timedelta(hours=2),
    )
    assert token not in issued.stderr
    assert "Whoever has it is ann, of default, until" in issued.stderr
    told = json.loads(quire("keys", "token", index, "安", "--tenant", "acme", "--json").stdout)
    assert (told["user_id"], told["tenant"]) == ("安", "acme")
    refused = quire("keys", "token", index, "ann", "--hours", "25")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "up to 24 hours" in refused.stderr


def test_a_token_is_signed_with_the_secret_that_is_given(
    quire: Quire, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIRE_TOKEN_SECRET", "s" * 32)
    token = quire("keys", "token", index, "ann").stdout.strip()
    assert (
        Tokens(index, ServiceSettings(), environ={"QUIRE_TOKEN_SECRET": "s" * 32}).read(token).user_id
        == "ann"
    )
    assert not (index / "service" / "secret").exists()
    monkeypatch.setenv("QUIRE_TOKEN_SECRET", "short")
    refused = quire("keys", "token", index, "ann")
    assert (refused.exit_code, "fewer than 32 bytes" in refused.stderr) == (3, True)
    assert "short\n" not in refused.stderr


def test_where_the_keys_are(
    quire: Quire, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = quire("keys", "list", ADDRESS)
    assert (refused.exit_code, "--state FOLDER" in refused.stderr) == (2, True)
    secret = quire("keys", "add", ADDRESS, "--scope", "search", "--state", tmp_path / "state").stdout.strip()
    assert KeyRing(tmp_path / "state").check(secret) is not None
    monkeypatch.setenv("QUIRE_SERVICE_STATE", str(tmp_path / "state"))
    assert len(json.loads(quire("keys", "list", index, "--json").stdout)) == 1
    monkeypatch.delenv("QUIRE_SERVICE_STATE")
    missing = quire("keys", "add", tmp_path / "nowhere", "--scope", "search")
    assert (missing.exit_code, "is not a folder" in missing.stderr) == (3, True)
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_file_is_named(quire: Quire, index: Path) -> None:
    quire("keys", "add", index, "--scope", "search")
    (index / "service" / "keys.json").write_text("{")
    for command in (("list",), ("add", "--scope", "search")):
        found = quire("keys", command[0], index, *command[1:])
        assert (found.exit_code, "keys.json is not as" in found.stderr) == (3, True)
