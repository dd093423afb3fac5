"""Multipart bodies: what is taken in, whatever pieces it comes in, and what is not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from job_making import multipart, pieces

from engine.service.jobs.names import clean_name
from engine.service.jobs.uploads import MOST_FILES, Received, Upload, receive
from engine.service.problems import Problem


def taken(
    folder: Path, body: bytes, *, size: int = 65_536, most: int = 1 << 20, boundary: bytes = b"edge"
) -> Received:
    folder.mkdir()
    return asyncio.run(receive(pieces(body, size), Upload(folder, boundary, most)))


def refusal(folder: Path, body: bytes, **values: int) -> Problem:
    with pytest.raises(Problem) as raised:
        taken(folder, body, **values)
    return raised.value


names = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=20)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(names, st.binary(max_size=300)), min_size=1, max_size=5, unique_by=lambda file: file[0]
    ),
    st.integers(1, 200),
)
def test_files_arrive_whole_in_whatever_pieces(
    tmp_path_factory: pytest.TempPathFactory, files: list[tuple[str, bytes]], size: int
) -> None:
    folder = tmp_path_factory.mktemp("upload") / "job"
    folder.mkdir()
    upload = Upload(folder, b"edge", 1 << 20)
    body = multipart(*files)
    for at in range(0, len(body), size):
        upload.take(body[at : at + size])
    received = upload.finish()
    kept = {listed.name: (folder / listed.path).read_bytes() for listed in received.files}
    expected: dict[str, bytes] = {}
    for name, content in files:
        expected.setdefault(clean_name(name), content)
    assert kept == expected
    assert len(received.files) + len(received.refusals) == len(files)
    assert received.size == sum(len(content) for _, content in files)


def test_names_are_never_paths(tmp_path: Path) -> None:
    hostile = ["../../etc/passwd", "/etc/shadow", "C:\\\\boot.ini", "a/../../b.txt", "con", ".."]
    received = taken(tmp_path / "job", multipart(*((name, b"x") for name in hostile)))
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert written == [f"job/files/{number:06d}" for number in range(1, 7)]
    assert [listed.name for listed in received.files] == [
        "etc/passwd",
        "etc/shadow",
        "boot.ini",
        "a/b.txt",
        "con",
    ]
    assert [refused.source for refused in received.refusals] == [".."]


def test_a_name_of_ten_thousand_letters_is_refused_and_the_others_are_not(tmp_path: Path) -> None:
    received = taken(tmp_path / "job", multipart(("x" * 10_000, b"x"), ("a.txt", b"a")))
    assert [listed.name for listed in received.files] == ["a.txt"]
    assert "10,000 characters" in received.refusals[0].reason
    assert len(received.refusals[0].source) <= 300


def test_of_two_files_of_one_name_the_first_is_kept(tmp_path: Path) -> None:
    received = taken(tmp_path / "job", multipart(("a.txt", b"first"), ("./a.txt", b"second")))
    assert [(tmp_path / "job" / listed.path).read_bytes() for listed in received.files] == [b"first"]
    assert "before it" in received.refusals[0].reason


def test_a_field_names_the_file_after_it(tmp_path: Path) -> None:
    body = multipart(("scan.pdf", b"x"), ("b.txt", b"y"), fields=(("doc_id", "../report/7"),))
    received = taken(tmp_path / "job", body)
    assert [(listed.name, listed.kind) for listed in received.files] == [
        ("../report/7", "scan.pdf"),
        ("b.txt", "b.txt"),
    ]


def test_a_field_cannot_name_a_file_of_many_documents(tmp_path: Path) -> None:
    received = taken(tmp_path / "job", multipart(("many.jsonl.gz", b"x"), fields=(("doc_id", "one"),)))
    assert not received.files
    assert "many documents" in received.refusals[0].reason


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (multipart(), 422),
        (multipart(fields=(("doc_id", "a"),)), 422),
        (multipart(("a", b"x"), fields=(("doc_id", "a"), ("doc_id", "b"))), 422),
        (multipart(("a", b"x"), fields=(("title", "t"),)), 422),
        (multipart(("a", b"x"), fields=(("doc_id", "a\x00"),)), 422),
        (multipart(("a", b"x"), fields=(("doc_id", "x" * 5000),)), 422),
        (multipart(("a", b"x"))[:-8], 400),
        (b"", 400),
        (b"no form-data at all", 400),
        (b"--edge\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n--edge--\r\n", 400),
        (b"--edge\r\n" + b"X: " + b"y" * 20_000 + b"\r\n\r\nx\r\n--edge--\r\n", 400),
        (b"--edge\r\n" + b"X: y\r\n" * 1000 + b"\r\nx\r\n--edge--\r\n", 400),
    ],
)
def test_what_is_no_upload_is_refused(tmp_path: Path, body: bytes, status: int) -> None:
    assert refusal(tmp_path / "job", body).status == status


def test_a_body_over_the_limit_is_refused_while_it_arrives(tmp_path: Path) -> None:
    problem = refusal(tmp_path / "job", multipart(("a.txt", b"x" * 5000)), most=3000, size=500)
    assert problem.status == 413
    assert (tmp_path / "job" / "files" / "000001").stat().st_size < 3500


def test_an_upload_has_so_many_files_and_no_more(tmp_path: Path) -> None:
    body = multipart(*((f"{number}.txt", b"") for number in range(MOST_FILES + 1)))
    assert refusal(tmp_path / "job", body).status == 422


def test_a_boundary_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    with pytest.raises(Problem) as raised:
        Upload(tmp_path / "job", b"x" * 500, 1000)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (multipart(("a.txt", b"x"), ("b.txt", b"y")), True),
        (multipart(("a.txt", b"x"), ("b.txt", b"z")), False),
        (multipart(("a.txt", b"x"), ("c.txt", b"y")), False),
        (multipart(("a.txt", b"xb.txt"), ("y", b"")), False),
        (multipart(("b.txt", b"y"), ("a.txt", b"x")), False),
    ],
)
def test_the_digest_tells_uploads_apart(tmp_path: Path, other: bytes, same: bool) -> None:
    first = taken(tmp_path / "first", multipart(("a.txt", b"x"), ("b.txt", b"y")))
    assert (taken(tmp_path / "second", other, size=7).digest == first.digest) is same
