import sys
from dataclasses import dataclass, replace

import pytest
from selectolax.lexbor import LexborHTMLParser

from eval.errors import MissingDependency
from eval.experiment.result import Failure
from eval.measures import parse_measure
from eval.report import html_report
from eval.report.page import _environment
from eval.report.sections import entries
from eval.report.standing import Against, Mean

HOSTILE = "<script>alert('x')</script>\"'&$\\frac{1}{0}$ `|` </svg></title>"


def test_hostile_text_is_shown_as_text(make_result):
    result = make_result(collections=["a"], systems=["bm25", HOSTILE])
    facts = result.collections[0]
    hostile_facts = replace(
        facts,
        name=HOSTILE,
        source=HOSTILE,
        split=HOSTILE,
        fingerprint=HOSTILE,
        topics={query: HOSTILE for query in facts.topics},
        titles={doc_id: HOSTILE for doc_id in facts.titles},
    )
    cells = [
        replace(
            cell,
            collection=HOSTILE,
            kind=HOSTILE,
            settings={HOSTILE: HOSTILE},
            fingerprint=HOSTILE,
            run_file=HOSTILE,
            finished=HOSTILE,
            warnings=[HOSTILE],
            unmeasured={HOSTILE: HOSTILE},
            index=replace(cell.index, encoder=HOSTILE, analyser=HOSTILE, splitter=HOSTILE),
        )
        for cell in result.cells
    ]
    result = replace(
        result,
        name=HOSTILE,
        description=HOSTILE,
        definition=HOSTILE,
        machine=HOSTILE,
        started=HOSTILE,
        versions={HOSTILE: HOSTILE},
        collections=[hostile_facts],
        cells=cells,
        failures=[Failure(HOSTILE, HOSTILE, HOSTILE)],
    )
    text = html_report(result)
    page = LexborHTMLParser(text)
    assert len(page.css("script")) == 1
    assert text.count("<script") == 1
    assert "<script>alert" not in text
    assert page.css_first("h1").text() == HOSTILE
    assert page.css_first("article q").text() == HOSTILE
    assert page.css_first("title").text() == HOSTILE
    charts_drawn = 1 + 2 + 1
    assert len(page.css("figure > svg")) == charts_drawn


def test_an_empty_result_is_a_page_that_says_so(make_result):
    page = LexborHTMLParser(
        html_report(make_result(collections=[], systems=[], measures=[], baseline="", cells=[]))
    )
    assert "Nothing was measured" in page.css_first("#summary").text()
    assert not page.css("svg")


def test_a_collection_without_cells_and_a_failed_baseline_are_told(make_result):
    result = make_result(failures=[Failure("cisi", "bm25", "the disk is full")])
    cells = [cell for cell in result.cells if (cell.collection, cell.pipeline) != ("cisi", "bm25")]
    text = LexborHTMLParser(html_report(replace(result, cells=cells)))
    assert "bm25 could not be run on cisi: the disk is full" in text.css_first("#summary .note").text()
    assert "nothing is compared" in text.css_first("#c2-cisi .note").text()
    assert text.css_first("#summary tbody tr:last-child td:nth-child(3)").text() == "–"
    nothing = LexborHTMLParser(
        html_report(replace(result, cells=[cell for cell in cells if cell.collection != "cisi"]))
    )
    assert not nothing.css("#c2-cisi table")


@pytest.mark.parametrize("queries", [1, 2])
@pytest.mark.parametrize("systems", [["bm25"], ["bm25", "dense"]])
def test_one_system_and_one_query(make_result, queries, systems):
    page = LexborHTMLParser(html_report(make_result(systems=systems, queries=queries)))
    assert len(page.css("#c1-cranfield tbody tr")) >= len(systems)
    assert "inf" not in page.css_first("#c1-cranfield").text()
    assert "nan" not in page.css_first("#c1-cranfield").text()
    if len(systems) == 1:
        assert not page.css(".best, .mark, article")
    assert "intervals are wide" in page.css_first("#c1-cranfield .note").text()


def test_no_baseline_compares_nothing_and_says_so(make_result):
    page = LexborHTMLParser(html_report(make_result(baseline="")))
    assert not page.css(".mark, article")
    assert "No baseline is named" in page.css_first("#summary .note").text()
    assert page.css(".best")


