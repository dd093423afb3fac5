"""Measures that are counted here against slow plain versions and other libraries; what is missing is said."""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.collection import Judgements
from eval.errors import InvalidEvaluation, MissingDependency
from eval.measures import Evaluation, evaluate, parse_measure
from eval.run import Run, Span, in_given_order

pytest.importorskip("ir_measures")
QUICK = settings(deadline=None, max_examples=60)
SPANS = st.lists(
    st.builds(
        lambda doc, start, length: Span(doc, start, start + length),
        st.sampled_from("ab"),
        st.integers(0, 30),
        st.integers(0, 12),
    ),
    max_size=6,
)


def value(measure: str, run: Run, judgements: Judgements, query: str = "q", **options: Any) -> float:
    parsed = parse_measure(measure)
    return evaluate(run, judgements, [parsed], **options).values[parsed][query]


def ranked(*doc_ids: str) -> dict[str, float]:
    return in_given_order((doc_id, 0.0) for doc_id in doc_ids)


def characters(spans: list[Span]) -> set[tuple[str, int]]:
    return {(span.doc_id, at) for span in spans for at in range(span.start, span.end)}


@QUICK
@given(shown=SPANS, evidence=SPANS.filter(characters), cutoff=st.none() | st.integers(1, 6))
def test_span_measures_are_those_of_sets_of_characters(
    shown: list[Span], evidence: list[Span], cutoff: int | None
) -> None:
    at = "" if cutoff is None else f"@{cutoff}"
    run = Run("r", {"q": ranked("a")}, spans={"q": shown})
    judgements = Judgements({"q": {"a": 1}}, evidence={"q": evidence})
    seen, right = characters(shown[:cutoff]), characters(evidence)
    assert value(f"SpanRecall{at}", run, judgements) == pytest.approx(len(seen & right) / len(right))
    assert value(f"SpanIoU{at}", run, judgements) == pytest.approx(len(seen & right) / len(seen | right))
    first = next((n for n, span in enumerate(shown[:cutoff], 1) if characters([span]) & right), None)
    assert value(f"SpanRR{at}", run, judgements) == (1 / first if first else 0.0)


def test_a_worked_example_of_span_measures() -> None:
    run = Run("r", {"q": ranked("a")}, spans={"q": [Span("b", 0, 10), Span("a", 0, 10), Span("a", 5, 20)]})
    judgements = Judgements({"q": {"a": 1}}, evidence={"q": [Span("a", 8, 28)]})
    assert value("SpanRecall@2", run, judgements) == 2 / 20
    assert value("SpanRecall@3", run, judgements) == 12 / 20
    assert value("SpanIoU@3", run, judgements) == 12 / (10 + 20 + 8)
    assert value("SpanRR", run, judgements) == 1 / 2


def test_only_queries_with_evidence_count_and_one_without_an_answer_counts_zero() -> None:
    judgements = Judgements(
        {"q": {"a": 1}, "p": {"a": 1}, "o": {"a": 1}},
        evidence={"q": [Span("a", 0, 4)], "p": [Span("a", 0, 4)], "elsewhere": [Span("a", 0, 4)]},
    )
    run = Run("r", {"q": ranked("a"), "o": ranked("a")}, spans={"q": [Span("a", 0, 4)]})
    measure = parse_measure("SpanRecall")
    evaluation = evaluate(run, judgements, [measure])
    assert evaluation.values[measure] == {"q": 1.0, "p": 0.0}
    assert evaluation.mean(measure) == 0.5


def subtopics_of(seed: int) -> tuple[Run, Judgements]:
    choose = random.Random(seed)
    documents = [f"d{number}" for number in range(25)]
    subtopics = {
        f"{query}": {
            f"{topic}": {doc: choose.randint(0, 2) for doc in choose.sample(documents, choose.randint(1, 8))}
            for topic in range(1, choose.randint(2, 5))
        }
        for query in range(1, 5)
    }
    found = {
        query: ranked(*choose.sample(documents, choose.randint(1, 25))) for query in subtopics if query != "4"
    }
    qrels = {query: {doc: 1 for grades in by.values() for doc in grades} for query, by in subtopics.items()}
    return Run("r", found), Judgements(qrels, subtopics=subtopics)


