"""`quire eval run`: from an experiment's file to tables, runs and a report."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from small_collection import write_collection

from eval.experiment.result import ExperimentResult
from eval.experiment.runner import Stage
from quire.experiment_progress import ExperimentLine
from quire.terminal import cells

for library in ("ir_measures", "rank_bm25", "scipy", "matplotlib", "jinja2"):
    pytest.importorskip(library, reason="the extra eval is not installed")

Quire = Callable[..., Result]

FILE = """
name = "Small"
measures = ["nDCG@10", "R@20"]
k = 20

[collection.one]
path = "one"

[collection.two]
path = "two"
topics = 6

[pipeline.words]
alpha = 0

[pipeline.both]

[pipeline.library]
kind = "rank-bm25"
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """The file of an experiment on two collections."""
    for seed, name in enumerate(("one", "two")):
        write_collection(tmp_path / name, seed=seed)
    path = tmp_path / "small.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_an_experiment_from_its_file_to_a_report(quire: Quire, experiment: Path, tmp_path: Path) -> None:
    listed = quire("eval", "run", experiment, "--list")
    assert listed.stdout.count("to be run") == 7
    assert not (tmp_path / "small-results" / "results.json").exists()
    first = quire("eval", "run", experiment)
    assert first.exit_code == 0, first.output
    assert "[6/6] two / library done" in first.stderr
    out = tmp_path / "small-results"
    result = ExperimentResult.load(out / "results.json")
    for collection in ("one", "two"):
        for name, cell in result.row(collection).items():
            mean = cell.evaluation.mean(result.measures[0])
            (line,) = [
                line
                for line in first.stdout.split(f"{collection}: ")[1].split("\n\n")[0].splitlines()
                if line.split()[0] == name
            ]
            assert f"{mean:.4f}" in line
            assert (out / cell.run_file).is_file()
    assert "6 topics of 12" in first.stdout
    assert all(cells(line) <= 80 for line in first.stdout.splitlines() if "report.html" not in line)
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert "words" in (out / "tables.md").read_text(encoding="utf-8")
    second = quire("eval", "run", experiment)
    assert "6 cells (6 from before)" in second.stdout
    assert "was run before" in second.stderr
    assert "0 to be run" in quire("eval", "run", experiment, "--list").stdout
    forced = quire("eval", "run", experiment, "--force", "--only", "one/words", "-q")
    assert "6 cells (5 from before)" in forced.stdout
    assert not forced.stderr


def test_a_failed_cell_is_said_and_is_the_exit_status(quire: Quire, experiment: Path) -> None:
    text = experiment.read_text(encoding="utf-8")
    experiment.write_text(text + '\n[pipeline.theirs]\nkind = "run-file"\nfile = "absent.run"\n')
    result = quire("eval", "run", experiment, "-q", "--only", "library", "--only", "one/theirs")
    assert result.exit_code == 1
    assert "one / theirs failed: " in result.stderr
    assert "two / theirs" not in result.output
    assert "2 cells" in result.stdout


def test_an_experiment_where_nothing_works_says_why(quire: Quire, experiment: Path, tmp_path: Path) -> None:
    result = quire("eval", "run", experiment, "--collections", tmp_path / "elsewhere", "-q")
    assert result.exit_code == 1
    assert "elsewhere" in result.stderr
    assert "0 cells" in result.stdout


@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        (("alpha = 0", "alhpa = 0"), (), "did you mean 'alpha'?"),
        (("nDCG@10", "nDGC@10"), (), "nDCG"),
        (("", ""), ("--only", "three"), "'three' is no cell"),
    ],
)
def test_what_cannot_be_understood_is_exit_status_2(
    quire: Quire, experiment: Path, change: tuple[str, str], arguments: tuple[str, ...], says: str
) -> None:
    experiment.write_text(experiment.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    result = quire("eval", "run", experiment, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_rate_and_time_left() -> None:
    now = 0.0
    stream = Terminal()
    line = ExperimentLine(stream, clock=lambda: now)
    for cell in (1, 2, 3):
        line(Stage(cell, 10, "one", f"p{cell}", "answering topics", 1, 100))
        now += 20.0
        line(Stage(cell, 10, "one", f"p{cell}"))
    line(Stage(4, 10, "one", "p4", "answering topics", 0, 100))
    now += 10.0
    said = line.line(Stage(4, 10, "one", "p4", "answering topics", 25, 100))
    assert said.startswith("[4/10] one / p4: answering topics 25 of 100, 2.5/s, about 30 s left; all: about ")
    # three cells took 20 s each; seven are to come, of which one is 10 s old
    assert line.seconds_left(Stage(4, 10, "one", "p4", "answering topics", 25, 100)) == pytest.approx(
        130, abs=1
    )
    line(Stage(4, 10, "one", "p4", failed="the disk is \x1b[31mfull"))
    assert "[4/10] one / p4 failed: the disk is [31mfull" in stream.getvalue()
    assert "cached" not in stream.getvalue()
