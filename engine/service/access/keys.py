"""`KeyRing`: the API keys of a service, of which it keeps hashes.

A key's secret is `quire_<id>_<43 characters>`, the last part 256 bits from the system's own source of chance. What is
kept is SHA-256 of the secret. A slow hash, as passwords need, would buy nothing: passwords are few enough to be guessed
through, and 2**256 secrets are not, at whatever speed; and a slow hash at every request would be a way to tire the
service.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from engine.errors import InvalidProfileChange
from engine.personal.schema import checked_tenant
from engine.service.access.caller import SCOPES, Scope
from engine.service.access.errors import AccessFileError, InvalidGrant
from engine.service.access.private_files import Watched, locked, write_private
from engine.service.problems import Problem

FILE, LOCK = "keys.json", "keys.lock"
FORMAT = 1
PREFIX = "quire"
LONGEST_SECRET = 200  # characters; a longer one is none of ours
LONGEST_NAME = 200
HIGHEST_RATE = 10_000_000
LONGEST_LIFE = 36_500  # days
_FIELDS = {"id", "tenant", "scopes", "rate_per_minute", "expires", "name", "created", "sha256"}
_NOBODY = bytes(32)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of an API key: all but its secret.

    Args:
        key_id: Its public name: eight hexadecimal digits, to be seen in lists and logs.
        tenant: Whose readers its holder may speak for.
        scopes: What its holder may do.
        rate_per_minute: Requests a minute; None for the service's own rate.
        expires: When it ceases to hold; None for never.
        name: What it is for, in its maker's words.
        created: When it was made.
    """

    key_id: str
    tenant: str
    scopes: frozenset[Scope]
    rate_per_minute: int | None
    expires: datetime | None
    name: str
    created: datetime

    def to_json(self) -> dict[str, object]:
        """Return the JSON object that lists and files hold; scopes in the order of `SCOPES`, times in UTC."""
        return {
            "id": self.key_id,
            "tenant": self.tenant,
            "scopes": [scope for scope in SCOPES if scope in self.scopes],
            "rate_per_minute": self.rate_per_minute,
            "expires": self.expires.isoformat() if self.expires else None,
            "name": self.name,
            "created": self.created.isoformat(),
        }


_Entries = Mapping[str, tuple[Key, bytes]]


