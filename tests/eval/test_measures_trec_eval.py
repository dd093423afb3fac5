"""Measures equal those that NIST's own trec_eval printed, and those of pytrec_eval on other random runs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from eval.collection import Judgements
from eval.formats import read_qrels, read_run
from eval.measures import evaluate, parse_measure
from eval.run import Run

pytest.importorskip("ir_measures")
PRINTED = json.loads(
    Path(__file__).with_name("trec_eval").joinpath("outputs.json").read_text(encoding="utf-8")
)
CASES = PRINTED["cases"]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_every_value_is_the_one_that_trec_eval_printed(tmp_path: Path, number: int) -> None:
    case = CASES[number]
    (tmp_path / "qrels.txt").write_text(case["qrels"], encoding="utf-8")
    (tmp_path / "run.txt").write_text(case["run"], encoding="utf-8")
    qrels = read_qrels(tmp_path / "qrels.txt")
    run = read_run(tmp_path / "run.txt")
    names = {name: parse_measure(name) for name in case["values"]}
    evaluation = evaluate(run, Judgements(qrels), list(names.values()))
    for name, printed in case["values"].items():
        ours = evaluation.values[names[name]]
        for query, value in printed.items():
            if query != "all":
                assert ours[query] == pytest.approx(value, abs=1e-6), (name, query)
        assert evaluation.mean(names[name]) == pytest.approx(printed["all"], abs=1e-6), name
        assert set(ours) == set(qrels)
    assert set(evaluation.unanswered) == set(qrels) - set(run.rankings)
    assert set(evaluation.unjudged) == set(run.rankings) - set(qrels)


def test_the_printed_cases_hold_what_makes_measuring_hard() -> None:
    assert len(CASES) >= 20
    answered = [{line.split()[0] for line in case["run"].splitlines()} for case in CASES]
    judged = [{line.split()[0] for line in case["qrels"].splitlines()} for case in CASES]
    assert any(one - other for one, other in zip(judged, answered, strict=True)), (
        "judged queries without answer"
    )
    assert any(one - other for one, other in zip(answered, judged, strict=True)), "answers that nobody judged"
    assert any(" 1.00000001 " in case["run"] for case in CASES), "ties of floats that doubles tell apart"


@pytest.mark.parametrize("seed", range(10))
def test_every_value_is_the_one_of_pytrec_eval_on_the_file_s_scores(tmp_path: Path, seed: int) -> None:
    pytrec_eval: Any = pytest.importorskip("pytrec_eval")
    choose = random.Random(seed)
    documents = [f"doc{number}" for number in range(60)]
    qrels = {
        f"q{number}": {doc: choose.randint(0, 2) for doc in choose.sample(documents, 20)}
        for number in range(15)
    }
    scores = {
        query: {doc: float(choose.randint(-3, 3)) for doc in choose.sample(documents, choose.randint(1, 50))}
        for query in list(qrels)[: choose.randint(1, 15)]
    }
    path = tmp_path / "run.txt"
    lines = [
        f"{query} Q0 {doc} 1 {score} x" for query, found in scores.items() for doc, score in found.items()
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    names = {"map", "ndcg_cut_10", "P_5", "recall_100", "recip_rank", "bpref", "Rprec", "success_5"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, names).evaluate(scores)
    evaluation = evaluate(read_run(path), Judgements(qrels), [parse_measure(name) for name in names])
    for name in names:
        for query in qrels:
            expected = theirs[query][name] if query in scores else 0.0
            assert evaluation.values[parse_measure(name)][query] == pytest.approx(expected, abs=1e-9)


def test_a_run_made_of_scores_is_measured_as_one_read_from_a_file(tmp_path: Path) -> None:
    case = CASES[0]
    (tmp_path / "run.txt").write_text(case["run"], encoding="utf-8")
    scores: dict[str, dict[str, float]] = {}
    for line in case["run"].splitlines():
        query, _, doc, _, score, _ = line.split()
        scores.setdefault(query, {})[doc] = float(score)
    assert Run.from_scores("random-0", scores) == read_run(tmp_path / "run.txt")
