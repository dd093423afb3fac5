"""Files made to do harm, read by the real readers: each is refused with a reason, quickly, and the service goes on."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from job_making import CALLER, ended, given, texts, upload

from engine.service.jobs import Jobs

MEBIBYTE = 1 << 20
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def zipped(members: dict[str, bytes], stored: tuple[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        if stored is not None:
            archive.writestr(zipfile.ZipInfo(stored[0]), stored[1])
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def entity_bomb() -> bytes:
    entities = ['<!ENTITY a0 "lantern lantern lantern">']
    entities += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    return f'<?xml version="1.0"?><!DOCTYPE w [{"".join(entities)}]><w>&a11;</w>'.encode()


def pdf_of_many_pages(count: int) -> bytes:
    parts = [
        b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        f"2 0 obj<</Type/Pages/Count {count}/Kids[3 0 R]>>endobj\n".encode(),
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\n",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for part in parts:
        offsets.append(len(body))
        body += part
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    return body + table + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def book(chapter: bytes) -> bytes:
    container = b'<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>'
    package = (
        b'<package><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        b'<spine><itemref idref="c"/></spine></package>'
    )
    members = {"META-INF/container.xml": container, "a.opf": package, "c.xhtml": chapter}
    return zipped(members, stored=("mimetype", b"application/epub+zip"))


HUGE = b" " * (100 * MEBIBYTE)


def test_files_that_do_harm_are_refused_with_reasons(make_jobs: Callable[..., Jobs], place: Path) -> None:
    jobs = make_jobs(parse_seconds=30, parse_mb=700)
    files = {
        "bomb.docx": zipped({"word/document.xml": HUGE}),
        "bomb.epub": book(HUGE),
        "bomb.zip": zipped({"a": HUGE}),
        "bomb.txt.gz": gzip.compress(HUGE),
        "bomb.jsonl.gz": gzip.compress(HUGE),
        "entities.docx": zipped({"word/document.xml": entity_bomb()}),
        "deep.html": b"<div>" * 100_000 + b"lantern",
        "deep.jsonl": b"[" * 200_000,
        "deep.docx": zipped(
            {
                "word/document.xml": f'<w:document xmlns:w="{WORD}">'.encode()
                + b"<w:p>" * 200_000
                + b"</w:p>" * 200_000
            }
        ),
        "ten-million.pdf": pdf_of_many_pages(10_000_000),
        "cut.pdf": b"%PDF-1.7\n",
        "climbing.epub": zipped({"../../../escaped": b"x", "META-INF/container.xml": entity_bomb()}),
        "number.jsonl": json.dumps({"id": "n", "text": "lantern", "year": 10**30}).encode(),
        "good.txt": b"the lantern in the meadow",
    }
    job = ended(jobs, upload(jobs, *files.items()))
    refused = {refusal.source.partition(":")[0]: refusal.reason for refusal in job.refusals}
    assert job.state == "done", job
    assert job.progress.files_read == len(files)
    assert "good.txt" in texts(place)
    taken = set(files) - set(refused)
    assert taken <= {"good.txt", "number.jsonl", "ten-million.pdf"}, taken
    assert "bomb" in refused["bomb.docx"] + refused["bomb.epub"]
    assert "entities" in refused["entities.docx"]
    assert "nested" in refused["deep.html"]
    assert all(refused.values())
    assert ended(jobs, jobs.add_documents(CALLER, [given("after")])).state == "done"


def test_a_file_that_takes_its_reader_too_long_is_given_up(
    make_jobs: Callable[..., Jobs], place: Path
) -> None:
    """The reader of reStructuredText takes time that grows with the square of some texts."""
    jobs = make_jobs(parse_seconds=1)
    slow = b"\n".join(b"*" * n + b"lantern" for n in range(1, 2000))
    job = ended(jobs, upload(jobs, ("slow.rst", slow), ("good.txt", b"the lantern")))
    assert job.state == "done"
    assert "good.txt" in texts(place)
    assert [refusal.source for refusal in job.refusals] == ["slow.rst"]
    assert "processor time" in job.refusals[0].reason


def test_a_text_that_needs_more_memory_than_it_may_have_is_refused(
    make_jobs: Callable[..., Jobs], place: Path
) -> None:
    jobs = make_jobs(parse_mb=64)
    job = ended(
        jobs, upload(jobs, ("large.txt", b"lantern\n\n" * (8 * MEBIBYTE)), ("good.txt", b"the lantern"))
    )
    assert job.state == "done"
    assert "good.txt" in texts(place)
    assert "memory" in job.refusals[0].reason
