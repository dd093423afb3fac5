"""Runs through files: the order survives every format and every tool that reads it; bad lines are named."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import FormatError, InvalidEvaluation
from eval.formats import read_run, write_run
from eval.formats.runs import lost
from eval.run import Run, Span, in_given_order

LARGEST = float(np.finfo(np.float32).max)
SCORES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 1.00000001, 1e-45, -1e-45, 1e-40, LARGEST, -LARGEST, 16777217.0]),
    st.floats(-LARGEST, LARGEST),
)
# What can stand between blanks: any script, punctuation, signs that mean something elsewhere.
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Z", "Cc", "Cs")), min_size=1, max_size=6
).filter(lambda name: not name.startswith(("#", "\ufeff")) and not any(map(str.isspace, name)))
RANKINGS = st.lists(st.tuples(NAMES, SCORES), min_size=1, max_size=25, unique_by=lambda pair: pair[0]).map(
    in_given_order
)
RUNS = st.dictionaries(NAMES, RANKINGS, min_size=1, max_size=3)
QUICK = settings(deadline=None, max_examples=60)


def through(run: Run, name: str) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        write_run(run, Path(folder) / name)
        return read_run(Path(folder) / name)


def order(run: Run) -> dict[str, list[str]]:
    return {query: list(ranking) for query, ranking in run.rankings.items()}


@pytest.mark.parametrize(
    "name", ["r.run", "r.trec.gz", "r.tsv", "r.csv.gz", "r.jsonl", "r.jsonl.gz", "r.parquet"]
)
@QUICK
@given(rankings=RUNS)
def test_a_run_comes_back_with_its_scores(name: str, rankings: dict[str, dict[str, float]]) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    back = through(Run("système", rankings), name)
    assert order(back) == order(Run("", rankings))
    assert back == Run("système", rankings)


@QUICK
@given(rankings=RUNS)
def test_no_tool_reorders_a_run_that_was_written(rankings: dict[str, dict[str, float]]) -> None:
    """Each document's rank, as pytrec_eval and ir_measures see it in the text of the file, is the one meant."""
    ir_measures: Any = pytest.importorskip("ir_measures")
    pytrec_eval: Any = pytest.importorskip("pytrec_eval")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.run"
        write_run(Run("r", rankings), path)
        with path.open(encoding="utf-8", newline="\n") as lines:
            scored = list(ir_measures.read_trec_run(lines))
    scores: dict[str, dict[str, float]] = {}
    for query, doc, score in scored:
        scores.setdefault(query, {})[doc] = score
    for query, ranking in rankings.items():
        for rank, doc in enumerate(ranking, 1):
            theirs = pytrec_eval.RelevanceEvaluator({query: {doc: 1}}, {"recip_rank"}).evaluate(scores)
            assert theirs[query]["recip_rank"] == pytest.approx(1 / rank)
            [metric] = ir_measures.iter_calc([ir_measures.RR @ 1000], {query: {doc: 1}}, scored)
            assert metric.value == pytest.approx(1 / rank)


def test_json_lines_keep_times_and_spans_and_say_what_other_formats_lose(tmp_path: Path) -> None:
    run = Run(
        "r",
        {"q1": {"a": 2.0, "b": 1.0}, "q2": {}},
        seconds={"q1": 0.0125, "q2": 0.5},
        spans={"q1": [Span("a", 0, 20), Span("b", 7, 9)]},
    )
    assert through(run, "r.jsonl.gz") == run
    assert lost(run, "r.jsonl") == {}
    assert lost(run, tmp_path / "r.run") == {"seconds": 2, "spans": 1}


def test_the_name_is_the_callers_else_the_files_own_else_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "bm25.v2.run.gz"
    path.write_bytes(gzip.compress(b"q Q0 d 1 2.5 anserini\n"))
    assert read_run(path).name == "anserini"
    assert read_run(path, "mine").name == "mine"
    (tmp_path / "plain.csv").write_text("qid,docno,score\nq,d,2.5\n")
    assert read_run(tmp_path / "plain.csv").name == "plain"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.txt", "q 0 a 1 2.5 t\r\n\r\nq 0 b 2 1.5 t\r\n"),
        ("r.txt", "\ufeffq\tQ0\ta\t1\t2.5\tt\nq\tQ0\tb\t2\t1.5\tt"),
        ("r.txt", "# made by hand\nq 0 b 2 1.5 t\n#\nq 0 a 1 2.5 t\n"),
        ("run.bm25-2019", "q 0 a 1 2.5 t\nq 0 b 2 1.5 t\n"),
        ("r.tsv", "q\tQ0\ta\t1\t2.5\tt\nq\tQ0\tb\t2\t1.5\tt\n"),
        ("r.csv", '"Query-ID","doc_id","score"\r\nq,a,2.5\r\nq,b,1.5\r\n'),
        ("r.tsv", "rank\tqid\tdocid\n2\tq\tb\n1\tq\ta\n"),
        (
            "r.jsonl",
            '{"query_id": "q", "docid": "a", "score": 2.5}\n{"query_id": "q", "docid": "b", "score": 1}\n',
        ),
        ("r.jsonl", '{"qid": "q", "hits": [["b", 1], ["a", 2]]}\n'),
    ],
)
def test_foreign_forms_are_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert order(read_run(tmp_path / name)) == {"q": ["a", "b"]}


