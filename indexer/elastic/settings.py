"""How to reach Elasticsearch, and how an index on it is laid out: the section [elasticsearch] of quire.toml."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from indexer.errors import InvalidSettings

Quantisation: TypeAlias = Literal["int8", "int4", "bbq", "none"]

SECRETS = frozenset({"api_key", "password"})
"""The settings that must never be shown."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ElasticSettings:
    """How to reach a cluster, and what a new index on it is like.

    Args:
        api_key: An API key: as the server gave it out (`encoded`), or as `id:key`.
        username: A user's name; needs `password`. An API key or a user, not both.
        password: The user's password.
        ca: The file, in PEM form, of the authority that signed the servers' certificates; without it and without
            `ca_fingerprint`, what this machine trusts.
        ca_fingerprint: SHA-256 of that authority's certificate, in hexadecimal, in place of the file: the server
            must send the certificate along, and be signed by it.
        cloud_id: The deployment on Elastic Cloud, in place of hosts in the address.
        timeout_seconds: How long a request may take in all, with its repetitions.
        connect_seconds: How long one host may take to accept a connection.
        retries: How often a request is repeated that failed for a reason that may pass.
        connections: How many requests may be under way at each host at once.
        sniff: Whether to ask the cluster for its other nodes. Off, since the addresses by which the nodes know each
            other are often not those by which they are reached from here.
        shards: Primary shards of a new index.
        replicas: Copies of each shard.
        quantisation: How the vectors that are searched are kept: `int8`, `int4`, `bbq` (one bit), or `none`.
        bulk_megabytes: The most that one bulk request may hold.

    Raises:
        InvalidSettings: a value is outside its range, or two do not go together. The message never holds a secret.
    """

    api_key: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    ca_fingerprint: str = ""
    cloud_id: str = ""
    timeout_seconds: float = 10.0
    connect_seconds: float = 3.0
    retries: int = 3
    connections: int = 16
    sniff: bool = False
    shards: int = 1
    replicas: int = 1
    quantisation: Quantisation = "int8"
    bulk_megabytes: float = 8.0

    def __post_init__(self) -> None:
        self._check_credentials()
        if self.ca and self.ca_fingerprint:
            raise InvalidSettings("ca and ca_fingerprint say the same in two ways: give one of them")
        if self.ca_fingerprint and not _FINGERPRINT.fullmatch(self.fingerprint):
            raise InvalidSettings(
                f"ca_fingerprint must be a SHA-256 in hexadecimal, 64 digits, found {self.ca_fingerprint!r}: "
                "`openssl x509 -fingerprint -sha256 -noout -in ca.pem` prints it"
            )
        if self.cloud_id and self.sniff:
            raise InvalidSettings(
                "sniff must be off with a cloud_id: its nodes are reached through one address"
            )
        for name, least, most in _RANGES:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                raise InvalidSettings(f"{name} must be from {least} to {most}, found {value!r}")
            if name not in _FRACTIONS and not isinstance(value, int):
                raise InvalidSettings(f"{name} must be a whole number, found {value!r}")
        if self.quantisation not in get_args(Quantisation):
            known = ", ".join(get_args(Quantisation))
            raise InvalidSettings(f"quantisation must be one of {known}, found {self.quantisation!r}")

    def _check_credentials(self) -> None:
        if self.api_key and (self.username or self.password):
            raise InvalidSettings("give an api_key, or a username and a password, not both")
        if bool(self.username) != bool(self.password):
            missing, given = ("password", "username") if self.username else ("username", "password")
            raise InvalidSettings(f"{given} needs {missing} as well")
        if self.api_key and not (
            self.api_key.isascii() and self.api_key.isprintable() and " " not in self.api_key
        ):
            raise InvalidSettings(
                "api_key must be printable ASCII without blanks: the key was damaged on its way"
            )
        if ":" in self.username:
            raise InvalidSettings("username must not hold a colon, which HTTP takes for the end of the name")

    @property
    def authorization(self) -> str:
        """The header that says who asks; empty where nobody does. A secret."""
        if self.api_key:
            key = self.api_key
            return "ApiKey " + (base64.b64encode(key.encode()).decode() if ":" in key else key)
        if self.username:
            return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return ""

    @property
    def who(self) -> str:
        """Who asks, for messages."""
        if self.api_key:
            return "the API key"
        return f"user {self.username!r}" if self.username else "a caller without credentials"

    @property
    def fingerprint(self) -> str:
        """`ca_fingerprint` as 64 lower-case digits."""
        return self.ca_fingerprint.replace(":", "").strip().lower()


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("timeout_seconds", 0.1, 3600),
    ("connect_seconds", 0.1, 3600),
    ("retries", 0, 20),
    ("connections", 1, 1000),
    ("shards", 1, 1024),
    ("replicas", 0, 20),
    ("bulk_megabytes", 0.1, 90),
)
_FRACTIONS = frozenset({"timeout_seconds", "connect_seconds", "bulk_megabytes"})
