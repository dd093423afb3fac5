"""The demo's corpus and tour: what the interpreter says of itself, written as documents that have structure."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result

from engine import SearchEngine
from engine.configuration import Configuration
from engine.service.access.tokens import Tokens
from indexer.document import Document
from indexer.readers import read_corpus
from quire.demo import corpus as demo_corpus
from quire.demo.corpus import module_as_markdown, module_names, topic_as_markdown
from quire.demo.dates import CAME_WITH, RELEASES, newest_release
from quire.demo.readers import READERS, events
from quire.demo.tour import QUESTIONS

Quire = Callable[..., Result]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "corpus"
    environment = dict(os.environ)
    if not environment.get("QUIRE_TEST_INSTALLED"):
        environment["PYTHONPATH"] = str(root)
    run = subprocess.run(
        [sys.executable, "-P", "-W", "error::SyntaxWarning", "-m", "quire.demo.corpus", str(folder)],
        capture_output=True,
        text=True,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    assert run.stderr == ""
    counts = json.loads(run.stdout)
    assert counts["documents"] == len(list(folder.rglob("*.md")))
    return folder


def test_it_is_several_hundred_long_documents(written: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in written.rglob("*.md")]
    assert len(texts) >= 300
    assert sum(len(text.split()) for text in texts) >= 100_000
    assert max(len(text) for text in texts) > 50_000


def test_it_is_the_same_at_every_run_and_names_no_address(written: Path, tmp_path: Path) -> None:
    demo_corpus.write_corpus(tmp_path)
    first = {path.relative_to(written): path.read_bytes() for path in written.rglob("*.md")}
    again = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.md")}
    # Modules that earlier tests imported may add to what a module shows; the demo's own process is what counts.
    assert first.keys() == again.keys()
    same = sum(first[name] == again[name] for name in first)
    assert same >= 0.98 * len(first)
    assert not [name for name, text in first.items() if re.search(rb" at 0x[0-9a-f]{6}", text)]


def test_every_document_is_read_with_its_title_and_headings(written: Path) -> None:
    documents = list(read_corpus([written]))
    failures = [item for item in documents if not hasattr(item, "doc_id")]
    assert failures == []
    by_id = {document.doc_id: document for document in documents if hasattr(document, "doc_id")}
    assert by_id["library/textwrap.md"].title.startswith("textwrap: ")
    assert by_id["language/compound.md"].title == "Compound statements"
    headings = [
        by_id["library/json.md"].text[block.start : block.end]
        for block in by_id["library/json.md"].blocks
        if block.kind == "heading"
    ]
    assert any("json.dumps(" in heading for heading in headings)
    for question in QUESTIONS:
        assert question.answer in by_id, "the tour asks for a document that is not there"
    for reader in READERS:
        assert set(reader.read) <= by_id.keys(), f"{reader.name} reads a document that is not there"


def test_documents_carry_what_they_can_be_filtered_by_and_a_date_where_one_is_known(written: Path) -> None:
    documents = [item for item in read_corpus([written]) if isinstance(item, Document)]
    by_id = {document.doc_id: document.metadata for document in documents}
    assert {metadata["section"] for metadata in by_id.values()} == {"language", "library"}
    assert by_id["library/json.decoder.md"]["package"] == "json"
    assert by_id["library/json.md"]["kind"] == "package"
    assert by_id["library/json.decoder.md"]["kind"] == "module"
    assert by_id["library/tomllib.md"]["changed"] >= date(2022, 10, 24)
    assert "changed" not in by_id["library/gzip.md"]
    dated = [metadata for metadata in by_id.values() if "changed" in metadata]
    assert len(dated) >= 60
    for metadata in dated:
        release = tuple(int(part) for part in str(metadata["python"]).split("."))
        assert metadata["changed"] == RELEASES[release]
        assert release <= sys.version_info[:2]


@pytest.mark.parametrize(
    ("text", "module", "release"),
    [
        ("New in version 3.5.\nChanged in\nversion 3.7: more", "", (3, 7)),
        ("Changed in version 3.1, new in Python 2.7", "", (2, 7)),
        ("In Python 3.8 this was so; version 3.9 is newer", "", None),
        ("Deprecated since version 9.99", "", None),
        ("", "tomllib", (3, 11)),
        ("", "asyncio.queues", (3, 4)),
        ("", "asyncio.taskgroups", (3, 11)),
        ("Changed in version 3.3", "asyncio.queues", (3, 4)),
        ("", "gzip", None),
        ("", "", None),
    ],
)
def test_the_newest_release_is_the_one_that_text_or_module_is_known_by(
    text: str, module: str, release: tuple[int, int] | None
) -> None:
    assert newest_release(text, module) == release


def test_releases_follow_each_other() -> None:
    for major in (2, 3):
        days = [RELEASES[release] for release in sorted(RELEASES) if release[0] == major]
        assert days == sorted(set(days))
    assert set(CAME_WITH.values()) <= RELEASES.keys()


def test_nothing_that_does_something_on_import_is_imported() -> None:
    names = {name.partition(".")[0] for name in module_names()}
    assert not names & {"antigravity", "this", "turtledemo", "idlelib", "tkinter", "test", "__main__"}
    assert {"os", "json", "asyncio"} <= names
    assert "json.decoder" in module_names()


def test_underlined_titles_become_headings_and_examples_code() -> None:
    text = 'The "x" statement\n*****************\n\nSome prose::\n\n   x = 1\n\n   y = 2\n\nA part\n======\n\nEnd.\n'
    assert topic_as_markdown(text) == (
        '# The "x" statement\n\nSome prose::\n\n```\n   x = 1\n\n   y = 2\n```\n\n## A part\n\nEnd.\n'
    )


def test_a_module_is_written_with_a_heading_for_each_member() -> None:
    import bisect
    import textwrap

    text = module_as_markdown(textwrap)
    assert text.startswith("# textwrap: Text wrapping and filling\n")
    assert "\n### textwrap.dedent(text)\n" in text
    assert "\n### class textwrap.TextWrapper" in text
    assert "\n#### TextWrapper.fill(self, text)\n" in text
    assert "### bisect.bisect_left(a, x, lo=0, hi=None, *, key=None)" in module_as_markdown(bisect)


@pytest.fixture
def _small(quire: Quire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two documents instead of 350, and no process for the index: its command is tested by itself."""

    def small(folder: Path) -> int:
        for question in QUESTIONS[:2]:
            path = folder / question.answer
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {path.stem}\n\nAll about {question.query}.\n")
        return 2

    def inside(arguments: list[str], _: object) -> int:
        return quire(*arguments).exit_code

    monkeypatch.setattr("quire.commands.demo.write_corpus", small)
    monkeypatch.setattr("quire.commands.demo.quire", inside)


