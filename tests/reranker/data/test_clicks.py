"""Clicks: simulated readers with a known bias are seen through; files are read or refused by line."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from reranker.data.clicks import Click, PositionCurve, fit_power_law, from_clicks, from_sessions, read_clicks
from reranker.errors import TrainingDataError

WORTH = {"a": 0.7, "b": 0.5, "c": 0.3, "d": 0.05, "e": 0.0}


def simulated(eta: float, searches: int, seed: int = 0, shuffle: bool = True) -> list[Click]:
    """Readers who look at rank k with chance k ** -eta, and click what they look at as often as it is worth."""
    chance = random.Random(seed)
    clicks = []
    for number in range(searches):
        order = ["e", "d", "c", "b", "a"]  # the worst first, so that position and worth pull apart
        if shuffle:
            chance.shuffle(order)
        for rank, doc_id in enumerate(order, 1):
            clicked = chance.random() < rank**-eta * WORTH[doc_id]
            clicks.append(Click("q", doc_id, rank, clicked, f"s{number}"))
    return clicks


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0, 2.0])
def test_the_power_law_is_found(eta: float) -> None:
    assert fit_power_law(simulated(eta, 8000)).eta == pytest.approx(eta, abs=0.06)


def test_documents_that_never_move_tell_nothing() -> None:
    with pytest.raises(TrainingDataError, match="give a curve, or eta"):
        fit_power_law(simulated(1.0, 500, shuffle=False))


def test_rates_see_through_the_bias() -> None:
    clicks = simulated(2.0, 20_000, shuffle=False)
    by_rate = {doc: sum(c.clicked for c in clicks if c.doc_id == doc) for doc in WORTH}
    assert by_rate["c"] > by_rate["a"]  # as counted, what stands high wins
    (query,) = from_clicks(clicks, PositionCurve(eta=2.0, clip=100))
    grades = {document.doc_id: document.grade for document in query.judged}
    assert grades["a"] > grades["b"] > grades["c"] > grades["e"] == 0
    for doc_id in "abc":
        assert grades[doc_id] == pytest.approx(WORTH[doc_id], abs=0.1)


def test_one_lucky_click_is_not_certainty() -> None:
    """By hand: 41 clicks on 141 impressions at rank 1 make a mean of .291; one of one is drawn to 1.58 / 3."""
    clicks = [Click("q", "often", 1, n < 40, "") for n in range(140)] + [Click("q", "once", 1, True)]
    (query,) = from_clicks(clicks, PositionCurve(eta=0.0), step=0.01, shrink=2.0)
    assert {d.doc_id: d.grade for d in query.judged} == {"often": 0.29, "once": 0.53}
    (bare,) = from_clicks(clicks, PositionCurve(eta=0.0), step=0.01, shrink=0.0)
    assert {d.doc_id: d.grade for d in bare.judged} == {"often": 0.29, "once": 1.0}
    for wrong in ({"step": 0.0}, {"shrink": -1.0}):
        with pytest.raises(TrainingDataError, match="found"):
            list(from_clicks(clicks, PositionCurve(), **wrong))


def test_only_queries_with_clicks_and_zero_without() -> None:
    clicks = [Click("none", "a", 1, False), Click("one", "a", 1, True), Click("one", "b", 9, False)]
    (query,) = from_clicks(clicks, PositionCurve())
    assert query.query == "one"
    assert {d.doc_id: d.grade > 0 for d in query.judged} == {"a": True, "b": False}


def test_the_expected_session_weight_of_a_document_is_its_worth() -> None:
    """Inverse propensity weighting is unbiased: the mean weight of clicks is the chance of a click at the top."""
    searches = 20_000
    clicks = simulated(1.0, searches, seed=3)
    total = dict.fromkeys(WORTH, 0.0)
    for query in from_sessions(clicks, PositionCurve(eta=1.0)):
        for document in query.judged:
            total[document.doc_id] += document.weight if document.grade else 0.0
            assert document.grade or document.weight == 1.0
    for doc_id, worth in WORTH.items():
        assert total[doc_id] / searches == pytest.approx(worth, abs=0.03)


def test_sessions_need_their_name_and_stay_apart() -> None:
    with pytest.raises(TrainingDataError, match="no session"):
        list(from_sessions([Click("q", "a", 1, True)], PositionCurve()))
    clicks = [
        Click("q", "a", 1, True, "s1"),
        Click("q", "b", 2, False, "s1"),
        Click("q", "a", 1, False, "s2"),
    ]
    (query,) = from_sessions(clicks, PositionCurve())
    assert [(d.doc_id, d.grade) for d in query.judged] == [("a", 1.0), ("b", 0.0)]


def test_curves() -> None:
    given = PositionCurve((1.0, 0.5, 0.25), clip=3)
    assert [given.examination(rank) for rank in (1, 2, 3, 9)] == [1.0, 0.5, 1 / 3, 1 / 3]
    assert PositionCurve(eta=2.0, clip=100).examination(4) == pytest.approx(1 / 16)
    for wrong in (
        {"values": (0.0,)},
        {"values": (1.5,)},
        {"eta": -1.0},
        {"eta": float("nan")},
        {"clip": 0.5},
    ):
        with pytest.raises(TrainingDataError):
            PositionCurve(**wrong)


def test_files_of_every_kind_hold_the_same(tmp_path: Path) -> None:
    clicks = [Click("who, what", "d1", 1, True, "s"), Click("who, what", "d2", 2, False, "s")]
    rows = [
        {"query": c.query, "doc_id": c.doc_id, "rank": c.rank, "clicked": c.clicked, "session": c.session}
        for c in clicks
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "log.jsonl").write_text("\ufeff" + lines + "\n", encoding="utf-8")
    with gzip.open(tmp_path / "log.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(lines)
    header = "query,doc_id,rank,clicked,session\n"
    (tmp_path / "log.csv").write_text(
        header + '"who, what",d1,1,1,s\n"who, what",d2,2,False,s\n', encoding="utf-8"
    )
    tabs = header.replace(",", "\t") + "who, what\td1\t1\ttrue\ts\nwho, what\td2\t2\t0\ts\n"
    (tmp_path / "log.tsv").write_text(tabs, encoding="utf-8")
    for name in ("log.jsonl", "log.jsonl.gz", "log.csv", "log.tsv"):
        assert list(read_clicks(tmp_path / name)) == clicks, name


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"query": "q", "doc_id": "a", "rank": 1, "clicked": 1}\n{oops', 2),
        ('{"query": "q", "doc_id": "a", "rank": 0, "clicked": 1}', 1),
        ('{"query": "q", "doc_id": "a", "rank": 1.5, "clicked": 1}', 1),
        ('{"query": "q", "doc_id": "a", "rank": 1, "clicked": 2}', 1),
        ('\n{"query": "q", "rank": 1, "clicked": 0}', 2),
        ('{"query": ["q"], "doc_id": "a", "rank": 1, "clicked": 0}', 1),
        ("[1, 2]", 1),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainingDataError, match=rf"log\.jsonl:{line}:"):
        list(read_clicks(path))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("query,doc_id\na,b,c\n", encoding="utf-8")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"{}" * 5000)[:-20])
    (tmp_path / "latin.jsonl").write_bytes(b'{"query": "\xe9"}')
    for name, found in (
        ("log.csv", "log.csv:2"),
        ("cut.jsonl.gz", "cut"),
        ("latin.jsonl", "latin"),
        ("no", "no"),
    ):
        with pytest.raises(TrainingDataError, match=found):
            list(read_clicks(tmp_path / name))
