"""Jobs from beginning to end, with real processes, over a real index."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from job_making import CALLER, below, ended, given, texts, until, upload

from engine.service.access.caller import Caller
from engine.service.jobs import Jobs
from engine.service.jobs.folders import DOCUMENTS
from engine.service.jobs.listing import listed_under
from engine.service.jobs.roots import Roots
from engine.service.problems import Problem
from indexer.encoder import HashingEncoder
from indexer.index import Index
from indexer.readers import ReadOptions


def test_documents_are_added_replaced_and_deleted(jobs: Jobs, place: Path) -> None:
    first = ended(jobs, jobs.add_documents(CALLER, [given("four"), given("one", "copper and granite")]))
    assert (first.state, first.progress.added, first.progress.updated) == ("done", 1, 1)
    again = ended(jobs, jobs.add_documents(CALLER, [given("four")]))
    assert again.progress.unchanged == 1
    gone = ended(jobs, jobs.delete(CALLER, ["two", "two", "never"]))
    assert (gone.state, gone.progress.deleted, gone.progress.missing) == ("done", 1, 1)
    assert texts(place) == {
        "one": "copper and granite",
        "three": "the harbour of three",
        "four": "a lantern in the meadow",
    }
    assert gone.progress.generation > first.progress.generation > 0


def test_a_document_given_becomes_what_a_line_of_json_does(jobs: Jobs, place: Path) -> None:
    text = "1. Beginnings\n\nA lantern in the meadow.\n\n- one\n- two\n"
    record = {"doc_id": "given", "title": "T", "text": text, "metadata": {"year": 3, "tags": ["a", "b"]}}
    ended(jobs, jobs.add_documents(CALLER, [(record, {"published": "1962-03-01", "read": ["2020-01-01"]})]))
    ended(jobs, upload(jobs, ("many.jsonl", json.dumps({**record, "doc_id": "read"}).encode())))
    with Index.open(place, encoder=HashingEncoder(32)) as index:
        found = {document.doc_id: document for document in index.documents()}
    assert found["given"].blocks == found["read"].blocks
    assert found["given"].metadata == {
        **found["read"].metadata,
        "published": date(1962, 3, 1),
        "read": (date(2020, 1, 1),),
    }


def test_files_are_read_and_named_as_they_were(jobs: Jobs, place: Path) -> None:
    job = ended(
        jobs,
        upload(
            jobs,
            ("notes/a.md", b"# Lanterns\n\nOf the meadow."),
            ("page.html", b"<html><body><p>A saddle of copper, in the harbour.</p></body></html>"),
            ("rows.csv", b"id,title,text\nr1,One,willow\nr2,Two,ember\n"),
            ("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
            ("empty.txt", b""),
            ("../../outside.txt", b"the canyon"),
        ),
    )
    assert job.state == "done"
    assert (job.progress.files, job.progress.files_read, job.progress.added, job.progress.refused) == (
        6,
        6,
        5,
        2,
    )
    assert {refusal.source for refusal in job.refusals} == {"picture.png", "empty.txt"}
    assert {"notes/a.md", "page.html", "r1", "r2", "outside.txt"} <= set(texts(place))
    with Index.open(place, encoder=HashingEncoder(32)) as index:
        found = {document.doc_id: document for document in index.documents()}
    assert found["notes/a.md"].title == "Lanterns"
    assert found["outside.txt"].title == "outside"
    assert found["outside.txt"].source == "outside.txt"
    assert found["r1"].source == "rows.csv:2"


def test_paths_are_those_under_the_roots_and_nothing_else(
    jobs: Jobs, roots: Path, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("the password")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "x.txt").write_text("the password")
    (roots / "sub").mkdir()
    (roots / "sub" / "a.txt").write_text("willow and ember")
    (roots / "sub" / "noise.bin").write_bytes(b"\x00\x01")
    (roots / "sub" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (roots / "sub" / "gone.txt").symlink_to(tmp_path / "never")
    (roots / "sub" / "folder").symlink_to(tmp_path / "secrets")
    (roots / "sub" / "same.txt").symlink_to(roots / "sub" / "a.txt")
    (roots / "sub" / ".hidden.txt").write_text("hidden")
    os.mkfifo(roots / "sub" / "pipe.txt")
    job = ended(jobs, jobs.add_paths(CALLER, ["sub", "sub/a.txt"]))
    assert job.state == "done"
    assert set(texts(place)) == {"one", "two", "three", "sub/a.txt", "sub/same.txt"}
    assert {refusal.source: refusal.reason for refusal in job.refusals} == {
        "sub/link.txt": "cannot be read: leads outside the roots of this service, and was not read",
        "sub/gone.txt": "cannot be read: leads outside the roots of this service, and was not read",
    }
    assert job.progress.skipped == 3
    with Index.open(place, encoder=HashingEncoder(32)) as index:
        sources = {document.doc_id: document.source for document in index.documents()}
    assert (sources["sub/a.txt"], sources["sub/same.txt"]) == ("sub/a.txt", "sub/same.txt")


def test_a_folder_that_cannot_be_read_goes_by_its_name_under_the_root(
    roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (roots / "sub" / "closed").mkdir(parents=True)
    scandir = os.scandir

    def denied(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    under = Roots([str(roots)])
    monkeypatch.setattr("indexer.readers.walk.os.scandir", denied)
    for asked, name in (("sub", "sub/closed"), (".", "sub/closed"), ("sub/closed", "sub/closed")):
        accepted = under.accept(asked)
        (found,) = listed_under([[accepted.path, accepted.name]], under, ReadOptions())
        assert found == {"refused": [name, "is a folder that cannot be read: Permission denied"]}


def test_names_that_are_no_text_are_told_and_read(jobs: Jobs, roots: Path, place: Path) -> None:
    folder = os.fsencode(roots)
    for name, content in ((b"\xff.txt", b""), (b"\xfe.txt", b"willow"), (b"a\nb.txt", b"ember")):
        with open(folder + b"/" + name, "wb") as file:
            file.write(content)
    job = ended(jobs, jobs.add_paths(CALLER, ["."]))
    assert (job.state, job.progress.added) == ("done", 2)
    assert [refusal.source for refusal in job.refusals] == ["\ufffd.txt"]
    assert {"\ufffd.txt", "a\nb.txt"} <= set(texts(place))


def test_the_services_own_files_under_a_root_are_not_read(
    make_jobs: Callable[..., Jobs], place: Path, tmp_path: Path
) -> None:
    jobs = make_jobs(roots=(str(tmp_path),))
    (tmp_path / "state" / "secret").write_text("the secret that signs tokens")
    (tmp_path / "a.txt").write_text("willow")
    job = ended(jobs, jobs.add_paths(CALLER, [str(tmp_path)]))
    assert (job.state, job.refusals) == ("done", ())
    assert set(texts(place)) == {"one", "two", "three", "a.txt"}
    with pytest.raises(Problem):
        jobs.add_paths(CALLER, [str(tmp_path / "state" / "secret")])


def test_a_link_that_is_moved_after_it_was_accepted_leads_nowhere(
    make_jobs: Callable[..., Jobs], roots: Path, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("the password")
    (roots / "folder").mkdir()
    (roots / "folder" / "secret.txt").write_text("harmless")
    jobs = make_jobs(start=False)
    waiting = jobs.add_paths(CALLER, ["folder/secret.txt"])
    (roots / "folder" / "secret.txt").unlink()
    (roots / "folder").rmdir()
    (roots / "folder").symlink_to(tmp_path)
    jobs.start()
    job = ended(jobs, waiting)
    assert "outside the roots" in job.refusals[0].reason
    assert "secret.txt" not in " ".join(texts(place))


def test_a_key_sent_again_gives_the_same_job(make_jobs: Callable[..., Jobs], tmp_path: Path) -> None:
    jobs = make_jobs(start=False)
    first = jobs.add_documents(CALLER, [given("a")], "key")
    assert jobs.add_documents(CALLER, [given("a")], "key").job_id == first.job_id
    assert (
        upload(jobs, ("a.txt", b"x"), key="files").job_id == upload(jobs, ("a.txt", b"x"), key="files").job_id
    )
    with pytest.raises(Problem) as raised:
        jobs.add_documents(CALLER, [given("b")], "key")
    assert raised.value.status == 422
    with pytest.raises(Problem):
        jobs.delete(CALLER, ["a"], "key")
    assert len(list((tmp_path / "state" / "jobs").iterdir())) == 2
    assert len(jobs.page(CALLER)) == 2


def test_too_many_jobs_leave_nothing_behind(make_jobs: Callable[..., Jobs], tmp_path: Path) -> None:
    jobs = make_jobs(start=False, max_waiting_jobs=1)
    jobs.delete(CALLER, ["a"])
    for attempt in (
        lambda: jobs.delete(CALLER, ["b"]),
        lambda: jobs.add_documents(CALLER, [given("b")]),
        lambda: upload(jobs, ("a.txt", b"x")),
    ):
        with pytest.raises(Problem) as raised:
            attempt()
        assert (raised.value.status, raised.value.headers["Retry-After"]) == (503, "10")
    assert len(list((tmp_path / "state" / "jobs").iterdir())) == 1


def test_a_job_nobody_has_begun_is_cancelled_at_once(
    make_jobs: Callable[..., Jobs], tmp_path: Path, place: Path
) -> None:
    jobs = make_jobs(start=False)
    job = jobs.cancel(CALLER, jobs.add_documents(CALLER, [given("a")]).job_id)
    assert job.state == "cancelled"
    assert not list((tmp_path / "state" / "jobs").iterdir())
    jobs.start()
    ended(jobs, jobs.add_documents(CALLER, [given("b")]))
    assert "a" not in texts(place)


def test_files_of_jobs_go_when_they_are_done(jobs: Jobs, tmp_path: Path) -> None:
    ended(jobs, upload(jobs, ("a.txt", b"willow")))
    until(lambda: not list((tmp_path / "state" / "jobs").iterdir()))


@pytest.mark.parametrize("kind", ["documents", "files", "delete"])
def test_a_job_whose_folder_is_gone_fails_and_says_so(
    make_jobs: Callable[..., Jobs], tmp_path: Path, kind: str, place: Path
) -> None:
    jobs = make_jobs(start=False)
    job = {
        "documents": lambda: jobs.add_documents(CALLER, [given("a")]),
        "files": lambda: upload(jobs, ("a.txt", b"x")),
        "delete": lambda: jobs.delete(CALLER, ["one"]),
    }[kind]()
    folder = tmp_path / "state" / "jobs" / job.job_id
    folder.rename(tmp_path / "moved")
    jobs.start()
    found = ended(jobs, job)
    assert found.state == "failed"
    assert "gone" in found.message
    assert ended(jobs, jobs.add_documents(CALLER, [given("b")])).state == "done"


def test_a_file_of_a_job_that_is_gone_is_refused_and_the_others_are_read(
    make_jobs: Callable[..., Jobs], tmp_path: Path, place: Path
) -> None:
    jobs = make_jobs(start=False)
    job = upload(jobs, ("a.txt", b"willow"), ("b.txt", b"ember"))
    (tmp_path / "state" / "jobs" / job.job_id / "files" / "000001").unlink()
    jobs.start()
    found = ended(jobs, job)
    assert [refusal.source for refusal in found.refusals] == ["a.txt"]
    assert "b.txt" in texts(place)


def test_no_index_fails_the_job_and_names_it(
    make_jobs: Callable[..., Jobs], place: Path, tmp_path: Path
) -> None:
    jobs = make_jobs(start=False)
    job = jobs.add_documents(CALLER, [given("a")])
    place.rename(tmp_path / "elsewhere")
    jobs.start()
    found = ended(jobs, job)
    assert found.state == "failed"
    assert "index" in found.message


def test_jobs_of_another_tenant_are_not_seen(make_jobs: Callable[..., Jobs]) -> None:
    jobs = make_jobs(start=False)
    job = jobs.add_documents(CALLER, [given("a")])
    other = Caller("key2", "other", CALLER.scopes)
    assert jobs.page(other) == ()
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(Problem) as raised:
            call(other, job.job_id)
        assert raised.value.status == 404


def test_archives_with_names_that_lead_elsewhere_write_nothing(jobs: Jobs, tmp_path: Path) -> None:
    path = tmp_path / "evil.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../../escaped.txt", "x")
        archive.writestr("/tmp/escaped.txt", "x")
        archive.writestr(
            "word/document.xml",
            '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
            "<w:t>lantern</w:t></w:r></w:p></w:body></w:document>",
        )
    before = {each for each in below(tmp_path) if "state" not in each.parts and "index" not in each.parts}
    ended(jobs, upload(jobs, ("evil.docx", path.read_bytes())))
    after = {each for each in below(tmp_path) if "state" not in each.parts and "index" not in each.parts}
    assert after == before
    assert not [each for each in below(tmp_path / "state") if "escaped" in each.name]


def test_documents_of_a_job_that_is_damaged_are_refused_one_by_one(
    make_jobs: Callable[..., Jobs], tmp_path: Path, place: Path
) -> None:
    jobs = make_jobs(start=False)
    job = jobs.add_documents(CALLER, [given("a"), given("b"), given("b", "twice")])
    path = tmp_path / "state" / "jobs" / job.job_id / DOCUMENTS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"{damaged\n" + b"".join(lines[1:]))
    jobs.start()
    found = ended(jobs, job)
    assert (found.state, found.progress.added, found.progress.refused) == ("done", 1, 2)
    assert texts(place)["b"] == "a lantern in the meadow"
