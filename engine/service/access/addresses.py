"""Where a request comes from: the client's address and scheme, by the word of proxies that are trusted."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

from engine.errors import InvalidSearchSettings

Address: TypeAlias = IPv4Address | IPv6Address
UNKNOWN = "unknown"
_MOST_HOPS = 20


class Proxies:
    """The proxies whose word is believed.

    Args:
        trusted: Their addresses, or networks such as 10.0.0.0/8.

    Raises:
        InvalidSearchSettings: one is neither.
    """

    def __init__(self, trusted: Iterable[str]) -> None:
        try:
            self._networks = tuple(ip_network(one.strip()) for one in trusted)
        except ValueError as error:
            raise InvalidSearchSettings(
                f"trusted_proxies are addresses or networks, such as 127.0.0.1 or 10.0.0.0/8: {error}"
            ) from error

    def client(self, scope: Scope) -> str:
        """Return whom a request comes from, as its rate is counted: an IPv4 address, or an IPv6 network of /64.

        X-Forwarded-For is read from its end, where each proxy wrote whom it had the request from: as far as those are
        trusted, and one further. What stands before that anybody may have made up. An IPv6 /64 is one subscriber's.
        """
        found = _address(scope["client"][0]) if scope.get("client") else None
        if found is None:
            return UNKNOWN
        if self._trusts(found):
            lines = Headers(scope=scope).getlist("x-forwarded-for")
            hops = [hop for line in lines for hop in line.split(",")]
            for hop in reversed(hops[-_MOST_HOPS:]):
                further = _address(hop)
                if further is None:
                    break
                found = further
                if not self._trusts(found):
                    break
        return str(IPv6Network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)

    def is_https(self, scope: Scope) -> bool:
        """Return whether the browser speaks TLS: with this process, or with a trusted proxy that says so."""
        if scope.get("scheme") == "https":
            return True
        peer = _address(scope["client"][0]) if scope.get("client") else None
        if peer is None or not self._trusts(peer):
            return False
        said = ",".join(Headers(scope=scope).getlist("x-forwarded-proto"))
        return said.rpartition(",")[2].strip().lower() == "https"

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def _address(text: str) -> Address | None:
    """Return the address that a text is, perhaps with a port; an IPv4 address within IPv6 as what it is."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
