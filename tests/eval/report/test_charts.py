import re
import struct
from itertools import pairwise

import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import InvalidEvaluation
from eval.report import charts
from eval.report.charts import Difference, all_collections, intervals, query_differences
from eval.report.figure import LIGHT
from eval.report.latency_chart import Point, quality_against_latency
from eval.report.marks import look, shortened

NAMES = ["bm25", "dense", "a $x$ <b> & 检索", "one-vector"]
PLACES = {name: at for at, name in enumerate(NAMES)}
SVG = "{http://www.w3.org/2000/svg}"


def latency_chart(p50=(1.0, 10.0, 12.0, 80.0)):
    points = [
        Point(name, 0.4 + at / 50, 0.37 + at / 50, 0.43 + at / 50, ms, 2 * ms)
        for at, (name, ms) in enumerate(zip(NAMES, p50, strict=False))
    ]
    return quality_against_latency("latency", "nDCG@10", points, "cranfield", PLACES)


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_every_system_is_labelled_beside_its_mark():
    found = texts(latency_chart().svg())
    assert all(name in found for name in NAMES)


@pytest.mark.parametrize("p50", [(0.0, 0.0, 0.0, 0.0), (5.0,), (5.0, 5.0), (0.0, 1e6), (3.0, 3.1, 3.2, 3.3)])
def test_any_latencies_can_be_drawn(p50):
    assert set(NAMES[: len(p50)]) <= set(texts(latency_chart(p50).svg()))


def test_an_inline_drawing_is_xml_with_ids_of_its_own_and_the_pages_colours():
    chart = latency_chart()
    inline = chart.inline()
    root = ElementTree.fromstring(inline)
    assert root.attrib["viewBox"]
    assert "width" not in root.attrib
    assert not re.search(r"https?:|xlink|<style|#[0-9a-f]{6}\b(?!\")", inline.replace('href="#', ""))
    ids = re.findall(r'\sid="([^"]+)"', inline)
    assert len(ids) == len(set(ids))
    assert all(one.startswith("latency-") for one in ids)
    assert set(re.findall(r"var\(--(\w+)\)", inline)) <= set(LIGHT)
    assert chart.title in inline


def test_files_hold_the_same_figure_with_colours_and_dimensions(tmp_path):
    chart = latency_chart()
    chart.save(tmp_path / "a.svg")
    chart.save(tmp_path / "a.png")
    root = ElementTree.fromstring((tmp_path / "a.svg").read_text("utf-8"))
    assert root.find(f"{SVG}title").text == chart.title
    png = (tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (310 * 200 // 72, 230 * 200 // 72)
    with pytest.raises(InvalidEvaluation, match="pdf"):
        chart.save(tmp_path / "a.pdf")


def test_drawing_again_gives_the_same_bytes():
    chart = latency_chart()
    once = (chart.inline(), chart.svg(), chart.png())
    assert (chart.inline(), chart.svg(), chart.png()) == once
    again = latency_chart()
    assert (again.inline(), again.svg(), again.png()) == once


def test_marks_differ_in_shape_or_colour_and_the_baseline_is_hollow():
    looks = [(shape["marker"], shape["markerfacecolor"]) for shape in map(look, range(30))]
    assert len(set(looks)) == 30
    assert looks[0][1] == "none"
    assert len({marker for marker, _ in looks[1:7]}) == 6


def heights(chart) -> list[float]:
    """The steps of the filled outline, in points above the line of nothing."""
    paths = [
        node.attrib["d"]
        for node in ElementTree.fromstring(chart.svg()).iter(f"{SVG}path")
        if f"fill: {look(1)['color']}" in node.attrib.get("style", "")
    ]
    pairs = [tuple(map(float, pair)) for pair in re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", paths[0])]
    zero = pairs[0][1]
    return [zero - y for (x, y), (x2, y2) in pairwise(pairs) if y == y2 and x2 > x]


def test_bars_are_sorted_and_as_high_as_the_differences():
    differences = [0.25, -0.5, 0.0, 0.125, -0.0625]
    steps = heights(query_differences("q", "nDCG@10", "dense", "bm25", differences, 0.5))
    expected = sorted(differences, reverse=True)
    assert [step / -steps[-1] * 0.5 for step in steps] == pytest.approx(expected, abs=1e-3)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.sampled_from([0.0, 1e-9, -1e-9, 0.5, -0.5, 1.0]), max_size=8))
def test_better_and_worse_are_counted_with_the_tolerance_of_compare(differences):
    chart = query_differences("q", "nDCG@10", "dense", "bm25", differences, 1.0)
    won, lost = sum(d > 1e-6 for d in differences), sum(d < -1e-6 for d in differences)
    assert f"{won} better than bm25, {lost} worse" in chart.description
    assert {f"{won} better", f"{lost} worse"} <= set(texts(chart.svg()))


def test_intervals_and_all_collections_name_all_systems():
    apart = [Difference(name, 0.01, -0.01, 0.03) for name in NAMES[1:]]
    chart = intervals("i", "nDCG@10", "bm25", apart, "cranfield", PLACES)
    assert set(NAMES[1:]) <= set(texts(chart.svg()))
    assert "+0.010 (-0.010 to +0.030)" in chart.description
    everything = all_collections(
        "a", {"c": "nDCG@10", "d": "RR"}, {"c": [0.1, 0.2, None, 0.4], "d": [0.5] * 4}, PLACES
    )
    assert {*NAMES, "c nDCG@10", "d RR"} <= set(texts(everything.svg()))


def test_every_figure_of_a_report_has_a_file_name_of_its_own(make_result, tmp_path):
    drawn = charts(make_result(collections=["a/b", "检索"], systems=["bm25", "dense"]))
    assert len({chart.name for chart in drawn}) == len(drawn) == 7
    assert all(re.fullmatch(r"[a-z0-9-]+", chart.name) for chart in drawn)


def test_long_names_are_cut():
    assert shortened("x" * 40) == "x" * 25 + "…"
    assert shortened("two\nlines") == "two lines"
