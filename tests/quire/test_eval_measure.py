"""`quire eval measure` and `quire eval convert`: what they print, what they say is wrong, exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from eval.collection import Topic
from eval.formats import read_run, write_qrels, write_run, write_topics
from eval.run import Run, Span, in_given_order

pytest.importorskip("ir_measures")
Quire = Callable[..., Result]
QRELS = {"q1": {"a": 2, "b": 1}, "q2": {"c": 1}, "q3": {"d": 1}}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with judgements, topics, evidence and two runs."""
    write_qrels(QRELS, tmp_path / "qrels.txt")
    users = {"q1": "ann", "q2": "ann", "q3": "bob"}
    write_topics({q: Topic(q, f"text of {q}", user) for q, user in users.items()}, tmp_path / "topics.jsonl")
    (tmp_path / "spans.jsonl").write_text('{"query": "q1", "doc": "a", "spans": [[0, 10]]}\n')
    good = {
        "q1": in_given_order([("a", 3.0), ("b", 2.0)]),
        "q2": in_given_order([("x", 2.0), ("c", 1.0)]),
        "stray": in_given_order([("x", 1.0)]),
    }
    spans = {"q1": [Span("a", 5, 10)]}
    write_run(Run("good", good, {"q1": 0.01, "q2": 0.03}, spans), tmp_path / "good.jsonl")
    write_run(Run("bad", {"q1": in_given_order([("x", 1.0)])}), tmp_path / "bad.run.gz")
    return tmp_path


def words(result: Result) -> str:
    return " ".join(result.stdout.split())


def test_a_table_has_a_row_for_each_run_and_says_what_is_incomplete(quire: Quire, files: Path) -> None:
    result = quire(
        "eval",
        "measure",
        "--qrels",
        files / "qrels.txt",
        files / "good.jsonl",
        files / "bad.run.gz",
        "-m",
        "mrr",
    )
    assert result.exit_code == 0
    assert "Over 3 judged queries run RR good 0.5000 bad 0.0000" in words(result)
    assert "good does not answer 1 of 3 judged queries (q3); they count as if" in words(result)
    assert "good answers 1 query that nobody judged (stray); they count nowhere." in words(result)


def test_json_has_the_same_to_the_last_digit_and_every_query(quire: Quire, files: Path) -> None:
    arguments = [
        "eval",
        "measure",
        "--qrels",
        files / "qrels.txt",
        files / "good.jsonl",
        "-m",
        "RR",
        "-m",
        "P@1",
    ]
    result = quire(*arguments, "--json", "--per-query", "--by-user", "--topics", files / "topics.jsonl")
    document = json.loads(result.stdout)
    assert document["queries"] == 3
    [run] = document["runs"]
    assert run == {
        "run": "good",
        "measures": {"RR": 0.5, "P@1": pytest.approx(1 / 3)},
        "unanswered": ["q3"],
        "unjudged": ["stray"],
        "per_query": {
            "q1": {"RR": 1.0, "P@1": 1.0},
            "q2": {"RR": 0.5, "P@1": 0.0},
            "q3": {"RR": 0.0, "P@1": 0.0},
        },
        "by_user": {"ann": {"RR": 0.75, "P@1": 0.5}, "bob": {"RR": 0.0, "P@1": 0.0}},
    }


def test_queries_and_users_have_tables_of_their_own(quire: Quire, files: Path) -> None:
    arguments = ["eval", "measure", "--qrels", files / "qrels.txt", files / "good.jsonl", "-m", "RR"]
    result = quire(
        *arguments, "-m", "Latency(p50)", "--per-query", "--by-user", "--topics", files / "topics.jsonl"
    )
    assert "good 0.5000 20.0 ms" in words(result)
    assert "good, by query query RR Latency(p50) q1 1.0000 10.0 ms q2 0.5000 30.0 ms q3 0.0000 –" in words(
        result
    )
    assert "good, by user user RR Latency(p50) ann 0.7500 20.0 ms bob 0.0000 –" in words(result)