@pytest.mark.parametrize("seed", [*range(20), 39, 95, 124, 195])
@pytest.mark.parametrize(("alpha", "cutoff", "rel"), [(0.5, 10, 1), (0.3, 5, 1), (0.3, 3, 2), (0.9, 20, 1)])
def test_alpha_ndcg_is_ndeval_s(seed: int, alpha: float, cutoff: int, rel: int) -> None:
    """Checked against pyndeval through ir_measures: the greedy ideal too, whose ties decide in some of the seeds."""
    pytest.importorskip("pyndeval")
    ir_measures: Any = pytest.importorskip("ir_measures")
    run, judgements = subtopics_of(seed)
    measure = parse_measure(f"alpha_nDCG(alpha={alpha},rel={rel})@{cutoff}")
    ours = evaluate(run, judgements, [measure]).values[measure]
    qrels = [
        ir_measures.Qrel(query, doc, grade, topic)
        for query, by in judgements.subtopics.items()
        for topic, grades in by.items()
        for doc, grade in grades.items()
    ]
    theirs = ir_measures.alpha_nDCG(alpha=alpha, rel=rel) @ cutoff
    for metric in ir_measures.iter_calc([theirs], qrels, dict(run.rankings)):
        assert ours[metric.query_id] == pytest.approx(metric.value, abs=1e-9)
    assert ours["4"] == 0.0


def test_alpha_ndcg_without_cutoff_of_the_ideal_ranking_is_one() -> None:
    subtopics = {"q": {"x": {"a": 1, "b": 1}, "y": {"b": 1}, "z": {"c": 1}}}
    judgements = Judgements({"q": {"a": 1}}, subtopics=subtopics)
    assert value("alpha_nDCG", Run("r", {"q": ranked("b", "c", "a")}), judgements) == pytest.approx(1)
    assert value("alpha_nDCG", Run("r", {"q": ranked("b", "a", "c")}), judgements) < 1


@pytest.mark.parametrize("name", ["ERR_IA@5", "alpha_DCG@5", "P_IA@5", "StRecall@5", "AP_IA", "NRBP"])
def test_other_measures_of_subtopics_are_counted_by_pyndeval(name: str) -> None:
    pytest.importorskip("pyndeval")
    run, judgements = subtopics_of(3)
    measures = [parse_measure(name), parse_measure("nERR_IA@5"), parse_measure("nDCG@5")]
    evaluation = evaluate(run, judgements, measures)
    assert set(evaluation.values[measures[0]]) == set(judgements.subtopics)
    assert 0 < evaluation.mean(measures[0])
    assert evaluation.values[measures[0]]["4"] == 0


@QUICK
@given(
    rows=st.lists(st.lists(st.floats(-2, 2), min_size=3, max_size=3), min_size=1, max_size=8),
    cutoff=st.none() | st.integers(1, 8),
)
def test_intra_list_diversity_is_the_mean_over_pairs(rows: list[list[float]], cutoff: int | None) -> None:
    vectors = {f"d{place}": np.array(row, dtype=np.float32) for place, row in enumerate(rows)}
    run = Run("r", {"q": ranked(*vectors)})

    def distance(left: np.ndarray, right: np.ndarray) -> float:
        lengths = float(np.linalg.norm(left.astype(float)) * np.linalg.norm(right.astype(float)))
        return 1 - float(left.astype(float) @ right.astype(float)) / lengths if lengths > 1e-30 else 1.0

    pairs = list(itertools.combinations(list(vectors.values())[:cutoff], 2))
    expected = sum(distance(left, right) for left, right in pairs) / len(pairs) if pairs else 0.0
    measured = value(
        "ILD" if cutoff is None else f"ILD@{cutoff}", run, Judgements({"q": {"x": 1}}), vectors=vectors
    )
    if all(np.linalg.norm(row) > 1e-12 or not np.any(row) for row in vectors.values()):
        assert measured == pytest.approx(expected, abs=1e-9)


def random_case(seed: int, highest: int = 4) -> tuple[Run, Judgements]:
    choose = random.Random(seed)
    documents = [f"d{number}" for number in range(40)]
    qrels = {
        str(query): {doc: choose.randint(0, highest) for doc in choose.sample(documents, 15)}
        for query in range(1, 6)
    }
    found = {
        query: ranked(*choose.sample(documents, choose.randint(1, 40))) for query in qrels if query != "5"
    }
    return Run("r", found), Judgements(qrels)


