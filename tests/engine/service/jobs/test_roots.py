from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.service.jobs.roots import Roots
from engine.service.problems import Problem


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """`inside` is a root; `inside-too` is beside it, `secret` too; links lead out of it, into it, and in circles."""
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    (inside / "sub" / "a.txt").write_text("a")
    (inside / "b c.txt").write_text("b")
    (inside / ".env").write_text("TOKEN=1")
    (inside / ".git").mkdir()
    (inside / ".git" / "x.txt").write_text("x")
    (inside / "index").mkdir()
    (inside / "index" / "secret").write_text("s")
    (tmp_path / "inside-too").mkdir()
    (tmp_path / "inside-too" / "c.txt").write_text("c")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "d.txt").write_text("d")
    (tmp_path / "secret" / "back").symlink_to(inside / "sub")
    (inside / "out").symlink_to(tmp_path / "secret")
    (inside / "out.txt").symlink_to(tmp_path / "secret" / "d.txt")
    (inside / "nowhere").symlink_to(tmp_path / "not there")
    (inside / "within").symlink_to(inside / "sub")
    (inside / "circle").symlink_to(inside / "circle")
    return tmp_path


def refusal(roots: Roots, path: str) -> tuple[int, str, str]:
    with pytest.raises(Problem) as raised:
        roots.accept(path)
    return raised.value.status, raised.value.kind, raised.value.detail.replace(repr(path), "PATH")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sub/a.txt", "sub/a.txt"),
        ("sub", "sub"),
        (".", ""),
        ("./sub//a.txt", "sub/a.txt"),
        ("within/a.txt", "sub/a.txt"),
        ("b c.txt", "b c.txt"),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_what_is_under_a_root_is_accepted(tree: Path, path: str, name: str, absolute: bool) -> None:
    roots = Roots([str(tree / "inside")])
    accepted = roots.accept(f"{tree}/inside/{path}" if absolute else path)
    assert accepted.name == name
    assert accepted.path == os.path.realpath(tree / "inside" / name)


@pytest.mark.parametrize(
    "path", ["out", "out/d.txt", "out/not there", "out.txt", "nowhere", "nowhere/x", "out/back/a.txt"]
)
def test_links_out_of_the_roots_are_refused_alike_whatever_they_lead_to(tree: Path, path: str) -> None:
    roots = Roots([str(tree / "inside")])
    expected = (403, "outside-roots", "PATH is not under the roots of this service, or may not be read by it")
    assert refusal(roots, path) == expected
    assert refusal(roots, f"{tree}/inside/{path}") == expected


def test_what_is_outside_is_refused_alike_whether_it_is_there_or_not(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = Roots([str(tree / "inside")])
    monkeypatch.setattr(os.path, "realpath", lambda path: pytest.fail(f"looked at {path}"))
    monkeypatch.setattr(os.path, "exists", lambda path: pytest.fail(f"looked at {path}"))
    answers = {
        refusal(roots, path)
        for path in (
            "/etc/passwd",
            "/etc/not there",
            "/",
            f"{tree}/secret/d.txt",
            f"{tree}/inside-too/c.txt",
            f"{tree}/insid",
            f"{tree}",
            "//etc/passwd",
        )
    }
    assert answers == {
        (403, "outside-roots", "PATH is not under the roots of this service, or may not be read by it")
    }


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../secret/d.txt",
        "sub/../../secret",
        "sub/..",
        "a\x00b",
        "a\nb",
        "",
        "x" * 5000,
        "\udcff",
        ".env",
        ".git/x.txt",
    ],
)
def test_what_cannot_be_meant_is_refused(tree: Path, path: str) -> None:
    status, kind, _ = refusal(Roots([str(tree / "inside")]), path)
    assert (status, kind) == (422, "invalid-path")


def test_what_is_not_there_under_a_root_is_told(tree: Path) -> None:
    roots = Roots([str(tree / "inside")])
    assert refusal(roots, "sub/b.txt")[:2] == (422, "no-such-path")
    assert refusal(roots, "circle")[:2] == (422, "no-such-path")


def test_the_index_and_the_service_are_nobodys_documents(tree: Path) -> None:
    roots = Roots([str(tree / "inside")], [tree / "inside" / "index"])
    for path in ("index", "index/secret", f"{tree}/inside/index/secret"):
        assert refusal(roots, path)[:2] == (403, "outside-roots")
    assert roots.accept(".").name == ""


def test_without_roots_no_path_is_read(tree: Path) -> None:
    assert refusal(Roots([]), str(tree))[:2] == (403, "no-roots")


def test_a_second_root_is_looked_at_where_the_first_has_nothing(tree: Path) -> None:
    roots = Roots([str(tree / "inside"), str(tree / "inside-too")])
    assert roots.accept("c.txt").path == os.path.realpath(tree / "inside-too" / "c.txt")
    assert roots.accept(f"{tree}/inside-too/c.txt").name == "c.txt"


def test_a_root_that_is_a_link_is_a_root_by_both_its_names(tree: Path) -> None:
    (tree / "linked").symlink_to(tree / "inside")
    roots = Roots([str(tree / "linked")])
    for path in (f"{tree}/linked/sub/a.txt", f"{tree}/inside/sub/a.txt", "sub/a.txt"):
        assert roots.accept(path).name == "sub/a.txt"


def test_a_root_below_a_hidden_folder_is_read(tree: Path) -> None:
    roots = Roots([str(tree / "inside" / ".git")])
    assert roots.accept(f"{tree}/inside/.git/x.txt").name == "x.txt"


parts = st.sampled_from(
    ["sub", "a.txt", "..", ".", "", "out", "back", "within", "d.txt", "secret", "nowhere", "circle", "\x00"]
)


@settings(max_examples=300)
@given(st.lists(parts, max_size=6).map("/".join))
def test_nothing_accepted_is_outside(tmp_path_factory: pytest.TempPathFactory, path: str) -> None:
    base = tmp_path_factory.getbasetemp() / "walked"
    if not base.exists():
        (base / "inside" / "sub").mkdir(parents=True)
        (base / "inside" / "sub" / "a.txt").write_text("a")
        (base / "secret").mkdir()
        (base / "secret" / "d.txt").write_text("d")
        (base / "secret" / "back").symlink_to(base / "inside" / "sub")
        (base / "inside" / "out").symlink_to(base / "secret")
        (base / "inside" / "within").symlink_to(base / "inside" / "sub")
        (base / "inside" / "nowhere").symlink_to(base / "gone")
        (base / "inside" / "circle").symlink_to(base / "inside" / "circle")
    roots = Roots([str(base / "inside")])
    for asked in (path, f"{base}/inside/{path}", f"{base}/{path}", f"/{path}"):
        with contextlib.suppress(Problem):
            accepted = roots.accept(asked)
            assert Path(accepted.path).resolve(strict=True).is_relative_to((base / "inside").resolve())
            assert "out" not in asked.split("/")


def test_under_what_is_not_there_nothing_is_looked_for(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = Roots([str(tree / "inside")])
    looked: list[str] = []
    real = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", lambda path: looked.append(path) or real(path))
    for start in ("", "sub/a.txt/", "circle/"):
        assert refusal(roots, start + "x/" * 2000)[:2] == (422, "no-such-path")
    assert len(looked) < 20
