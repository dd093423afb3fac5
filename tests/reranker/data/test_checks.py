"""Checks: each fault is found where it was put, counted, and nothing else is."""

from __future__ import annotations

import pytest

from reranker.data.checks import check, check_judged
from reranker.data.example import Example, TrainingData
from reranker.data.judged import JudgedDocument, JudgedQuery
from reranker.errors import TrainingDataError
from reranker.pairs import PassageText

GOOD = JudgedQuery("good", "a question", (JudgedDocument("d1", 1.0), JudgedDocument("d2", 0.0)))


def query(name: str, text: str, **grades: float) -> JudgedQuery:
    return JudgedQuery(name, text, tuple(JudgedDocument(doc_id, grade) for doc_id, grade in grades.items()))


def example(name: str, text: str, *pairs: tuple[str, float]) -> Example:
    return Example(
        name, text, tuple(PassageText(passage) for passage, _ in pairs), tuple(grade for _, grade in pairs)
    )


def test_sound_data_have_no_findings() -> None:
    assert not check_judged([GOOD], [query("other", "another question", d1=1, d2=0)], lambda doc_id: True)
    fine = example("1", "a", ("x", 1.0), ("y", 0.0))
    assert not check(TrainingData.of([fine], [example("2", "b", ("x", 2.0), ("y", 1.0))]))


@pytest.mark.parametrize(
    ("kind", "train", "dev"),
    [
        ("empty-query", [query("e", " ", d1=1, d2=0)], []),
        ("leak", [], [query("l", "A  question?", d1=1, d2=0)]),
        ("repeated-query", [query("r", "A question!", d1=1, d2=0)], []),
        ("only-zeros", [query("z", "zeros", d1=0)], []),
        ("only-positives", [query("p", "positives", d1=1, d2=2)], []),
        ("unknown-document", [query("u", "unknown", lost=1, d2=0)], []),
        (
            "contradiction",
            [
                JudgedQuery(
                    "c",
                    "contradiction",
                    (JudgedDocument("d1", 1.0), JudgedDocument("d1", 0.0), JudgedDocument("d2", 2.0)),
                )
            ],
            [],
        ),
        (
            "empty-passage",
            [
                JudgedQuery(
                    "t",
                    "texts",
                    (JudgedDocument("d1", 1.0), JudgedDocument("x", 0.0, passage=PassageText(" "))),
                )
            ],
            [],
        ),
    ],
)
def test_each_fault_of_judgements_is_found_and_no_other(
    kind: str, train: list[JudgedQuery], dev: list[JudgedQuery]
) -> None:
    findings = check_judged([GOOD, *train], dev, lambda doc_id: doc_id != "lost")
    assert [finding.kind for finding in findings] == [kind]
    (finding,) = findings
    assert finding.count == 1
    assert (train + dev)[0].query_id in finding.examples[0]


def test_reversed_preferences() -> None:
    backward = query("b", "a question", d2=1, d1=0)
    kinds = {finding.kind for finding in check_judged([GOOD, backward])}
    assert kinds == {"repeated-query", "reversed"}


def test_nothing_known_and_nothing_at_all() -> None:
    assert {f.kind for f in check_judged([GOOD], known=lambda doc_id: False).errors} == {"nobody-known"}
    assert [f.kind for f in check_judged([]).errors] == ["nothing"]
    assert [f.kind for f in check(TrainingData.of([], [])).errors] == ["nothing"]


@pytest.mark.parametrize(
    ("kind", "bad", "part"),
    [
        ("empty-query", example("q9", "", ("x", 1.0), ("y", 0.0)), "train"),
        ("leak", example("q9", "A good one.", ("x", 1.0), ("y", 0.0)), "dev"),
        ("only-zeros", example("q9", "q", ("x", 0.0), ("y", 0.0)), "train"),
        ("only-positives", example("q9", "q", ("x", 1.0)), "train"),
        ("empty-passage", example("q9", "q", ("x", 1.0), ("\n", 0.0)), "train"),
        ("two-grades", example("q9", "q", ("x", 1.0), ("x", 0.0)), "train"),
    ],
)
def test_each_fault_of_examples_is_found_and_no_other(kind: str, bad: Example, part: str) -> None:
    good = example("q1", "a good one", ("x", 1.0), ("y", 0.0))
    train, dev = ([good, bad], []) if part == "train" else ([good], [bad])
    findings = check(TrainingData.of(train, dev))
    assert [finding.kind for finding in findings] == [kind]
    assert "q9" in findings.found[0].examples[0]


def test_errors_refuse_and_tell_all() -> None:
    faults = [query(f"e{number}", "", d1=1, d2=0) for number in range(5000)]
    findings = check_judged([GOOD, *faults], [query("l", "a question", d1=1, d2=0)])
    with pytest.raises(TrainingDataError) as raised:
        findings.refuse_errors()
    message = str(raised.value)
    assert "5,000 x a query without text" in message
    assert "e0" in message
    assert "e3" not in message
    assert "dev l 'a question'" in message
    warned = check_judged([GOOD, query("p", "positives", d1=1)])
    assert warned.refuse_errors() is warned
    assert [finding.kind for finding in warned.warnings] == ["only-positives"]