class KeyRing:
    """The keys in a folder. Any number of processes may hold it at once: what one changes, the others see.

    Args:
        folder: The service's own (`ServiceSettings.state_folder`); made when the first key is.
        now: Says what time it is.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.folder = folder
        self._now = now
        self._file: Watched[_Entries] = Watched(folder / FILE, self._parse)

    def check(self, secret: str) -> Key | None:
        """Return the key that a secret belongs to; None where it belongs to none.

        How long that takes tells nothing of the secrets there are: hashes are compared in constant time.

        Raises:
            Problem: 401 `key-expired`: it did belong to one. Only who holds the secret learns that.
            AccessFileError: the file of keys cannot be read.
        """
        entries = self._file.value()
        if len(secret) > LONGEST_SECRET or not secret.isascii():
            return None
        _, _, rest = secret.partition("_")
        key, digest = entries.get(rest.partition("_")[0], (None, _NOBODY))
        if not hmac.compare_digest(_digest(secret), digest) or key is None:
            return None
        if key.expires is not None and key.expires <= self._now():
            raise Problem(
                401,
                "key-expired",
                f"the API key {key.key_id} expired at {key.expires:%Y-%m-%d %H:%M} UTC; ask for another one",
                {"WWW-Authenticate": 'Bearer realm="quire", error="invalid_token"'},
            )
        return key

    def create(
        self,
        scopes: Iterable[Scope],
        *,
        tenant: str = "default",
        name: str = "",
        expires: timedelta | None = None,
        rate_per_minute: int | None = None,
    ) -> tuple[Key, str]:
        """Make a key. Its secret is returned this once, and kept nowhere.

        Args:
            scopes: What its holder may do; at least one.
            tenant: Whose readers.
            name: What it is for; up to 200 characters.
            expires: How long it holds; None for ever.
            rate_per_minute: Requests a minute; None for the service's own rate.

        Returns:
            The key and its secret.

        Raises:
            InvalidGrant: one of these cannot be.
            AccessFileError: the file of keys is damaged, or cannot be written.
        """
        now = self._now().astimezone(UTC).replace(microsecond=0)
        if expires is not None and not timedelta() < expires <= timedelta(days=LONGEST_LIFE):
            raise InvalidGrant(
                f"a key holds for more than nothing and up to {LONGEST_LIFE:,} days; found {expires}"
            )
        with locked(self.folder, LOCK):
            entries = dict(self._file.value())
            key_id = secrets.token_hex(4)
            while key_id in entries:
                key_id = secrets.token_hex(4)
            key = _checked(
                Key(
                    key_id,
                    tenant,
                    frozenset(scopes),
                    rate_per_minute,
                    None if expires is None else now + expires,
                    name.strip() if isinstance(name, str) else name,
                    now,
                )
            )
            secret = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
            self._write({**entries, key_id: (key, _digest(secret))})
        return key, secret

    def revoke(self, key_id: str) -> Key:
        """Take a key back; from then on it opens nothing, in no process.

        Raises:
            InvalidGrant: there is no such key.
            AccessFileError: the file of keys is damaged, or cannot be written.
        """
        with locked(self.folder, LOCK):
            entries = dict(self._file.value())
            if key_id not in entries:
                hint = "a key is named by its id of eight digits, not by its secret" if "_" in key_id else ""
                shown = key_id.split("_")[1][:8] if key_id.startswith(f"{PREFIX}_") else key_id[:40]
                raise InvalidGrant(
                    f"there is no key {shown!r}; {hint or '`quire keys list` names all there are'}"
                )
            key, _ = entries.pop(key_id)
            self._write(entries)
        return key

    def list(self) -> tuple[Key, ...]:
        """Return all keys, expired ones too, the oldest first."""
        return tuple(
            sorted((key for key, _ in self._file.value().values()), key=lambda key: (key.created, key.key_id))
        )

    def _write(self, entries: _Entries) -> None:
        keys = [{**key.to_json(), "sha256": digest.hex()} for key, digest in entries.values()]
        text = json.dumps({"format": FORMAT, "keys": keys}, ensure_ascii=False, indent=1)
        write_private(self._file.path, text.encode() + b"\n")

    def _parse(self, content: bytes | None) -> _Entries:
        if content is None:
            return MappingProxyType({})
        try:
            found = json.loads(content)
            if not isinstance(found, dict) or found.keys() != {"format", "keys"}:
                raise ValueError('expected an object of "format" and "keys"')
            if found["format"] != FORMAT:
                raise ValueError(
                    f"format {found['format']!r:.20}, while this version of Quire reads {FORMAT}"
                )
            entries = dict(map(_entry, found["keys"]))
            if len(entries) != len(found["keys"]):
                raise ValueError("two keys have the same id")
        except (ValueError, TypeError, InvalidGrant, RecursionError) as error:
            raise AccessFileError(
                f"{self._file.path} is not as `quire keys` wrote it: {error}; restore it from a copy, or move it "
                "away and issue new keys"
            ) from error
        return MappingProxyType(entries)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _entry(found: object) -> tuple[str, tuple[Key, bytes]]:
    """Return an entry of the file by its id. Raises ValueError, TypeError or InvalidGrant where it is none."""
    if not isinstance(found, dict) or found.keys() != _FIELDS:
        fields = sorted(found.keys() ^ _FIELDS) if isinstance(found, dict) else ["no object"]
        raise ValueError(f"a key with other fields than expected: {', '.join(map(str, fields))[:80]}")
    key = Key(
        found["id"],
        found["tenant"],
        frozenset(found["scopes"]),
        found["rate_per_minute"],
        None if found["expires"] is None else datetime.fromisoformat(found["expires"]),
        found["name"],
        datetime.fromisoformat(found["created"]),
    )
    digest = bytes.fromhex(found["sha256"])
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError(f"the hash of key {key.key_id!r:.20} has {len(digest)} bytes instead of 32")
    if (
        not isinstance(key.key_id, str)
        or len(key.key_id) != 8
        or not set(key.key_id) <= set("0123456789abcdef")
    ):
        raise ValueError(f"{key.key_id!r:.40} is no id of a key")
    if any(at is not None and at.tzinfo is None for at in (key.expires, key.created)):
        raise ValueError(f"key {key.key_id} has a time without a zone")
    return key.key_id, (_checked(key), digest)


def _checked(key: Key) -> Key:
    """Return the key. Raises InvalidGrant where it cannot be one."""
    unknown = [str(scope) for scope in key.scopes if scope not in SCOPES]
    if unknown or not key.scopes:
        found = f"found {', '.join(sorted(unknown))[:60]}" if unknown else "found none"
        raise InvalidGrant(f"a key has one or more of the scopes {', '.join(SCOPES)}; {found}")
    try:
        checked_tenant(key.tenant)
    except InvalidProfileChange as error:
        raise InvalidGrant(str(error)) from error
    rate: object = key.rate_per_minute
    if rate is not None and (
        isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate <= HIGHEST_RATE
    ):
        raise InvalidGrant(
            f"a key's rate is a whole number from 1 to {HIGHEST_RATE:,} a minute; found {rate!r:.40}"
        )
    name: object = key.name
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidGrant(
            f"a key's name is up to {LONGEST_NAME} printable characters; found {str(name)!r:.60}"
        )
    return key
