"""Names of measures: what prints is what parses, for all of ir_measures' and ours; people's spellings; suggestions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import UnknownMeasure
from eval.measures import Measure, parse_measure
from eval.measures.parse import OWN

ir_measures: Any = pytest.importorskip("ir_measures")
REGISTRY = ir_measures.measures.registry
QUICK = settings(deadline=None, max_examples=60)


def of_kind(name: str, kind: type | None, choices: Any) -> st.SearchStrategy[Any]:
    if isinstance(choices, list | tuple):
        return st.sampled_from(list(choices))
    if kind is bool:
        return st.booleans()
    if kind is float:
        return st.floats(0, 1)
    if kind is dict:
        return st.dictionaries(st.integers(-2, 5), st.integers(-2, 50), max_size=4)
    return st.integers(1, 2000) if name == "cutoff" else st.integers(0, 9)


@st.composite
def names(draw: st.DrawFn) -> str:
    """A name of any measure with any of its parameters, in any order."""
    base = draw(st.sampled_from(sorted({*REGISTRY, *OWN})))
    if base in OWN:
        parameters = {key: (kind, None, key == "cutoff") for key, kind in OWN[base][1].items()}
        at_name = "cutoff"
    else:
        measure = REGISTRY[base]
        at_name = measure.AT_PARAM
        parameters = {
            key: (info.dtype, info.choices, info.required or key == "cutoff")
            for key, info in measure.SUPPORTED_PARAMS.items()
        }
    chosen = [key for key, (_, _, needed) in parameters.items() if needed or draw(st.booleans())]
    values = {key: draw(of_kind(key, *parameters[key][:2])) for key in draw(st.permutations(chosen))}
    at = values.pop(at_name, None)
    inside = ", ".join(f"{key}={given!r}" for key, given in values.items())
    return base + (f"({inside})" if inside else "") + ("" if at is None else f"@{at}")


@QUICK
@given(names())
def test_a_measure_prints_as_it_parses(name: str) -> None:
    measure = parse_measure(name)
    again = parse_measure(str(measure))
    assert again == measure
    assert hash(again) == hash(measure)
    assert str(again) == str(measure)
    assert isinstance(measure, Measure)


@pytest.mark.parametrize("base", sorted(REGISTRY))
def test_every_measure_of_ir_measures_is_known(base: str) -> None:
    needed = {"cutoff": 10, "max_rel": 4}
    given = {key: value for key, value in needed.items() if key in REGISTRY[base].SUPPORTED_PARAMS}
    at = f"@{given.pop('cutoff')}" if "cutoff" in given else "@0.5" if base == "IPrec" else ""
    inside = ",".join(f"{key}={value}" for key, value in given.items())
    assert parse_measure(f"{base}({inside}){at}")


def test_different_names_are_different_measures() -> None:
    distinct = [
        "nDCG",
        "nDCG@10",
        "nDCG@5",
        "AP",
        "AP(rel=2)",
        "RBP",
        "RBP(p=0.9)",
        "ERR",
        "Latency(p50)",
        "P@5",
    ]
    assert len({parse_measure(name) for name in distinct}) == len(distinct)
    assert len({parse_measure(name) for name in ("MAP", "map", "AP", "AP(rel=1)", "ap( )")}) == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ndcg@10", "nDCG@10"),
        (" nDCG @ 10 ", "nDCG@10"),
        ("ndcg_cut_10", "nDCG@10"),
        ("ndcg_cut.10", "nDCG@10"),
        ("map", "AP"),
        ("MAP@100", "AP@100"),
        ("map_cut_100", "AP@100"),
        ("MRR", "RR"),
        ("mrr@10", "RR@10"),
        ("recip_rank", "RR"),
        ("bpref", "Bpref"),
        ("P_5", "P@5"),
        ("precision@5", "P@5"),
        ("recall_1000", "R@1000"),
        ("Recall@100", "R@100"),
        ("hit_rate@5", "Success@5"),
        ("success_1", "Success@1"),
        ("iprec_at_recall_0.10", "IPrec@0.1"),
        ("IPrec@1", "IPrec@1.0"),
        ("set_F", "SetF"),
        ("num_rel_ret", "NumRet(rel=1)"),
        ("Rprec", "Rprec"),
        ("infAP", "infAP"),
        ("α_nDCG@10", "alpha_nDCG@10"),
        ("alpha-nDCG@10", "alpha_nDCG@10"),
        ("err@20", "ERR@20"),
        ("rbp(p=0.95)", "RBP(p=0.95)"),
        ("spanrecall@5", "SpanRecall@5"),
        ("latency", "Latency(p50)"),
        ("Latency(95)", "Latency(p95)"),
        ("Latency(p99.9)", "Latency(p99.9)"),
        ("AP(judged_only=True,rel=2)", "AP(rel=2,judged_only=True)"),
        ("nDCG(gains={0:0,1:1,2:5})@5", "nDCG(gains={2:5})@5"),
        ("nDCG(dcg='log2')@10", "nDCG@10"),
    ],
)
def test_names_as_people_type_them(typed: str, meant: str) -> None:
    assert str(parse_measure(typed)) == meant


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("ndcg10", "nDCG@10"),
        ("nDG@10", "nDCG@10"),
        ("Recal@100", "R@100"),
        ("recall100", "R@100"),
        ("SpanRecal@3", "SpanRecall@3"),
        ("mrr10", "RR@10"),
        ("something", ""),
        ("", ""),
        ("R@x", ""),
    ],
)
def test_a_mistyped_name_is_guessed(typed: str, suggestion: str) -> None:
    with pytest.raises(UnknownMeasure) as caught:
        parse_measure(typed)
    assert caught.value.suggestion == suggestion


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("P", "P needs its cutoff, as in P@10"),
        ("IPrec", "needs its recall, as in IPrec@0.1"),
        ("INST", r"needs its max_rel, as in INST\(max_rel=3\)"),
        ("ERR_IA", "needs its cutoff"),
        ("nDCG@0", "a cutoff is 1 or more"),
        ("nDCG@-3", "a cutoff is 1 or more"),
        ("nDCG@True", "expected a whole number"),
        ("nDCG@1.5", "expected a whole number"),
        ("ILD@0", "a cutoff is 1 or more"),
        ("nDCG(foo=1)", "no parameter 'foo'; it has cutoff, dcg"),
        ("RBP(q=1)", "no parameter 'q'; it has cutoff, p, rel"),
        ("RBP(p=2)", "p is 2; expected 0 to 1"),
        ("Latency(p200)", "expected 0 to 100"),
        ("nDCG(dcg='exp')", "expected 'log2' or 'exp-log2'"),
        ("nDCG(gains={1:'a'})", "expected grades and gains"),
        ("nDCG@10@20", "cannot be read"),
        ("nDCG@10 P@5", "cannot be read"),
        ("nDCG(10)", "cannot be read"),
        ("__import__('os').system('true')", "cannot be read"),
        ("(" * 500, "cannot be read"),
        ("nDCG@9**9**9**9", "cannot be read"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(typed: str, says: str) -> None:
    with pytest.raises(UnknownMeasure, match=says):
        parse_measure(typed)


@QUICK
@given(st.text(max_size=20))
def test_no_text_at_all_does_worse_than_to_be_unknown(text: str) -> None:
    try:
        measure = parse_measure(text)
    except UnknownMeasure:
        return
    assert parse_measure(str(measure)) == measure


def test_importing_evaluation_loads_none_of_its_libraries(root: Path) -> None:
    heavy = "ir_measures pytrec_eval scipy pyarrow matplotlib pandas ir_datasets torch onnxruntime".split()
    code = f"import sys, eval, eval.measures, eval.formats\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


def test_every_name_in_the_documentation_is_a_measure(root: Path) -> None:
    text = (root / "docs" / "measures.md").read_text(encoding="utf-8")
    part = text[text.index("## The measures") : text.index("**Passages.**")]
    found = [
        name
        for row in re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    ]
    assert len(found) > 40
    for name in found:
        try:
            parse_measure(name.replace("@k", "@10"))
        except UnknownMeasure as error:
            assert " needs its max_rel" in str(error) or " needs its cutoff" in str(error)  # noqa: PT017
    bases = {
        re.match(r"\w+", str(parse_measure(name.replace("@k", "@10"))))[0] for name in found if "@k" in name
    }
    documented = bases | {re.match(r"\w+", name)[0] for name in found}
    assert documented >= set(OWN) | {"Latency"}
    assert documented | {"NERR9", "NERR10"} >= {measure.NAME for measure in REGISTRY.values()}
