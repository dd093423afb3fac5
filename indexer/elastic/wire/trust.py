"""Whose certificates are trusted: a file's authority alone, or the one with a pinned fingerprint.

The official client is stricter in neither way: to a file it adds the authorities that the machine and the package
certifi trust, and for a fingerprint it looks for a certificate in the chain without checking that the chain's
signatures hold, so that a copy of the public certificate would do. Here the pinned certificate is taken from the
server, and then every connection must be signed by it.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.reply import Lost
from indexer.elastic.wire.retrying import reason_of
from indexer.errors import InvalidSettings


@dataclass(frozen=True, slots=True)
class Trust:
    """What connections are checked against.

    Args:
        context: Trusts the chosen certificate and nothing else.
        names: Whether the certificate must also name the host; not where the server's own certificate is pinned.
    """

    context: ssl.SSLContext
    names: bool


def trust_of(settings: ElasticSettings, hosts: Sequence[tuple[str, int]]) -> Trust | None:
    """Return what the settings say to trust, or None for what this machine trusts.

    Args:
        settings: `ca` or `ca_fingerprint`.
        hosts: Asked in turn for the certificate with the fingerprint.

    Raises:
        InvalidSettings: the file cannot be read.
        Lost: no host can be reached, or the one reached shows no certificate with the fingerprint.
    """
    if settings.ca:
        context = _strict()
        try:
            context.load_verify_locations(cafile=settings.ca)
        except OSError as error:
            raise InvalidSettings(f"ca: {settings.ca} holds no certificates in PEM form: {error}") from error
        return Trust(context, names=True)
    return _pinned(settings, hosts) if settings.ca_fingerprint else None


def _pinned(settings: ElasticSettings, hosts: Sequence[tuple[str, int]]) -> Trust:
    failure = Lost("no host to ask", sent=False)
    for host, port in hosts:
        try:
            chain = _chain(host, port, settings.connect_seconds)
        except OSError as error:
            failure = Lost(reason_of(error), sent=False)
            failure.__cause__ = error
            continue
        prints = [hashlib.sha256(certificate).hexdigest() for certificate in chain]
        if settings.fingerprint not in prints:
            raise Lost(
                f"none of the certificates that {host}:{port} sends has the ca_fingerprint {settings.fingerprint}, "
                f"found {', '.join(prints)}; a server that leaves out its authority's certificate needs ca, its file",
                sent=False,
                again=False,
            )
        place = prints.index(settings.fingerprint)
        context = _strict()
        context.load_verify_locations(cadata=chain[place])
        context.check_hostname = place > 0
        return Trust(context, names=place > 0)
    raise failure


def _strict() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate that is trusted need not be a root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _chain(host: str, port: int, seconds: float) -> list[bytes]:
    """Return the certificates that a server shows, its own first, in DER form; nothing is checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        own = secure.getpeercert(binary_form=True)
        # A method of the socket since Python 3.13; before, of the object inside it.
        asked = getattr(secure, "get_unverified_chain", None) or getattr(
            getattr(secure, "_sslobj", None), "get_unverified_chain", None
        )
        shown = asked() if asked else None
    if not shown:
        return [own] if own else []
    return [one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in shown]