@pytest.mark.parametrize("seed", range(5))
def test_err_is_gdeval_s(seed: int) -> None:
    ir_measures: Any = pytest.importorskip("ir_measures")
    if not ir_measures.gdeval.is_available():
        pytest.skip("gdeval needs perl")
    run, judgements = random_case(seed)
    measure = parse_measure("ERR@10")
    ours = evaluate(run, judgements, [measure]).values[measure]
    exponential = parse_measure("nDCG(dcg='exp-log2')@10")
    gains = evaluate(run, judgements, [exponential]).values[exponential]
    asked = [ir_measures.ERR @ 10, ir_measures.nDCG(dcg="exp-log2") @ 10]
    for metric in ir_measures.gdeval.iter_calc(asked, judgements.qrels, dict(run.rankings)):
        expected = ours if metric.measure == asked[0] else gains
        assert expected[metric.query_id] == pytest.approx(metric.value, abs=1e-5)  # it prints five digits


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("p", "rel"), [(0.8, 1), (0.5, 2), (0.95, 1)])
def test_rbp_is_cwl_eval_s(seed: int, p: float, rel: int) -> None:
    pytest.importorskip("cwl")
    ir_measures: Any = pytest.importorskip("ir_measures")
    run, judgements = random_case(seed)
    measure = parse_measure(f"RBP(p={p},rel={rel})")
    ours = evaluate(run, judgements, [measure]).values[measure]
    for metric in ir_measures.iter_calc(
        [ir_measures.RBP(p=p, rel=rel)], judgements.qrels, dict(run.rankings)
    ):
        assert ours[metric.query_id] == pytest.approx(metric.value, abs=1e-9)


@QUICK
@given(grades=st.lists(st.integers(-1, 4), min_size=1, max_size=12), cutoff=st.none() | st.integers(1, 12))
def test_err_is_the_chance_of_stopping_at_each_rank_over_the_rank(
    grades: list[int], cutoff: int | None
) -> None:
    qrels = {f"d{place}": grade for place, grade in enumerate(grades)}
    run, at = Run("r", {"q": ranked(*qrels)}), "" if cutoff is None else f"@{cutoff}"
    stops = [(2 ** max(grade, 0) - 1) / 16 for grade in grades[:cutoff]]
    expected = sum(
        stop * math.prod(1 - before for before in stops[:place]) / (place + 1)
        for place, stop in enumerate(stops)
    )
    assert value(f"ERR{at}", run, Judgements({"q": qrels})) == pytest.approx(expected)


def test_latency_is_a_percentile_in_milliseconds() -> None:
    seconds = {f"q{number}": number / 1000 for number in range(101)} | {"unjudged": 9.0}
    judgements = Judgements({f"q{number}": {"d": 1} for number in range(150)})
    run = Run("r", {"q0": ranked("d")}, seconds=seconds)
    measures = [parse_measure(name) for name in ("Latency(p50)", "Latency(p95)", "Latency(p97.5)")]
    evaluation = evaluate(run, judgements, measures)
    times = list(evaluation.values[measures[0]].values())
    assert len(times) == 101
    for measure, percentile in zip(measures, (50, 95, 97.5), strict=True):
        assert measure.lower_is_better
        assert evaluation.mean(measure) == pytest.approx(float(np.percentile(times, percentile)))


