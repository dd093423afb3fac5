"""quire eval curves: from an index and a collection to a table, an SVG, a PNG and a JSON file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result

from eval.curves import Curve


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "storms"
    (folder / "qrels").mkdir(parents=True)
    records = [{"_id": f"r{at}", "title": "", "text": "x"} for at in (1, 2, 3)]
    queries = [{"_id": "q1", "text": "storms in winter"}, {"_id": "q2", "text": "calm seas"}]
    for name, rows in (("corpus", records), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tr1\t1\nq2\tr3\t1\n")
    return folder


def test_a_table_and_three_files(quire: object, records: Path, collection: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(quire, records, collection, "-p", "alpha", "--values", "0,1", "-m", "RR", "--out", out)
    assert "alpha on storms/test, 2 queries" in result.stdout
    assert "* 0.55: the value in use." in result.stdout.replace("\n", " ")
    curve = Curve.load(out / "curve-alpha-on-storms-test.json")
    assert [point.value for point in curve.points] == [0.0, 0.55, 1.0]
    for point in curve.points:
        assert f"{point.quality['RR']:.4f}" in result.stdout
    assert {path.suffix for path in out.iterdir()} == {".svg", ".png", ".json"}


def test_json_settings_and_the_best(quire: object, records: Path, collection: Path, tmp_path: Path) -> None:
    arguments = (
        records,
        collection,
        "-p",
        "depth",
        "--values",
        "1,50",
        "--set",
        "alpha=0",
        "--choose",
        "best",
    )
    said = json.loads(run(quire, *arguments, "--json", "--timed", 1).stdout)
    assert said["settings"]["alpha"] == "0.0"
    assert said["rule"] == "the highest nDCG@10"
    assert said["against"] == "an exhaustive search"
    assert said["points"][-1]["agreement"] == 1.0
    assert not (tmp_path / "curve-depth-on-storms-test.svg").exists()


def test_topics_alone_and_other_indexes(quire: object, records: Path, tmp_path: Path) -> None:
    topics = tmp_path / "asked.jsonl"
    topics.write_text('{"_id": "q1", "text": "storms"}\n')
    shown = run(quire, records, topics, "-p", "index", "--index", f"again={records}").stdout
    assert "index on asked, 1 query" in shown
    assert "records-index *" in shown
    assert "again" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-p", "depth"), "--values names"),
        (("-p", "depth", "--values", "deep"), "depth must be"),
        (("-p", "colour", "--values", "1"), "'colour' is no setting"),
        (("-p", "ef", "--values", "9"), "no graph"),
        (("-p", "alpha", "--values", "3"), "0 to 1"),
        (
            (
                "-p",
                "index",
            ),
            "name the other indexes",
        ),
        (("-p", "index", "--index", "unnamed"), "expected NAME=INDEX"),
        (("-p", "depth", "--values", "9", "--index", "a=b"), "--index goes with"),
        (("-p", "depth", "--values", "9", "--set", "alpha"), "expected NAME=VALUE"),
        (("-p", "depth", "--values", "9", "--set", "ef=9"), "expected NAME=VALUE"),
    ],
)
def test_what_cannot_be_done_is_said(
    quire: object, records: Path, collection: Path, arguments: tuple[str, ...], said: str
) -> None:
    result: Result = quire("eval", "curves", records, collection, *arguments)  # type: ignore[operator]
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def run(quire: object, *arguments: object) -> Result:
    result: Result = quire("eval", "curves", *arguments)  # type: ignore[operator]
    assert result.exit_code == 0, result.output
    return result