def test_evidence_may_come_in_a_file(quire: Quire, files: Path) -> None:
    arguments = ["eval", "measure", "--qrels", files / "qrels.txt", "--evidence", files / "spans.jsonl"]
    result = quire(*arguments, files / "good.jsonl", "-m", "SpanRecall@1", "--json")
    assert json.loads(result.stdout)["runs"][0]["measures"] == {"SpanRecall@1": 0.5}


def test_a_collection_brings_judgements_and_users(quire: Quire, files: Path) -> None:
    sea = files / "sea"
    sea.mkdir()
    (sea / "corpus.jsonl").write_text('{"_id": "a", "text": "lamp"}\n')
    write_qrels(QRELS, sea / "qrels.tsv")
    (files / "topics.jsonl").rename(sea / "queries.jsonl")
    result = quire("eval", "measure", "--collection", sea, files / "good.jsonl", "-m", "RR", "--by-user")
    assert "ann 0.7500" in words(result)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-m", "nDG@10"], "(did you mean nDCG@10?)"),
        (["-m", "P"], "P needs its cutoff, as in P@10"),
        (["-m", "SpanRecall@5"], "needs spans of evidence"),
        (["--by-user"], "--by-user needs the queries' users"),
        (["--collection", "sea"], "name the judgements"),
    ],
)
def test_what_cannot_be_measured_is_a_usage_error(
    quire: Quire, files: Path, options: list[str], says: str
) -> None:
    result = quire("eval", "measure", "--qrels", files / "qrels.txt", files / "good.jsonl", *options)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_bad_line_and_a_missing_file_are_named(quire: Quire, files: Path) -> None:
    (files / "torn.run").write_text("q1 Q0 a 1 3.0 t\nq1 Q0 b 2\n")
    result = quire("eval", "measure", "--qrels", files / "qrels.txt", files / "torn.run")
    assert result.exit_code == 2
    assert "torn.run:2: has 4 columns, expected 6" in result.stderr
    result = quire("eval", "measure", "--qrels", files / "qrels.txt", files / "none.run")
    assert result.exit_code == 3
    assert "none.run: No such file" in result.stderr


def test_a_run_is_converted_and_what_is_lost_is_said(quire: Quire, files: Path) -> None:
    result = quire("eval", "convert", files / "good.jsonl", files / "good.run.gz")
    assert result.exit_code == 0
    assert "a run of 3 queries and 5 documents" in result.stdout
    assert "does not hold the seconds of 2 queries" in result.stderr
    assert "does not hold the spans of 1 query;" in result.stderr
    assert read_run(files / "good.run.gz").rankings == read_run(files / "good.jsonl").rankings


def test_judgements_and_topics_are_converted(quire: Quire, files: Path) -> None:
    assert quire("eval", "convert", files / "qrels.txt", files / "q.tsv").stdout.endswith(
        ": 4 judgements of 3 queries.\n"
    )
    assert (files / "q.tsv").read_text().startswith("query-id\tcorpus-id\tscore\nq1\ta\t2\n")
    assert quire("eval", "convert", files / "topics.jsonl", files / "t.csv").stdout.endswith(": 3 topics.\n")


def test_convert_replaces_nothing_unasked_and_asks_where_it_cannot_tell(quire: Quire, files: Path) -> None:
    result = quire("eval", "convert", files / "qrels.txt", files / "topics.jsonl")
    assert result.exit_code == 2
    assert "exists already; --force replaces it" in result.stderr
    assert quire("eval", "convert", files / "qrels.txt", files / "topics.jsonl", "--force").exit_code == 0
    (files / "x.csv").write_text("query_id,doc_id,score\nq1,a,1\n")
    result = quire("eval", "convert", files / "x.csv", files / "x.run")
    assert result.exit_code == 2
    assert "--as" in result.stderr
    assert quire("eval", "convert", files / "x.csv", files / "x.run", "--as", "run").exit_code == 0
    assert (files / "x.run").read_text() == "q1 Q0 a 1 1 x\n"


def test_help_loads_no_library_of_evaluation(root: Path) -> None:
    code = (
        "import sys\nfrom quire.cli import cli\n"
        "try:\n    cli.main(['eval', 'measure', '--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print('LOADED', [m for m in ('ir_measures', 'scipy', 'pyarrow', 'numpy', 'eval') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.rstrip().endswith("LOADED []")