def test_a_query_that_is_missed_counts_and_one_that_nobody_judged_does_not() -> None:
    run = Run("r", {"q1": ranked("a"), "stray": ranked("a"), "q3": {}})
    judgements = Judgements({"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 1}})
    names = ["nDCG@10", "AP", "RR@10", "Judged@10", "Success@5", "RBP", "ERR@10", "Compat"]
    measures = [parse_measure(name) for name in names]
    evaluation = evaluate(run, judgements, measures)
    assert (evaluation.unanswered, evaluation.unjudged) == (["q2", "q3"], ["stray"])
    for measure in measures:
        assert list(evaluation.values[measure]) == ["q1", "q2", "q3"], measure
        assert evaluation.values[measure]["q2"] == evaluation.values[measure]["q3"] == 0.0
        assert evaluation.mean(measure) == pytest.approx(evaluation.values[measure]["q1"] / 3)


def test_counts_are_summed_as_trec_eval_does() -> None:
    run = Run("r", {"q1": ranked("a", "b", "c")})
    judgements = Judgements({"q1": {"a": 1}, "q2": {"a": 1, "b": 2, "c": 0}})
    measures = {name: parse_measure(name) for name in ("NumQ", "NumRet", "NumRel", "NumRelRet")}
    evaluation = evaluate(run, judgements, list(measures.values()))
    sums = {name: evaluation.mean(measure) for name, measure in measures.items()}
    assert sums == {"NumQ": 2, "NumRet": 3, "NumRel": 3, "NumRelRet": 1}


def test_means_by_user() -> None:
    measure = parse_measure("P@1")
    evaluation = Evaluation("r", {measure: {"q1": 1.0, "q2": 0.0, "q3": 0.5, "q4": 1.0}})
    assert evaluation.by_user(measure, {"q1": "ann", "q2": "ann", "q3": "bob"}) == {"ann": 0.5, "bob": 0.5}
    with pytest.raises(InvalidEvaluation, match="belongs to a user"):
        evaluation.by_user(measure, {})


class OnlyMapping(Mapping[str, Any]):
    """A mapping that is no dictionary."""

    def __init__(self, held: dict[str, Any]) -> None:
        self.held = held

    def __getitem__(self, key: str) -> Any:
        return self.held[key]

    def __iter__(self) -> Any:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


def test_any_mapping_can_be_measured() -> None:
    run = Run("r", OnlyMapping({"q": OnlyMapping(ranked("a", "b"))}))
    judgements = Judgements(OnlyMapping({"q": OnlyMapping({"b": 1})}))
    for name in ("RR", "nDCG@10", "Judged@10", "RBP", "ERR"):
        assert value(name, run, judgements) > 0


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("SpanRecall@5", "needs spans of evidence"),
        ("alpha_nDCG@5", "needs judgements of subtopics"),
        ("StRecall@5", "needs judgements of subtopics"),
        ("ILD@5", "needs the documents' vectors"),
        ("Latency(p50)", "needs the time that answers took"),
        ("ERR(max_rel=2)@5", r"takes 2 for the highest grade, and there is a 3; ask for ERR\(max_rel=3\)@5"),
    ],
)
def test_what_a_measure_lacks_is_said(name: str, says: str) -> None:
    with pytest.raises(InvalidEvaluation, match=says):
        evaluate(Run("r", {"q": ranked("a")}), Judgements({"q": {"a": 3}}), [parse_measure(name)])


def test_a_run_without_passages_has_no_span_recall() -> None:
    judgements = Judgements({"q": {"a": 1}}, evidence={"q": [Span("a", 0, 4)]})
    with pytest.raises(InvalidEvaluation, match="the run 'r' holds none"):
        evaluate(Run("r", {"q": ranked("a")}), judgements, [parse_measure("SpanRR")])


def test_a_document_without_a_vector_is_named() -> None:
    with pytest.raises(InvalidEvaluation, match="a vector of 'b'"):
        value("ILD", Run("r", {"q": ranked("a", "b")}), Judgements({"q": {"a": 1}}), vectors={"a": [1.0]})


def test_data_that_do_not_belong_together_are_refused() -> None:
    measure = parse_measure("AP")
    with pytest.raises(InvalidEvaluation, match="there are no judgements"):
        evaluate(Run("r", {"q": ranked("a")}), Judgements({}), [measure])
    with pytest.raises(InvalidEvaluation, match=r"no query of the run 'r' \(such as '301'\) is judged"):
        evaluate(Run("r", {"301": ranked("a")}), Judgements({"q": {"a": 1}}), [measure])
    assert evaluate(Run("r", {}), Judgements({"q": {"a": 1}}), [measure]).mean(measure) == 0.0


def test_a_fault_of_the_library_is_said_with_the_measures_that_were_asked_for() -> None:
    """Accuracy divides by the number of other documents below the last relevant one, of which there are none here."""
    with pytest.raises(InvalidEvaluation, match=r"cannot count Accuracy here \(ZeroDivisionError"):
        value("Accuracy", Run("r", {"q": ranked("a")}), Judgements({"q": {"a": 1}}))


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ir_measures: Any = pytest.importorskip("ir_measures")
    run, judgements = random_case(1, highest=2)
    monkeypatch.setattr(ir_measures.cwl_eval, "_is_available", False)
    with pytest.raises(MissingDependency, match=r"counting INST\(max_rel=2\) needs cwl-eval"):
        evaluate(run, judgements, [parse_measure("INST(max_rel=2)"), parse_measure("AP")])
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(MissingDependency, match="ir_measures"):
        parse_measure("AP")
