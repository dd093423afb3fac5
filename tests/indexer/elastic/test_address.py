"""Addresses of indexes on Elasticsearch: what is one, what is not, and what is said of the latter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.elastic.address import ElasticAddress, as_address, is_address, parse_address
from indexer.errors import InvalidSettings


@pytest.mark.parametrize(
    ("text", "hosts", "name", "secure"),
    [
        ("elasticsearch://localhost:9200/books", (("localhost", 9200),), "books", False),
        ("elasticsearch://localhost/books", (("localhost", 9200),), "books", False),
        ("elasticsearch+https://h1:9201,h2/b-1_x", (("h1", 9201), ("h2", 9200)), "b-1_x", True),
        ("elasticsearch://[::1]:9300/books", (("::1", 9300),), "books", False),
        ("elasticsearch://[fe80::2]/books", (("fe80::2", 9200),), "books", False),
        ("elasticsearch:///books", (), "books", False),
        ("Elasticsearch+HTTPS://Example.ORG:443/books", (("example.org", 443),), "books", True),
    ],
)
def test_an_address_is_read(text: str, hosts: tuple[tuple[str, int], ...], name: str, secure: bool) -> None:
    address = parse_address(text)
    assert (address.hosts, address.name, address.secure) == (hosts, name, secure)
    assert parse_address(str(address)) == address
    assert is_address(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("elasticsearch://localhost:9200", "name of the index"),
        ("elasticsearch://localhost:9200/", "name of the index"),
        ("elasticsearch://localhost:9200/a/b", "no more"),
        ("elasticsearch://localhost:9200/Books", "a-z"),
        ("elasticsearch://localhost:9200/_books", "beginning with"),
        ("elasticsearch://localhost:9200/-books", "beginning with"),
        ("elasticsearch://localhost:9200/" + "a" * 81, "1 to 80"),
        ("elasticsearch://localhost:9200/bücher", "a-z"),
        ("elasticsearch://localhost:0/books", "no host with a port"),
        ("elasticsearch://localhost:65536/books", "no host with a port"),
        ("elasticsearch://localhost:x/books", "no host with a port"),
        ("elasticsearch://a,,b/books", "no host with a port"),
        ("elasticsearch://::1/books", "no host with a port"),
        ("elasticsearch://a b/books", "no host with a port"),
        ("elasticsearch://a,a/books", "twice"),
        ("elasticsearch://a/books?x=1", r"neither \? nor #"),
        ("elasticsearch+ssl://a/books", r"elasticsearch\+https://"),
        ("http://a:9200/books", "unknown"),
        ("elasticsearch:/localhost:9200/books", "lost a slash"),
        ("books", "no address"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(text: str, says: str) -> None:
    with pytest.raises(InvalidSettings, match=says):
        parse_address(text)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidSettings, match="QUIRE_ELASTICSEARCH_PASSWORD") as caught:
        parse_address("elasticsearch://reader:hunter2@localhost:9200/books")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["books", "./elasticsearch", "/srv/elasticsearch/x", "elasticsearch", "C:\\x"]
)
def test_a_folder_is_no_address(path: str) -> None:
    assert not is_address(path)
    assert not is_address(Path(path))


def test_an_address_that_became_a_path_is_still_known_as_one() -> None:
    path = Path("elasticsearch://localhost:9200/books")
    assert is_address(path)
    with pytest.raises(InvalidSettings, match="lost a slash"):
        parse_address(str(path))


def test_the_cluster_is_named_without_the_index() -> None:
    assert (
        parse_address("elasticsearch+https://h1,h2/books").cluster == "elasticsearch+https://h1:9200,h2:9200"
    )
    assert parse_address("elasticsearch:///books").cluster == "Elastic Cloud"


_NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,79}", fullmatch=True)
_HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True) | st.sampled_from(
    ["::1", "fe80::1"]
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(_HOSTS, st.integers(1, 65_535)), unique=True, max_size=4), _NAMES, st.booleans())
def test_what_is_printed_is_read_as_the_same(hosts: list[tuple[str, int]], name: str, secure: bool) -> None:
    address = ElasticAddress(tuple(hosts), name, secure)
    assert parse_address(str(address)) == as_address(address) == address


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(rest: str) -> None:
    text = f"elasticsearch://{rest}"
    try:
        address = parse_address(text)
    except InvalidSettings:
        return
    assert parse_address(str(address)) == address