@pytest.mark.usefixtures("_small")
def test_the_demo_ends_by_serving_with_a_way_in_for_each_reader(
    quire: Quire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[object, Configuration]] = []

    def serve(place: object, configuration: Configuration, *, say: Callable[[str], None]) -> None:
        served.append((place, configuration))
        say("http://127.0.0.1:7")

    monkeypatch.setattr("engine.service.running.serve", serve)
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("QUIRE_SERVICE_PORT", str(other.getsockname()[1]))
        result = quire("demo", "--folder", tmp_path / "here", "--serve")
    assert result.exit_code == 0, result.output
    [(place, configuration)] = served
    assert place == tmp_path / "here" / "demo-index"
    assert configuration.service.port == 0, "the one that is configured is taken"
    assert "Go on with:" not in result.stdout
    links = dict(
        re.findall(
            r"^  (\w+), who .*: http://127\.0\.0\.1:7/enter\?token=(\S+)$", result.stdout, re.MULTILINE
        )
    )
    tokens = Tokens(configuration.service.state_folder(place), configuration.service)
    assert {name: tokens.read(token).user_id for name, token in links.items()} == {"ann": "ann", "bob": "bob"}


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("asked", [True, False])
def test_without_the_service_s_packages_the_demo_says_how_to_get_them(
    quire: Quire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    monkeypatch.setattr("engine.service.running.find_spec", lambda _: None)
    monkeypatch.setattr("quire.commands.demo.on_a_terminal", lambda: True)
    result = quire("demo", "--folder", tmp_path / "here", *(["--serve"] if asked else []))
    assert result.exit_code == (3 if asked else 0)
    assert 'pip install "quire-search[service]"' in result.output
    assert ("Go on with:" in result.stdout) != asked


@pytest.mark.usefixtures("_small")
def test_the_demo_runs_from_nothing_to_the_commands_to_go_on_with(quire: Quire, tmp_path: Path) -> None:
    result = quire("demo", "--folder", tmp_path / "here")
    assert result.exit_code == 0, result.output
    assert "2 documents in " in result.stdout
    for question in QUESTIONS:
        assert question.query in result.stdout
    assert result.stdout.count("by words alone (BM25)") == 3
    assert result.stdout.count("by both, reranked") == 3
    for go_on in ("serve here/demo-index", "search here/demo-index"):
        assert go_on in result.stdout.replace(str(tmp_path) + "/", "")
    assert "header, asked by two readers" in result.stdout
    with SearchEngine.open(tmp_path / "here" / "demo-index") as engine:
        before = [engine.readers.version(reader.name) for reader in READERS]
        assert all(before)
        engine.record(events())
        assert [
            engine.readers.version(reader.name) for reader in READERS
        ] == before  # run again, it counts once


def test_a_corpus_that_cannot_be_written_is_an_error_of_one_line(quire: Quire, tmp_path: Path) -> None:
    (tmp_path / "demo-corpus").write_text("a file in the way")
    result = quire("demo", "--folder", tmp_path)
    assert result.exit_code == 3
    assert "could not be written" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.elasticsearch
@pytest.mark.usefixtures("_small")
def test_the_demo_runs_on_elasticsearch_by_its_address_alone(
    quire: Quire, tmp_path: Path, elasticsearch_address: Callable[[], str]
) -> None:
    address = elasticsearch_address()
    (tmp_path / "own.toml").write_text("[elasticsearch]\nreplicas = 0\n")
    here = quire("demo", "--folder", tmp_path / "here")
    there = quire("--config", tmp_path / "own.toml", "demo", address, "--folder", tmp_path / "there")
    assert there.exit_code == 0, there.output
    assert f"--config {tmp_path / 'own.toml'} search {address}" in there.stdout
    assert not (tmp_path / "there" / "demo-index").exists()
    # The fourth asks what no document has, and which of equals is first is each backend's own matter.
    shown = [result.stdout.partition("1. ")[2].partition("4. header")[0] for result in (here, there)]
    assert shown[0]
    assert shown[0] == shown[1]
