"""Uploads made to do harm, over a real socket: refused with a reason, while whoever searches is answered as ever."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from job_making import below
from live_service import Site, serve

from engine.service.access.caller import SCOPES
from engine.service.client import Client, NotFound, ServiceProblem
from indexer.document import Document
from indexer.index import Index

from .conftest import ENCODER

MEBIBYTE = 1 << 20
MEMBER = "word/document.xml"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index, a shelf that jobs may read, and things that nobody may."""
    folder = tmp_path_factory.mktemp("uploads")
    with Index.create(folder / "index", encoder=ENCODER) as index, index.writer() as writer:
        writer.add(Document("harbour", "The harbour has a lantern."))
    (folder / "shelf").mkdir()
    (folder / "private.txt").write_text("the combination of the safe", encoding="utf-8")
    (folder / "shelf" / "link.txt").symlink_to(folder / "private.txt")
    (folder / "shelf" / "out").symlink_to(folder)
    return folder


@pytest.fixture(scope="module")
def site(place: Path) -> Iterator[Site]:
    made = serve(
        place / "index",
        ENCODER,
        indexing="hashing_indexing",
        state=str(place / "state"),
        roots=(str(place / "shelf"),),
        parse_seconds=10,
        parse_mb=700,
        max_upload_mb=4,
        refresh_seconds=1,
        rate_per_minute=10_000_000,
        burst=1_000_000,
    )
    yield made
    made.stop()


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    with Client(site.url, site.service.keys.create(SCOPES)[1]) as made:
        yield made


def zipped(name: str, content: bytes) -> bytes:
    """Return an archive of one member."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def pdf_that_says(pages: int) -> bytes:
    """Return a PDF of one page that claims to have so many."""
    parts = [
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Count %d/Kids[3 0 R]>>endobj\n" % pages,
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\n",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for part in parts:
        offsets.append(len(body))
        body += part
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    return body + table + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def test_bombs(site: Site, client: Client, tmp_path: Path) -> None:
    """A gigabyte in a megabyte, ten million pages on one: refused, and nobody who searches waits for it."""
    blanks = b" " * (256 * MEBIBYTE)
    bombs = {
        "bomb.docx": zipped(MEMBER, blanks),
        "bomb.txt.gz": gzip.compress(blanks),
        "pages.pdf": pdf_that_says(10_000_000),
        "deep.html": b"<div>" * 100_000 + b"x",
        "entities.docx": zipped(MEMBER, b'<!DOCTYPE w [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><w>&b;</w>'),
        "fine.txt": b"A lantern that is fine.",
    }
    for name, content in bombs.items():
        (tmp_path / name).write_bytes(content)
        assert len(content) < 4 * MEBIBYTE
    job = client.add_files({f"bombs/{name}": tmp_path / name for name in bombs})
    searched = []
    done = client.wait(
        job.job_id, seconds=120, progress=lambda _: searched.append(client.search("lantern").timings_ms)
    )
    assert done.state == "done", done.message
    assert (done.progress.added, done.progress.refused) == (1, len(bombs) - 1)
    assert all(refusal.reason for refusal in done.refusals)
    assert searched
    assert client.document("bombs/fine.txt").text == "A lantern that is fine."


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(client: Client, tmp_path: Path) -> None:
    (tmp_path / "large.txt").write_bytes(b"x" * (5 * MEBIBYTE))
    with pytest.raises(ServiceProblem) as caught:
        client.add_files([tmp_path / "large.txt"])
    assert caught.value.status in (413, 0)


ELSEWHERE = Path(tempfile.gettempdir()) / "quire-was-here.txt"
NAMES = [
    f"../../../../../..{ELSEWHERE}",
    str(ELSEWHERE),
    "..\\..\\quire-was-here.txt",
    "C:\\quire-was-here.txt",
    "..",
    ".",
    "a\x00b.txt",
    "%2e%2e%2fquire-was-here.txt",
    "x" * 5000 + ".txt",
    "con.txt; filename=../quire-was-here.txt",
    "\u202etxt.exe",
    "keys.json",
]


def test_names_that_lead_elsewhere(client: Client, place: Path, tmp_path: Path) -> None:
    """A name is a document's id, and no file is ever made under it."""
    (tmp_path / "upload.txt").write_text("A ladder.", encoding="utf-8")
    before = everything(place)
    kept = (place / "state" / "keys.json").read_bytes()
    jobs, refused = [], []
    for name in NAMES:
        try:
            jobs.append(client.add_files({name: tmp_path / "upload.txt"}).job_id)
        except ServiceProblem as problem:
            refused.append(problem.status)
    assert set(refused) <= {422}
    assert {client.wait(job, seconds=60).state for job in jobs} <= {"done"}
    assert everything(place) == before
    assert not [path for path in below(place) if "quire-was-here" in path.name]
    assert not ELSEWHERE.exists()
    assert (place / "state" / "keys.json").read_bytes() == kept


def everything(place: Path) -> set[Path]:
    """Return what there is beside the index and the service's own folder."""
    return {path for path in below(place) if path.relative_to(place).parts[0] not in ("state", "index")}


PATHS = [
    "../private.txt",
    "link.txt",
    "out/private.txt",
    "out/state/keys.json",
    "shelf/../../private.txt",
    "/etc/passwd",
    "/proc/self/environ",
    "~/.ssh/id_rsa",
    "file:///etc/passwd",
    "\x00",
    "link.txt\x00.md",
]


def test_paths_that_lead_out_of_the_roots(client: Client) -> None:
    before = client.stats().index.documents
    jobs, refused = [], []
    for path in PATHS:
        try:
            jobs.append(client.add_paths([path]).job_id)
        except ServiceProblem as problem:
            refused.append(problem)
    assert {problem.status for problem in refused} <= {403, 404, 422}
    assert not [problem for problem in refused if "combination" in str(problem)]
    for job in jobs:
        done = client.wait(job, seconds=60)
        assert (done.progress.added, done.progress.refused) == (0, 1)
    assert client.stats().index.documents == before


def test_a_root_itself_brings_nothing_from_outside(client: Client, place: Path) -> None:
    (place / "shelf" / "own.txt").write_text("A spade of our own.", encoding="utf-8")
    client.wait(client.add_paths([str(place / "shelf")]).job_id, seconds=60)
    for doc_id in ("link.txt", "out/private.txt", "shelf/link.txt"):
        with pytest.raises(NotFound):
            client.document(doc_id)
    assert client.search("own spade").hits[0].doc_id.endswith("own.txt")
    assert client.search("+combination").found == 0
