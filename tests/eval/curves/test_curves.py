"""Curves: every number is what the engine and the measures say when asked apart; choice, file and figure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from engine.query import Query
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from eval.collection import Judgements, Topic
from eval.curves import Curve, Point, chart, measure, sweep, sweep_indexes
from eval.curves.curve import choose
from eval.curves.sweep import parsed
from eval.errors import FormatError, InvalidEvaluation
from eval.measures import evaluate, parse_measure
from eval.run import Run, in_given_order
from indexer.encoder import HashingEncoder
from indexer.index import Index
from small_corpus import WORDS, make_document

MEASURES = [parse_measure("nDCG@10"), parse_measure("R@20")]
TOPICS = {f"q{at}": Topic(f"q{at}", f"{WORDS[at]} {WORDS[at + 5]} number{at}") for at in range(12)}
QRELS = {query: {f"doc-{at:03}": 1, f"doc-{at + 40:03}": 2} for at, query in enumerate(TOPICS)}
JUDGEMENTS = Judgements(QRELS)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with filled(tmp_path_factory.mktemp("curves") / "index", 32) as made:
        yield made


def filled(folder: Path, dim: int, exact_up_to: int = 50_000, documents: int = 120) -> Index:
    made = Index.create(folder, encoder=HashingEncoder(dim), exact_up_to=exact_up_to)
    with made.writer() as writer:
        for number in range(documents):
            writer.add(make_document(number))
        writer.commit()
    return made


def asked_apart(index: Index, settings: SearchSettings, k: int) -> Run:
    engine = SearchEngine(index, index.encoder, settings)
    rankings = {}
    for query, topic in TOPICS.items():
        hits = engine.search(Query(topic.text, operators=False), k=k).hits
        rankings[query] = in_given_order((hit.doc_id, hit.score) for hit in hits)
    return Run("apart", rankings)


@pytest.mark.parametrize(
    ("parameter", "values"), [("depth", (5, 20)), ("alpha", (0.0, 1.0)), ("fusion", ("rrf",))]
)
def test_quality_is_what_the_measures_say(
    index: Index, parameter: str, values: tuple[float | str, ...]
) -> None:
    with sweep(index, parameter, values) as engines:
        curve = measure(engines, TOPICS, JUDGEMENTS, MEASURES, name="small", timed=2)
    assert {*values} < {point.value for point in curve.points}
    assert curve.chosen == getattr(SearchSettings(), parameter)
    assert (curve.queries, curve.timed, curve.rule) == (12, 2, "the value in use")
    for point in curve.points:
        assert list(point.quality) == [str(one) for one in MEASURES]
        for one, k in zip(MEASURES, (10, 20), strict=True):  # asked for more, a search looks deeper
            run = asked_apart(index, replace(SearchSettings(), **{parameter: point.value}), k)
            assert point.quality[str(one)] == pytest.approx(evaluate(run, JUDGEMENTS, [one]).mean(one))
        assert 0 < point.p50 <= point.p95
    assert set(curve.chosen_point.differences.values()) == {(0.0, 0.0)}
    for point in curve.points:
        for name, (low, high) in point.differences.items():
            change = point.quality[name] - curve.chosen_point.quality[name]
            assert low - 1e-9 <= change <= high + 1e-9


def test_agreement_is_with_the_exhaustive_search(index: Index) -> None:
    with sweep(index, "depth", (10, 40)) as engines:
        curve = measure(engines, TOPICS, JUDGEMENTS, MEASURES, name="small", timed=1)
    everything = SearchSettings(depth=index.reader().passage_count)
    for point in curve.points:
        shares = []
        for topic in TOPICS.values():
            pages = [
                {hit.doc_id for hit in SearchEngine(index, index.encoder, settings).search(query, k=10).hits}
                for query in [Query(topic.text, operators=False)]
                for settings in (everything, replace(SearchSettings(), depth=int(point.value)))
            ]
            shares.append(len(pages[0] & pages[1]) / len(pages[0]))
        assert point.agreement == pytest.approx(np.mean(shares))
    assert curve.points[-1].value == 200
    assert curve.points[-1].agreement == 1.0  # deeper than there are passages


def test_without_judgements_there_is_agreement_and_latency(index: Index) -> None:
    with sweep(index, "depth", (10,)) as engines:
        curve = measure(engines, TOPICS, None, (), name="unjudged", rule="best", queries=5, timed=3)
    assert curve.measures == ()
    assert curve.queries == 5
    assert curve.rule == "the highest agreement"
    assert chart(curve).svg().count("<title") == 1


def test_ef_moves_recall_and_needs_a_graph(index: Index, tmp_path: Path) -> None:
    with pytest.raises(InvalidEvaluation, match="no graph"):
        sweep(index, "ef", (64,))
    settings = SearchSettings(alpha=1.0, depth=10)
    with filled(tmp_path / "graph", 64, exact_up_to=1000, documents=1300) as large:
        with sweep(large, "ef", (400, 29), settings) as engines:
            assert list(engines.engines) == [29, 256, 400]
            assert engines.current == 256
            curve = measure(engines, TOPICS, JUDGEMENTS, MEASURES, name="graph", timed=1)
        agreement = [point.agreement or 0.0 for point in curve.points]
        assert agreement == sorted(agreement)
        assert agreement[-1] > 0.97
        reader = large.reader()
        for topic in TOPICS.values():  # the sweep left the index's own reader as it was
            vector = large.encoder.encode_query(topic.text)
            assert len(reader.dense(vector, 10)) == 10
        for wrong in (0, 1.5, "wide"):
            with pytest.raises(InvalidEvaluation, match="whole number"):
                sweep(large, "ef", (wrong,))


def test_indexes_are_compared_with_the_first(index: Index, tmp_path: Path) -> None:
    with filled(tmp_path / "other", 8) as other, sweep_indexes({"wide": index, "narrow": other}) as engines:
        curve = measure(engines, TOPICS, JUDGEMENTS, MEASURES, name="small", timed=1)
    assert [point.value for point in curve.points] == ["wide", "narrow"]
    assert (curve.chosen, curve.points[0].agreement, curve.numeric) == ("wide", 1.0, False)
    assert (curve.points[1].agreement or 0) < 1.0
    assert curve.against == "the index wide"
    with pytest.raises(InvalidEvaluation, match="at least one"):
        sweep_indexes({})


def test_settings_are_parsed_and_refused(index: Index) -> None:
    assert (parsed("depth", "50"), parsed("alpha", "0.5"), parsed("fusion", "rrf")) == (50, 0.5, "rrf")
    for name, text in (("depth", "deep"), ("fusion", "magic"), ("facets", "a"), ("colour", "1")):
        with pytest.raises(InvalidEvaluation, match=name):
            parsed(name, text)
    with pytest.raises(InvalidEvaluation, match="'colour' is no setting"):
        sweep(index, "colour", (1,))
    with pytest.raises(InvalidEvaluation, match="alpha"):
        sweep(index, "alpha", (2.0,))
    with sweep(index, "depth", (10,)) as engines, pytest.raises(InvalidEvaluation, match="judged queries"):
        measure(engines, TOPICS, Judgements({}), MEASURES, name="small")


POINTS = [
    Point(10, {"nDCG@10": 0.4}, p50=1.0, p95=2.0),
    Point(20, {"nDCG@10": 0.496}, p50=2.0, p95=3.0),
    Point(40, {"nDCG@10": 0.5}, p50=4.0, p95=5.0),
    Point(80, {"nDCG@10": 0.5}, p50=3.0, p95=9.0),
]


def test_each_rule_chooses_as_it_says() -> None:
    assert choose(POINTS, "current", 40) == (40, "the value in use")
    assert choose(POINTS, "knee", 40) == (20, "the fastest within 1% of the highest nDCG@10")
    assert choose(POINTS, "best", 40) == (80, "the highest nDCG@10")
    for points, rule, current in ((POINTS, "current", 30), ([], "best", 1), (POINTS, "elbow", 40)):
        with pytest.raises(InvalidEvaluation):
            choose(points, rule, current)  # type: ignore[arg-type]


def hand_made() -> Curve:
    points = [replace(p, differences={"nDCG@10": (-0.1, 0.02)}, agreement=0.9) for p in POINTS]
    return Curve("depth", "a <b> & 灯塔", points, 20, "the value in use", 5, 5, "an exhaustive search")


def test_a_curve_comes_back_from_its_file(tmp_path: Path) -> None:
    curve, path = hand_made(), tmp_path / "curve.json"
    curve.save(path)
    assert Curve.load(path) == curve
    for text in (
        "{}",
        "[]",
        "{",
        '{"format": 1}',
        '{"format": 9, "points": []}',
        '{"format": 1, "points": [1]}',
    ):
        path.write_text(text)
        with pytest.raises(FormatError, match="not a curve"):
            Curve.load(path)
    with pytest.raises(InvalidEvaluation, match="none of the points"):
        _ = replace(curve, chosen=11).chosen_point


@pytest.mark.parametrize("numeric", [True, False])
def test_the_figure_is_deterministic_named_and_says_its_numbers(tmp_path: Path, numeric: bool) -> None:
    curve = hand_made()
    if not numeric:
        points = [replace(p, value=f"index {p.value}") for p in curve.points]
        curve = replace(curve, parameter="index", points=points, chosen="index 20")
    drawn = chart(curve)
    assert drawn.svg() == chart(curve).svg()
    root = ElementTree.fromstring(drawn.svg())
    text = [node.text or "" for node in root.iter() if node.tag.endswith("}text")]
    for wanted in (
        "nDCG@10",
        "latency of a search, ms",
        "0.4960",
        "p50",
        "p95",
        "first ten in common with an exhaustive search",
    ):
        assert wanted in text
    assert any("the value in use" in one for one in text)
    assert any("20" in one for one in text)
    described = " ".join(node.text or "" for node in root.iter() if node.tag.endswith("}desc"))
    assert all(f"{point.quality['nDCG@10']:.4f}" in described for point in curve.points)
    assert "a <b> & 灯塔" in (root.find("{*}title").text or "")  # type: ignore[union-attr]
    assert drawn.name.replace("-", "").isalnum()
    for suffix in (".svg", ".png"):
        drawn.save(tmp_path / f"curve{suffix}")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert len(drawn.svg()) < 60_000


def test_one_point_can_be_drawn() -> None:
    curve = replace(hand_made(), points=hand_made().points[:1], chosen=10)
    assert math.isclose(curve.chosen_point.p50, 1.0)
    assert "0.4000" in chart(curve).svg()
