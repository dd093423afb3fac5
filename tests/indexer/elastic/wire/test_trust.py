"""Whose certificates are trusted, on real TLS connections with authorities made for the test."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from told_server import RESET, Answer, ToldServer

from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from indexer.errors import IndexUnavailable

FINE = Answer(body={"fine": True})


def _fingerprint(pem: bytes) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).hexdigest()


@pytest.fixture(scope="module")
def authority() -> Any:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@pytest.fixture(scope="module")
def other() -> Any:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


def _context(issued: Any, *also: Any) -> ssl.SSLContext:
    """What a server shows: its certificate, and further ones behind it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain = b"".join(
        [*(pem.bytes() for pem in issued.cert_chain_pems), *(one.cert_pem.bytes() for one in also)]
    )
    with issued.private_key_pem.tempfile() as key, trustme.Blob(chain).tempfile() as shown:
        context.load_cert_chain(shown, key)
    return context


@pytest.fixture
def server(authority: Any) -> Iterator[ToldServer]:
    with ToldServer(
        FINE, context=_context(authority.issue_cert("127.0.0.1", "localhost"), authority)
    ) as server:
        yield server


def _ask(server: ToldServer, host: str = "127.0.0.1", **values: Any) -> Any:
    address = f"elasticsearch+https://{host}:{server.port}/books"
    with Cluster(address, ElasticSettings(retries=0, **values)) as cluster:
        return cluster.request("GET", "/")


def _file(authority: Any, folder: Path) -> str:
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_the_file_of_the_authority_is_trusted(server: ToldServer, authority: Any, tmp_path: Path) -> None:
    assert _ask(server, ca=_file(authority, tmp_path)) == {"fine": True}
    assert _ask(server, "localhost", ca=_file(authority, tmp_path)) == {"fine": True}


def test_another_authority_is_not(server: ToldServer, other: Any, tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="certificate is not trusted"):
        _ask(server, ca=_file(other, tmp_path))
    assert server.asked == []


def test_without_settings_the_machine_decides(server: ToldServer) -> None:
    with pytest.raises(IndexUnavailable, match="certificate is not trusted"):
        _ask(server)


def test_public_authorities_are_not_trusted_beside_the_chosen_one(
    server: ToldServer, authority: Any, other: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As though the server's authority were one of those that everybody trusts.
    monkeypatch.setattr("elastic_transport._node._http_urllib3.DEFAULT_CA_CERTS", _file(authority, tmp_path))
    assert _ask(server) == {"fine": True}
    (tmp_path / "other").mkdir()
    with pytest.raises(IndexUnavailable, match="certificate is not trusted"):
        _ask(server, ca=_file(other, tmp_path / "other"))


def test_a_certificate_for_another_host_is_refused(authority: Any, tmp_path: Path) -> None:
    with ToldServer(FINE, context=_context(authority.issue_cert("elsewhere.example"), authority)) as server:
        pinned = _fingerprint(authority.cert_pem.bytes())
        for values in ({"ca": _file(authority, tmp_path)}, {"ca_fingerprint": pinned}):
            with pytest.raises(IndexUnavailable, match="certificate is not trusted"):
                _ask(server, **values)


def test_a_pinned_authority_is_trusted(server: ToldServer, authority: Any) -> None:
    assert _ask(server, ca_fingerprint=_fingerprint(authority.cert_pem.bytes())) == {"fine": True}


def test_a_servers_own_certificate_can_be_pinned_whatever_host_it_names(authority: Any) -> None:
    issued = authority.issue_cert("elsewhere.example")
    with ToldServer(FINE, context=_context(issued)) as server:
        pinned = _fingerprint(issued.cert_chain_pems[0].bytes())
        assert _ask(server, ca_fingerprint=pinned.upper()) == {"fine": True}


def test_an_authority_in_between_can_be_pinned(authority: Any) -> None:
    between = authority.create_child_ca(key_type=trustme.KeyType.ECDSA)
    with ToldServer(FINE, context=_context(between.issue_cert("127.0.0.1"))) as server:
        assert _ask(server, ca_fingerprint=_fingerprint(between.cert_pem.bytes())) == {"fine": True}


def test_a_chain_without_the_pinned_certificate_is_refused_and_says_what_it_saw(
    server: ToldServer, authority: Any, other: Any
) -> None:
    wanted = _fingerprint(other.cert_pem.bytes())
    with pytest.raises(IndexUnavailable, match=f"has the ca_fingerprint {wanted}") as told:
        _ask(server, ca_fingerprint=wanted)
    assert _fingerprint(authority.cert_pem.bytes()) in str(told.value)
    assert server.asked == []


def _forged(authority: Any, folder: Path) -> ssl.SSLContext:
    """What an impostor shows: a certificate that names the authority, which did not sign it, and the authority's."""
    real = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    key, anybody = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(real.subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(real.not_valid_before_utc)
        .not_valid_after(real.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .sign(anybody, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "shown").write_bytes(forged.public_bytes(pem) + authority.cert_pem.bytes())
    (folder / "key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "shown", folder / "key")
    return context


def test_showing_the_pinned_certificate_without_being_signed_by_it_is_not_enough(
    authority: Any, tmp_path: Path
) -> None:
    # The official client (9.5.1) takes this impostor for the server and sends it the password.
    pinned = _fingerprint(authority.cert_pem.bytes())
    with ToldServer(FINE, context=_forged(authority, tmp_path)) as server:
        with pytest.raises(
            IndexUnavailable, match="certificate is not trusted: certificate signature failure"
        ):
            _ask(server, ca_fingerprint=pinned, username="reader", password="hunter2")
        assert server.asked == []


def test_the_fingerprint_is_looked_for_at_a_host_that_answers(server: ToldServer, authority: Any) -> None:
    address = f"elasticsearch+https://127.0.0.1:1,127.0.0.1:{server.port}/books"
    pinned = _fingerprint(authority.cert_pem.bytes())
    with Cluster(address, ElasticSettings(ca_fingerprint=pinned)) as cluster:
        assert cluster.request("GET", "/") == {"fine": True}
    with pytest.raises(IndexUnavailable, match="connection refused"):
        Cluster(
            "elasticsearch+https://127.0.0.1:1/b", ElasticSettings(ca_fingerprint=pinned, retries=0)
        ).request("GET", "/")


def test_a_certificate_that_is_not_trusted_is_not_asked_again(
    server: ToldServer, other: Any, tmp_path: Path
) -> None:
    waits: list[float] = []
    address = f"elasticsearch+https://127.0.0.1:{server.port}/b"
    with Cluster(address, ElasticSettings(ca=_file(other, tmp_path)), sleep=waits.append) as cluster:
        with pytest.raises(IndexUnavailable, match="not trusted"):
            cluster.request("GET", "/")
    assert waits == []


def test_a_connection_that_is_cut_within_tls_is_made_again(
    server: ToldServer, authority: Any, tmp_path: Path
) -> None:
    server.tell(RESET, FINE)
    address = f"elasticsearch+https://127.0.0.1:{server.port}/b"
    with Cluster(address, ElasticSettings(ca=_file(authority, tmp_path)), sleep=lambda _: None) as cluster:
        assert cluster.request("GET", "/") == {"fine": True}
    assert len(server.asked) == 2


def test_plain_and_secure_ports_mixed_up_are_told() -> None:
    with ToldServer(FINE) as plain, pytest.raises(IndexUnavailable, match="its http or https"):
        _ask(plain)