def test_equal_systems_are_all_best_and_nothing_is_significant(make_result):
    result = make_result(systems=["bm25", "dense"])
    same = [
        replace(cell, evaluation=replace(result.row(cell.collection)["bm25"].evaluation, run=cell.pipeline))
        for cell in result.cells
    ]
    page = LexborHTMLParser(html_report(replace(result, cells=same)))
    assert not page.css(".mark, article")
    assert len(page.css("#summary tbody .best")) == 4


def test_a_measure_that_one_system_lacks(make_result, rows):
    result = make_result(collections=["cranfield"])
    lacking = parse_measure("RR")
    cells = [
        replace(
            cell,
            evaluation=replace(
                cell.evaluation, values={m: v for m, v in cell.evaluation.values.items() if m != lacking}
            ),
            unmeasured={"RR": "it was not told"},
        )
        if cell.pipeline == "dense"
        else cell
        for cell in result.cells
    ]
    page = LexborHTMLParser(html_report(replace(result, cells=cells)))
    table = rows(page.css_first("#c1-cranfield"), "Means over")
    assert [row[3] == "–" for row in table] == [False, True, False]
    assert "dense has no RR: it was not told" in page.css_first("#c1-cranfield").text()


def test_latencies_of_zero_and_none(make_result, rows):
    result = make_result(collections=["cranfield"])
    cells = [
        replace(cell, latency=latency)
        for cell, latency in zip(
            result.cells,
            [replace(result.cells[0].latency, p50=0.0, p95=0.0), None, result.cells[2].latency],
            strict=True,
        )
    ]
    page = LexborHTMLParser(html_report(replace(result, cells=cells)))
    table = rows(page.css_first("#c1-cranfield"), "Means over")
    assert [row[-2] for row in table[:2]] == ["0.00", "–"]
    drawn = page.css_first("#c1-cranfield-latency-desc").text()
    assert "bm25" in drawn
    assert "dense" not in drawn
    untimed = [replace(cell, latency=None) for cell in cells]
    assert not LexborHTMLParser(html_report(replace(result, cells=untimed))).css("#c1-cranfield-latency-desc")


def test_of_latency_less_is_better_and_a_percentile_is_not_tested(make_result):
    result = make_result(collections=["cranfield"], measures=["Latency(p50)"])
    page = LexborHTMLParser(html_report(result))
    table = page.css_first("#c1-cranfield table")
    means = {name: cell.evaluation.mean(result.measures[0]) for name, cell in result.row("cranfield").items()}
    best = [row.css_first("th").text().split()[0] for row in table.css("tbody tr") if row.css(".best")]
    assert best == [min(means, key=means.__getitem__)]
    assert not page.css(".mark, .ci, article")


def test_settings_that_differ_between_collections_name_each(make_result, rows):
    result = make_result(systems=["hybrid"], baseline="")
    cells = [replace(cell, settings={"alpha": str(at)}) for at, cell in enumerate(result.cells)]
    settings = rows(
        LexborHTMLParser(html_report(replace(result, cells=cells))).css_first("#method"), "every setting"
    )
    assert settings == [["kind", "quire"], ["alpha", "0 on cranfield; 1 on cisi"]]


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_a_missing_library_is_named_with_what_installs_it(make_result, monkeypatch, library):
    _environment.cache_clear()
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.style", None)
    with pytest.raises(MissingDependency, match=rf"{library}.*quire-search\[eval\]"):
        html_report(make_result(collections=["cranfield"], systems=["bm25"], queries=3))
    _environment.cache_clear()


@dataclass(frozen=True)
class Cost:
    """A measure of which less is better, and which is a mean."""

    lower_is_better = True


def test_of_a_cost_the_lowest_is_best_and_a_rise_is_worse():
    means = {"a": Mean(0.5), "b": Mean(0.3), "c": Mean(0.9)}
    against = {
        name: Against(Mean(means[name].mean - 0.5), 0.001, 0.002, 0.0, 1, 1, 1, 0.1) for name in ("b", "c")
    }
    found = entries(Cost(), means, against)
    assert [found[name].verdict for name in means] == ["", "better", "worse"]
    assert [found[name].best for name in means] == [False, True, False]