@pytest.mark.parametrize(
    ("name", "content", "line", "says"),
    [
        ("r.run", b"q Q0 a 1 2.5 t\nq Q0 b 2 t\n", 2, "has 5 columns, expected 6"),
        ("r.run", b"q Q0 a 1 high t\n", 1, "'high' is not a finite number"),
        ("r.run", b"q Q0 a 1 nan t\n", 1, "not a finite number"),
        ("r.run", b"q Q0 a 1 1e39 t\n", 1, "not a finite number that a float32 holds"),
        ("r.run", b"q Q0 a 1 2 t\n\nq Q0 a 2 1 t\n", 3, "'a' comes twice"),
        ("r.run", "q Q0 café 1 2 t\n".encode("latin-1"), 1, "not UTF-8 (byte 0xE9)"),
        ("r.run", "q Q0 a 1 2 t\n".encode("utf-16"), 1, "is UTF-16"),
        ("r.csv", b"query_id,doc_id\nq,a\n", 2, "neither a score nor a rank"),
        ("r.csv", b"query_id,doc_id,score\nq,a\n", 2, "has 2 columns, expected 3"),
        ("r.csv", b'query_id,doc_id,score\n"q,a,1\n', 2, "is not CSV"),
        ("r.csv", b"query_id,doc_id,score\nq,\xff,1\n", 2, "is not UTF-8"),
        ("r.tsv", b"q\ta\t1\n", 1, "neither a header nor a hit"),
        ("r.tsv", b"qid\tdocid\tscore\trun\nq\ta\t1\tx\nq\tb\t1\ty\n", 3, "belongs to the run 'y'"),
        (
            "r.jsonl",
            b'{"query_id": "q", "hits": [["a", 1]]}\n{"query_id": "q", "hits": []}\n',
            2,
            "comes twice",
        ),
        ("r.jsonl", b'{"query_id": "q", "hits": {"a": 1}}\n', 1, "expected a list of [doc_id, score]"),
        ("r.jsonl", b'{"query_id": "q", "hits": [], "spans": [["a", 9, 3]]}\n', 1, "the span from 9 to 3"),
        ("r.jsonl", b'{"hits": []}\n', 1, "without query_id"),
        ("r.jsonl", b"[]\n", 1, "is a JSON list"),
        ("r.jsonl", b"{\n", 1, "is not JSON"),
        ("r.jsonl", b"[" * 100_000 + b"\n", 1, "nested too deep"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, name: str, content: bytes, line: int, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError) as caught:
        read_run(tmp_path / name)
    assert (caught.value.path, caught.value.line) == (tmp_path / name, line)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"plain", lambda data: data[:20] + b"x" * 9]
)
def test_damaged_gzip_is_said(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "r.run.gz"
    path.write_bytes(damage(gzip.compress(b"".join(b"q Q0 d%d 1 %d t\n" % (n, n) for n in range(999)))))
    with pytest.raises(FormatError, match="gzip"):
        read_run(path)


def test_damaged_parquet_is_said(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "r.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(FormatError, match="not Parquet"):
        read_run(tmp_path / "r.parquet")
    with pytest.raises(FormatError, match="unpack it"):
        read_run(tmp_path / "r.parquet.gz")


@pytest.mark.parametrize(
    "doc_id", ["two words", "tab\there", "no\u00a0break", "", "nul\0", "line\n", "\ud800"]
)
def test_an_id_that_trec_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, doc_id: str
) -> None:
    target = tmp_path / "r.run"
    target.write_text("what was there before")
    with pytest.raises(InvalidEvaluation, match="cannot be written in TREC's format"):
        write_run(Run("r", {"q": {"fine": 2.0, doc_id: 1.0}}), target)
    assert [path.name for path in tmp_path.iterdir()] == ["r.run"]
    assert target.read_text() == "what was there before"


def test_a_query_that_reads_as_a_comment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidEvaluation, match="#1"):
        write_run(Run("r", {"#1": {"d": 1.0}}), tmp_path / "r.run")


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    target = tmp_path / "r.tsv"
    write_run(Run("r", {"q": {"d": 1.0}}), target)
    before = target.read_bytes()
    with pytest.raises(InvalidEvaluation, match="TSV"):
        write_run(Run("r", {"q": {"d": 3.0, "tab\t": 2.0}}), target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["r.tsv"]


def test_a_suffix_of_no_format_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidEvaluation, match=r"'\.xlsx' names no format"):
        write_run(Run("r", {}), tmp_path / "r.xlsx")


def test_equal_runs_make_equal_files(tmp_path: Path) -> None:
    run = Run("r", {"q": {"a": 2.0, "b": 1.0}})
    for name in ("one.run.gz", "two.run.gz"):
        write_run(run, tmp_path / name)
    assert (tmp_path / "one.run.gz").read_bytes() == (tmp_path / "two.run.gz").read_bytes()


@pytest.mark.parametrize("name", ["r.run", "r.jsonl", "r.csv", "r.tsv"])
def test_an_empty_file_is_an_empty_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert read_run(tmp_path / name) == Run("r", {})


def test_a_missing_folder_is_named_and_not_a_file_in_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_run(Run("r", {}), tmp_path / "nowhere" / "r.run")
    assert caught.value.filename == str(tmp_path / "nowhere")


def test_judgements_in_place_of_a_run_are_recognised(tmp_path: Path) -> None:
    (tmp_path / "qrels.txt").write_text("q 0 a 1\n")
    with pytest.raises(FormatError, match=r"has 4 columns, expected 6 .*; four are judgements"):
        read_run(tmp_path / "qrels.txt")
