from dataclasses import replace

import pytest

from eval.report import numbers
from eval.report.cautions import judged, of_collection


@pytest.mark.parametrize(
    ("printer", "value", "text"),
    [
        (numbers.mean, 0.51639, "0.5164"),
        (numbers.mean, -0.2, "−0.2000"),
        (numbers.mean, 1234.56, "1,234.6"),
        (numbers.mean, float("nan"), "–"),
        (numbers.difference, 0.0, "0.0000"),
        (numbers.difference, -0.00001, "0.0000"),
        (numbers.difference, 0.05, "+0.0500"),
        (numbers.difference, -0.05, "−0.0500"),
        (numbers.p_value, 0.0009, "<0.001"),
        (numbers.p_value, 0.0011, "0.001"),
        (numbers.p_value, 0.0494, "0.049"),
        (numbers.p_value, 1.0, "1.000"),
        (numbers.effect, float("inf"), "+∞"),
        (numbers.effect, float("-inf"), "−∞"),
        (numbers.effect, float("nan"), "–"),
        (numbers.milliseconds, 0.004, "0.00"),
        (numbers.milliseconds, 19.54, "19.5"),
        (numbers.milliseconds, 1234.5, "1,234"),
        (numbers.duration, 3.04, "3.0 s"),
        (numbers.duration, 59.6, "1 min 00 s"),
        (numbers.duration, 7260, "2 h 01 min"),
        (numbers.moment, "2026-11-22T19:30:59+01:00", "2026-11-22 18:30 UTC"),
        (numbers.moment, "yesterday", "yesterday"),
        (numbers.moment, "", "–"),
    ],
)
def test_numbers_are_printed_as_people_read_them(printer, value, text):
    assert printer(value) == text


def only(result, **changes):
    """The first collection of the result and its facts, with the bm25 cell changed."""
    cells = [
        replace(cell, **changes) if cell.pipeline == "bm25" and cell.collection == "cranfield" else cell
        for cell in result.cells
    ]
    return replace(result, cells=cells), result.collections[0]


def test_a_sound_collection_is_not_warned_of(result):
    documents = result.collections[0].titles
    facts = replace(
        result.collections[0],
        qrels={query: dict.fromkeys(documents, 1) for query in result.collections[0].topics},
    )
    assert of_collection(replace(result, collections=[facts]), facts) == []


def test_missing_answers_are_counted(result):
    topics = result.collections[0].topics
    changed, facts = only(result, found=dict.fromkeys(topics, 100) | {"q1": 0, "q2": 0})
    assert any(
        sentence.startswith("bm25 found nothing for 2 queries") for sentence in of_collection(changed, facts)
    )
    changed, facts = only(result, found={}, top={"q1": ["doc-1"]})
    assert any(
        sentence.startswith("bm25 found nothing for 39 queries") for sentence in of_collection(changed, facts)
    )


def test_queries_without_a_relevant_document_are_counted(result):
    facts = result.collections[0]
    qrels = {**facts.qrels, "q1": {"doc-1": 0}, "q2": {}}
    said = of_collection(result, replace(facts, qrels=qrels))
    assert any(sentence.startswith("2 queries have no relevant document") for sentence in said)


def test_judged_is_what_ir_measures_says(result):
    import ir_measures

    facts, cell = result.collections[0], result.row("cranfield")["dense"]
    run = {query: {doc_id: 10.0 - rank for rank, doc_id in enumerate(top)} for query, top in cell.top.items()}
    measure = ir_measures.parse_measure("Judged@10")
    assert judged(cell, facts) == pytest.approx(
        ir_measures.calc_aggregate([measure], facts.qrels, run)[measure]
    )


def test_little_judged_and_less_judged_than_the_baseline_are_told(result):
    facts = result.collections[0]
    cells = result.row("cranfield")
    qrels = {query: dict.fromkeys(cells["bm25"].top[query], 1) for query in facts.topics}
    said = of_collection(result, replace(facts, qrels=qrels))
    assert any(sentence.startswith("Judged@10 is ") and "to 100%" in sentence for sentence in said)
    assert sum("may be better than its numbers say" in sentence for sentence in said) == 2


def test_what_several_cells_warn_of_is_said_once(result):
    busy = "timed while the machine was busy (load {})"
    facts = result.collections[0]
    cells = [
        replace(cell, warnings=[busy.format(at), "only here"] if at == 1 else [busy.format(at)])
        for at, cell in enumerate(result.row("cranfield").values())
    ]
    said = of_collection(replace(result, cells=cells), facts)
    assert "bm25, dense, hybrid: timed while the machine was busy" in said
    assert "dense: only here" in said
    alone = of_collection(replace(result, cells=cells[:1]), facts)
    assert "bm25: timed while the machine was busy (load 0)" in alone
