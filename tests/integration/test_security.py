"""The roles of docs/elasticsearch-security.md do for what they are said to do for, and for nothing more, over TLS.

A server of our own: with the roles as they stand in the document, users of the file realm, and an authority made here.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from elasticsearch_server import Cluster as Server
from elasticsearch_server import NoServer

from engine import SearchEngine
from engine.errors import SearchError
from engine.event import Event
from engine.personal.elastic.store import ElasticReaderStore
from engine.personal.history import Forgotten
from indexer.elastic.errors import ElasticForbidden
from indexer.elastic.index import ElasticIndex
from indexer.elastic.rebuilding.generations import Generations
from indexer.elastic.rebuilding.rebuild import rebuild
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from indexer.encoder.hashing import HashingEncoder
from indexer.errors import IndexNotFound, IndexUnavailable
from indexer.splitter import SplitterSettings
from small_corpus import make_document

pytestmark = pytest.mark.elasticsearch(own=True)

ENCODER = HashingEncoder(32)
PASSAGES = SplitterSettings(tokens=24, overlap=0)
PASSWORD = "correct-horse"
USERS = {
    "searcher": "quire_search",
    "indexer": "quire_index",
    "manager": "quire_manage",
    "person": "quire_search,quire_readers",
}


@dataclass
class Secured:
    """The server, and how each user reaches the index `books` on it."""

    address: str
    ca: str

    def settings(self, user: str, **values: Any) -> ElasticSettings:
        values.setdefault("ca", self.ca)
        return ElasticSettings(username=user, password=PASSWORD, replicas=0, **values)

    def cluster(self, user: str) -> Cluster:
        return Cluster.open(self.address, self.settings(user))

    def index(self, user: str) -> ElasticIndex:
        return ElasticIndex.open(self.address, settings=self.settings(user), encoder=ENCODER)

    def engine(self, user: str) -> SearchEngine:
        return SearchEngine.open(self.address, encoder=ENCODER, elastic=self.settings(user))


def _roles(root: Path) -> str:
    found = re.findall(r"```yaml\n(.*?)```", (root / "docs/elasticsearch-security.md").read_text(), re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.fixture(scope="module")
def secured(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("security")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    # As Elasticsearch's own certificates are: the authority's is sent along.
    for part in (*issued.cert_chain_pems, authority.cert_pem):
        part.write_to_path(str(folder / "cert.pem"), append=True)
    (folder / "roles.yml").write_text(_roles(root))
    users = [word for name, roles in USERS.items() for word in ("--user", f"{name}:{PASSWORD}:{roles}")]
    tls = ["--tls", *(str(folder / name) for name in ("cert.pem", "key.pem", "ca.pem"))]
    words = ("--password", PASSWORD, "--roles", str(folder / "roles.yml"), *users, *tls)
    try:
        server = Server(1, words=words)
    except NoServer as missing:
        pytest.skip(str(missing))
    place = server.url.removeprefix("https://")
    yield Secured(f"elasticsearch+https://{place}/books", str(folder / "ca.pem"))
    server.stop()


@pytest.fixture(scope="module")
def books(secured: Secured) -> Secured:
    """An index that the manager made and the indexer filled."""
    ElasticIndex.create(
        secured.address, settings=secured.settings("manager"), encoder=ENCODER, passages=PASSAGES
    ).close()
    _put(secured, "indexer", 0, 20)
    return secured


def _put(secured: Secured, user: str, first: int, last: int) -> None:
    with secured.index(user) as index, index.writer() as writer:
        for number in range(first, last):
            writer.put(make_document(number))


def _events(reader: str) -> list[Event]:
    return [Event(reader, make_document(number).doc_id, "like", datetime.now(UTC)) for number in range(3)]


def _readers(secured: Secured, user: str, what: Callable[[ElasticReaderStore], Any]) -> Any:
    with secured.cluster(user) as cluster, ElasticReaderStore.open(cluster, "books") as store:
        return what(store)


def test_the_searcher_searches(books: Secured) -> None:
    with books.engine("searcher") as engine:
        words = make_document(3).text.split()[:4]
        assert engine.search(" ".join(words)).hits


def test_the_searcher_changes_nothing(books: Secured) -> None:
    with pytest.raises(ElasticForbidden, match=r"user \[searcher\].*docs/elasticsearch-security.md"):
        _put(books, "searcher", 90, 91)
    with books.index("searcher") as index:
        with pytest.raises(ElasticForbidden):
            index.compact()
        with pytest.raises(ElasticForbidden):
            index.cluster.request("DELETE", "/books-documents-000001")
        assert index.reader().document_count == 20


def test_the_searcher_sees_nothing_of_what_readers_did(books: Secured) -> None:
    _readers(books, "person", lambda store: store.add(_events("ann")))
    for user in ("searcher", "indexer", "manager"):
        with pytest.raises(SearchError, match=rf"user \[{user}\]"):
            _readers(books, user, lambda store: store.history("ann"))


def test_the_indexer_looks_after_the_index_and_a_reader_is_forgotten(
    books: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    """Two things at once, since the server lets go of what was deleted every half a minute."""
    _put(books, "indexer", 15, 25)
    with books.index("indexer") as index, index.writer() as writer:
        for number in range(20, 25):
            writer.delete(make_document(number).doc_id)
    _readers(books, "person", lambda store: store.add(_events("ben")))
    assert len(_readers(books, "person", lambda store: store.history("ben")).doc_ids) == 3

    def forget() -> Forgotten:
        gone: Forgotten = _readers(books, "person", lambda store: store.forget("ben"))
        return gone

    with ThreadPoolExecutor(1) as beside, books.index("indexer") as index:
        forgotten = beside.submit(forget)
        index.compact()
        assert index.stats().documents == 20
        assert index.verify().problems == ()
        assert forgotten.result().events == 3
    assert len(_readers(books, "person", lambda store: store.history("ben")).doc_ids) == 0
    # Nothing was refused on the way, not even where that would only be noted.
    assert [record.getMessage() for record in caplog.records if record.name.startswith("indexer")] == []


def test_the_indexer_makes_and_drops_no_index(books: Secured) -> None:
    with books.cluster("indexer") as cluster:
        with pytest.raises(ElasticForbidden, match=r"action \[indices:admin/create\]"):
            rebuild(cluster, "books", patience_seconds=1)
        with pytest.raises(ElasticForbidden, match=r"action \[indices:admin/delete\]"):
            cluster.request("DELETE", "/books-documents-000001")
    other = books.address.replace("/books", "/other")
    with pytest.raises(ElasticForbidden, match=r"user \[indexer\]"):
        ElasticIndex.create(other, settings=books.settings("indexer"), encoder=ENCODER)


def test_the_manager_rebuilds_rolls_back_and_drops(books: Secured) -> None:
    with books.cluster("manager") as cluster:
        assert rebuild(cluster, "books", patience_seconds=30).phase == "done"
        generations = Generations(cluster, "books")
        generations.roll_back()
        assert generations.current().number == 1
        generations.drop(2)
        assert [each.number for each in generations.all()] == [1]


def test_another_index_cannot_be_seen(books: Secured) -> None:
    films = replace(books, address=books.address.replace("/books", "/films"))
    settings = films.settings("elastic")
    ElasticIndex.create(films.address, settings=settings, encoder=ENCODER, passages=PASSAGES).close()
    for user in ("searcher", "manager"):
        with pytest.raises(IndexNotFound):
            films.index(user)
        with pytest.raises(SearchError):
            films.engine(user)
        with films.cluster(user) as cluster, pytest.raises(ElasticForbidden, match=rf"user \[{user}\]"):
            cluster.request("POST", "/films-documents/_search", body={})


@pytest.mark.parametrize(
    "values",
    [
        {"username": "searcher", "password": "hunter2"},
        {"username": "nobody", "password": "hunter2"},
        {"api_key": "id:hunter2"},
        {},
    ],
)
def test_who_cannot_say_who_they_are_is_refused(books: Secured, values: dict[str, str]) -> None:
    with pytest.raises(ElasticForbidden, match="did not accept") as told:
        Cluster.open(books.address, ElasticSettings(ca=books.ca, **values))  # type: ignore[arg-type]
    assert told.value.status == 401
    assert "hunter2" not in str(told.value)


def test_the_version_is_told_to_whom_may_know_it(books: Secured) -> None:
    with books.cluster("elastic") as cluster:
        assert cluster.version.startswith("9.")
    with books.cluster("searcher") as cluster:
        assert cluster.version == ""


def test_the_authority_is_pinned_by_its_fingerprint(books: Secured) -> None:
    pinned = hashlib.sha256(ssl.PEM_cert_to_DER_cert(Path(books.ca).read_text())).hexdigest()
    settings = books.settings("searcher", ca="", ca_fingerprint=pinned)
    with ElasticIndex.open(books.address, settings=settings, encoder=ENCODER) as index:
        assert index.reader().document_count == 20
    for values in ({"ca": "", "ca_fingerprint": "0" * 64}, {"ca": ""}):
        with pytest.raises(IndexUnavailable, match=r"has the ca_fingerprint|certificate is not trusted"):
            Cluster.open(books.address, books.settings("searcher", **values))
