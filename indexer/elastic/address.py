"""Where an index on Elasticsearch is.

    elasticsearch://localhost:9200/books             plain HTTP
    elasticsearch+https://h1:9200,h2:9200/books      TLS; several hosts of one cluster, each asked when another fails
    elasticsearch:///books                           the host comes from the setting cloud_id

The last part is the name of the index. An address never holds a password: it is printed, logged and kept in
shell histories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from indexer.errors import InvalidSettings

DEFAULT_PORT = 9200
EXAMPLE = "elasticsearch://localhost:9200/books"
_PLAIN = "elasticsearch"
_SECURE = "elasticsearch+https"
_ADDRESS = re.compile(r"elasticsearch(\+[a-z]+)?:/", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class ElasticAddress:
    """The hosts of a cluster and the name of an index on it.

    Args:
        hosts: Each with its port; IPv6 addresses without brackets. Empty: the setting `cloud_id` names the host.
        name: Of the index: 1 to 80 characters of a-z, 0-9, - and _, beginning with a letter or digit.
        secure: Whether to use TLS.

    Raises:
        InvalidSettings: the name cannot be one, or a host is there twice.
    """

    hosts: tuple[tuple[str, int], ...]
    name: str
    secure: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidSettings(
                f"an index on Elasticsearch cannot be called {self.name!r}: expected 1 to 80 characters of a-z, "
                "0-9, - and _, beginning with a letter or digit"
            )
        if len(set(self.hosts)) != len(self.hosts):
            raise InvalidSettings(f"a host is named twice in {self}")

    def __str__(self) -> str:
        hosts = ",".join(f"{_bracketed(host)}:{port}" for host, port in self.hosts)
        return f"{_SECURE if self.secure else _PLAIN}://{hosts}/{self.name}"

    @property
    def cluster(self) -> str:
        """The address without the index: what is named when the cluster does not answer."""
        return str(self).removesuffix(f"/{self.name}") if self.hosts else "Elastic Cloud"


def is_address(text: object) -> bool:
    """Whether this is meant as an address, and not as the path of a folder."""
    return _ADDRESS.match(str(text)) is not None


def parse_address(text: str) -> ElasticAddress:
    """Return the address that a text stands for.

    Raises:
        InvalidSettings: it is not one; the message says what is wrong with it, and never repeats a password.
    """
    scheme, mark, rest = str(text).partition("://")
    if not mark:
        if is_address(text):
            raise InvalidSettings(
                f"{text} is an address that lost a slash, as in a Path: write it as a string, such as {EXAMPLE}"
            )
        raise InvalidSettings(f"{text!r} is no address of an index on Elasticsearch, such as {EXAMPLE}")
    if "@" in rest:
        raise InvalidSettings(
            "an address must not hold a user or a password, since it is printed and logged: give them as username "
            "and password, or api_key, of [elasticsearch] in quire.toml, or as QUIRE_ELASTICSEARCH_USERNAME and "
            "QUIRE_ELASTICSEARCH_PASSWORD, or QUIRE_ELASTICSEARCH_API_KEY"
        )
    if scheme.lower() not in (_PLAIN, _SECURE):
        raise InvalidSettings(f"{scheme}:// is unknown: expected {_PLAIN}:// or, for TLS, {_SECURE}://")
    if "?" in rest or "#" in rest:
        raise InvalidSettings(
            f"an address takes neither ? nor #, found {text}: settings belong to [elasticsearch]"
        )
    hosts, slash, name = rest.partition("/")
    if not slash or not name or "/" in name:
        raise InvalidSettings(f"{text} must end in / and the name of the index, and no more, as in {EXAMPLE}")
    found = tuple(_host(part) for part in hosts.split(",")) if hosts else ()
    return ElasticAddress(found, name, scheme.lower() == _SECURE)


def as_address(address: ElasticAddress | str) -> ElasticAddress:
    """Return the address itself, or the one that a text stands for."""
    return address if isinstance(address, ElasticAddress) else parse_address(address)


def _host(text: str) -> tuple[str, int]:
    host, port = text.strip(), str(DEFAULT_PORT)
    if not host.endswith("]") and ":" in host:
        host, _, port = host.rpartition(":")
    if not _HOST.fullmatch(host) or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise InvalidSettings(f"{text!r} is no host with a port, such as localhost:9200 or [::1]:9200")
    return host.strip("[]").lower(), int(port)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
