"""Audits: the shortcuts of documents, and gains that are wholly, partly and not at all a shortcut's by construction."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.audit import Explained, Shortcut, audit, explained, ranked_alone, shortcuts
from eval.audit.alone import candidates, restricted
from eval.audit.explained import _Ranked
from eval.collection import Collection, Judgements, Topic
from eval.errors import InvalidEvaluation
from eval.measures import evaluate, parse_measure
from eval.run import Run
from indexer.document import Document

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("scipy", reason="the extra eval is not installed")

NDCG = parse_measure("nDCG@10")
DOCUMENTS = 300
POOL = 50


class World:
    """Queries whose relevant documents tend to be new; systems know relevance, and like what is new, more or less."""

    def __init__(self, seed: int, leak: float, queries: int = 100) -> None:
        generator = np.random.default_rng(seed)
        names = [f"d{number}" for number in range(DOCUMENTS)]
        self.place = dict(
            zip(names, ((generator.permutation(DOCUMENTS) + 0.5) / DOCUMENTS).tolist(), strict=True)
        )
        self.shortcut = Shortcut("year", "number", self.place, DOCUMENTS)
        self.pools = {
            f"q{query}": [names[at] for at in generator.choice(DOCUMENTS, POOL, replace=False)]
            for query in range(queries)
        }
        self.noise = {query: generator.normal(0, 1, POOL) for query in self.pools}
        qrels = {}
        for query, documents in self.pools.items():
            worth = leak * self._places(documents) + generator.normal(0, 1, POOL)
            qrels[query] = {documents[at]: 1 for at in np.argsort(-worth)[:6].tolist()}
        self.judgements = Judgements(qrels)

    def _places(self, documents: Sequence[str]) -> np.ndarray:
        return np.array([self.place[document] for document in documents])

    def run(self, name: str, merit: float, liking: float) -> Run:
        """Return a system's run: how well it knows relevance, and how much it likes what is new."""
        rankings = {}
        for query, documents in self.pools.items():
            relevant = np.array([document in self.judgements.qrels[query] for document in documents])
            scores = merit * relevant + liking * self._places(documents) + self.noise[query]
            order = np.argsort(-scores).tolist()
            rankings[query] = {documents[at]: float(POOL - rank) for rank, at in enumerate(order)}
        return Run(name, rankings)

    def value(self, run: Run) -> float:
        return evaluate(run, self.judgements, [NDCG]).mean(NDCG)

    def explained(self, system: Run, baseline: Run) -> Explained:
        return explained(system, baseline, [self.shortcut], self.judgements, NDCG)[0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_gain_that_is_wholly_a_shortcut_is_explained(seed: int) -> None:
    world = World(seed, leak=2.0)
    found = world.explained(world.run("new", 1.0, 1.5), world.run("base", 1.0, 0.0))
    assert found.gain > 0.05
    assert found.share is not None
    assert 0.8 <= found.share <= 1.1
    assert found.prefers == "highest first"
    assert found.exposure > found.baseline_exposure + 0.1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_gain_that_has_nothing_to_do_with_it_is_not_explained(seed: int) -> None:
    world = World(seed, leak=0.0)
    found = world.explained(world.run("better", 1.8, 0.0), world.run("base", 1.0, 0.0))
    assert found.gain > 0.2
    assert found.share == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_a_gain_that_is_partly_a_shortcut_that_part_is_explained(seed: int) -> None:
    """The part is known: what the liking adds to the baseline and to the better system, on average."""
    world = World(seed, leak=2.0)
    base, liking = world.run("base", 1.0, 0.0), world.run("liking", 1.0, 1.0)
    better, both = world.run("better", 1.5, 0.0), world.run("both", 1.5, 1.0)
    gain = world.value(both) - world.value(base)
    part = (world.value(liking) - world.value(base) + world.value(both) - world.value(better)) / 2
    found = world.explained(both, base)
    assert found.gain == pytest.approx(gain)
    assert 0.2 < part / gain < 0.45
    assert found.share == pytest.approx(part / gain, abs=0.08)


def test_what_a_shortcut_costs_is_explained_as_a_loss() -> None:
    world = World(4, leak=2.0)
    found = world.explained(world.run("old", 1.0, -1.5), world.run("base", 1.0, 0.0))
    assert found.gain < -0.05
    assert found.explained < -0.04
    assert found.prefers == "lowest first"


def test_a_copy_gains_nothing_that_could_be_explained() -> None:
    world = World(5, leak=2.0)
    base = world.run("base", 1.0, 0.0)
    found = world.explained(Run("copy", base.rankings), base)
    assert (found.gain, found.added, found.missed, found.explained) == (0.0, 0.0, 0.0, 0.0)
    assert found.share is None


def test_systems_turned_round_explain_the_same_with_the_other_sign() -> None:
    world = World(6, leak=1.0)
    one, two = world.run("one", 1.6, 0.6), world.run("two", 1.0, 0.0)
    there, back = world.explained(one, two), world.explained(two, one)
    assert back.gain == pytest.approx(-there.gain)
    assert back.explained == pytest.approx(-there.explained)
    assert (back.added, back.missed) == (pytest.approx(-there.missed), pytest.approx(-there.added))


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=15, unique=True), min_size=1, max_size=6),
    st.lists(st.floats(-60, 60), min_size=2, max_size=6),
)
def test_exposure_never_falls_as_the_tilt_grows(queries: list[list[int]], tilts: list[float]) -> None:
    place = {f"d{number}": number / 20 for number in range(0, 21, 2)}  # odd ones have no value
    documents = {f"q{at}": [f"d{number}" for number in numbers] for at, numbers in enumerate(queries)}
    ranked = _Ranked.of(documents, Shortcut("field", "number", place, 21), 5)
    exposures = [ranked.exposure(tilt) for tilt in sorted(tilts)]
    assert all(low <= high + 1e-12 for low, high in itertools.pairwise(exposures))
    for query, ranking in ranked.tilted(max(tilts)).items():
        assert sorted(ranking) == sorted(documents[query])
    assert {query: list(ranking) for query, ranking in ranked.tilted(0.0).items()} == documents


def test_a_run_may_miss_queries_and_documents_may_lack_the_field() -> None:
    judgements = Judgements({"a": {"x": 1}, "b": {"y": 1}, "c": {"z": 1}})
    shortcut = Shortcut("field", "date", {"x": 0.2, "y": 0.9}, 4)
    ours = Run("ours", {"a": {"x": 2.0, "w": 1.0}})
    theirs = Run("theirs", {"a": {"w": 2.0, "x": 1.0}, "b": {"y": 1.0}})
    found = explained(ours, theirs, [shortcut], judgements, NDCG)[0]
    first = 1 / math.log2(3)
    assert found.gain == pytest.approx((1.0 - first) / 3)  # given the same documents, both find y


def test_nothing_found_is_nothing_explained() -> None:
    judgements = Judgements({"a": {"x": 1}})
    shortcut = Shortcut("field", "number", {"x": 0.5}, 1)
    assert explained(Run("ours", {}), Run("theirs", {}), [shortcut], judgements, NDCG) == []


# Shortcuts, as they are found in documents.


def documents(field: str, values: Sequence[object]) -> list[Document]:
    return [
        Document(f"d{number}", "x" * (10 + number % 3), metadata={} if value is None else {field: value})  # type: ignore[dict-item]
        for number, value in enumerate(values)
    ]


def ordered(shortcut: Shortcut) -> list[str]:
    return sorted(shortcut.place, key=lambda doc: (shortcut.place[doc], doc))


@pytest.mark.parametrize(
    ("values", "kind", "order"),
    [
        ([2010, 1999.5, 2020], "number", ["d1", "d0", "d2"]),
        (["7", " 12", "-3e1"], "number", ["d2", "d0", "d1"]),
        ([(3, 9), 4, 1], "number", ["d2", "d1", "d0"]),
        (
            [date(2020, 5, 1), datetime(2020, 4, 30, 23, tzinfo=UTC), date(1999, 1, 1)],
            "date",
            ["d2", "d1", "d0"],
        ),
        (["2020-05-01", "2020-05-01T07:00:00+09:00", "2021-01-01"], "date", ["d1", "d0", "d2"]),
        ([True, False, True], "boolean", ["d1", "d0", "d2"]),
        (["true", "False", "true"], "boolean", ["d1", "d0", "d2"]),
        (["rare", "common", "common"], "category", ["d0", "d1", "d2"]),
        ([("rare", "common"), "common", "odd"], "category", ["d2", "d0", "d1"]),
        (["2010", "about 2010", "about 2010"], "category", ["d0", "d1", "d2"]),
    ],
)
def test_a_field_is_what_all_of_its_values_are(values: list[object], kind: str, order: list[str]) -> None:
    found, _ = shortcuts(documents("field", values))
    shortcut = next(each for each in found if each.name == "field")
    assert shortcut.kind == kind
    assert ordered(shortcut) == order


def test_places_are_between_0_and_1_shared_by_equal_values_and_half_on_average() -> None:
    found, _ = shortcuts(documents("field", [1, 2, 2, 9, None]))
    shortcut = next(each for each in found if each.name == "field")
    assert shortcut.place == {"d0": 0.125, "d1": 0.5, "d2": 0.5, "d3": 0.875}
    assert shortcut.coverage == 0.8


def test_lengths_come_first_and_a_field_of_their_name_is_told_apart() -> None:
    found, _ = shortcuts(documents("characters", [3, 2, 1]), {"d0": 1, "d1": 4, "d2": 2, "elsewhere": 7})
    assert [each.name for each in found] == ["characters", "passages", "metadata.characters"]
    assert ordered(found[0]) == ["d0", "d1", "d2"]
    assert ordered(found[1]) == ["d0", "d2", "d1"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (["a", "b", "c"], "as frequent as the others"),
        ([5, 5, 5], "all values are the same"),
        (["x", "x", "x"], "as frequent"),
    ],
)
def test_what_orders_nothing_is_named(values: list[object], says: str) -> None:
    found, skipped = shortcuts(documents("field", values))
    assert [each.name for each in found] == ["characters"]
    assert says in skipped["field"]


# Shortcuts alone.


def test_a_field_that_gives_relevance_away_is_far_above_chance_and_noise_is_not() -> None:
    world = World(7, leak=50.0)
    noise = Shortcut("noise", "number", World(8, 0.0).place, DOCUMENTS)
    rows, chance = ranked_alone([noise, world.shortcut], world.pools, world.judgements, NDCG)
    assert (rows[0].shortcut, rows[0].first) == ("year", "highest first")
    assert rows[0].mean > 0.95
    assert rows[0].corrected_p < 1e-6
    assert rows[0].over_chance == pytest.approx(rows[0].mean - chance)
    assert 0.05 < chance < 0.25
    assert all(row.corrected_p > 0.01 for row in rows if row.shortcut == "noise")
    assert [row.mean for row in rows] == sorted((row.mean for row in rows), reverse=True)


def test_equal_values_are_worth_what_chance_is() -> None:
    """A shortcut that gives every document one value must not profit from any order that documents come in."""
    world = World(9, leak=0.0)
    flat = Shortcut("flat", "category", dict.fromkeys(world.place, 0.5), DOCUMENTS)
    rows, chance = ranked_alone([flat], world.pools, world.judgements, NDCG)
    for row in rows:
        assert row.mean == pytest.approx(chance, abs=0.03)


def test_documents_without_a_value_come_last_both_ways() -> None:
    judgements = Judgements({"q": {"right": 1, "wrong": 0, "blank": 0}})
    shortcut = Shortcut("field", "number", {"right": 0.75, "wrong": 0.25}, 3)
    reciprocal = parse_measure("RR")
    rows, _ = ranked_alone([shortcut], {"q": ["blank", "right", "wrong"]}, judgements, reciprocal)
    assert {row.first: row.mean for row in rows} == {"highest first": 1.0, "lowest first": 0.5}


def test_candidates_are_the_judged_documents_where_others_than_relevant_ones_are_judged() -> None:
    run = Run("run", {"q": {"found": 2.0, "deep": 1.0}, "r": {"found": 1.0}})
    judged = {"q": {"right": 1, "wrong": 0}, "r": {"right": 2}}
    assert candidates(judged, [run], 1) == ({"q": ["right", "wrong"], "r": ["right"]}, True)
    positive = {"q": {"right": 1}, "r": {"right": 2}}
    assert candidates(positive, [run], 1) == ({"q": ["found"], "r": ["found"]}, False)


def test_relevant_documents_that_no_run_found_do_not_make_a_shortcut_of_what_runs_avoid() -> None:
    """Relevance knows nothing of the year, but the run prefers what is new: the relevant ones it misses are old."""
    world = World(10, leak=0.0)
    biased = world.run("biased", 1.0, 6.0)
    found = Run("biased", {query: dict(list(ranks.items())[:25]) for query, ranks in biased.rankings.items()})
    pool, _ = candidates(world.judgements.qrels, [found], 25)
    filled = {
        query: sorted({*documents, *world.judgements.qrels[query]}) for query, documents in pool.items()
    }

    def lowest_over_chance(candidates: dict[str, list[str]]) -> float:
        rows, _ = ranked_alone([world.shortcut], candidates, world.judgements, NDCG)
        return next(row.over_chance for row in rows if row.first == "lowest first")

    assert lowest_over_chance(filled) > 0.25
    assert lowest_over_chance(pool) < 0.12


def test_a_run_among_candidates_keeps_its_order() -> None:
    run = Run("run", {"q": {"c": 3.0, "x": 2.0, "a": 1.0}, "unjudged": {"a": 1.0}})
    assert restricted(run, {"q": ["a", "b", "c"]}).rankings == {"q": {"c": 3.0, "a": 1.0}}


# All of it.


def small() -> tuple[Collection, Run, Run]:
    texts = documents("year", [2000 + number for number in range(12)])
    qrels = {f"q{at}": {f"d{at + 6}": 1} for at in range(5)}
    topics = {query: Topic(query, "what?") for query in qrels}
    collection = Collection("small", topics, Judgements(qrels), lambda: iter(texts), "0")
    newest = {f"d{number}": float(number) for number in range(11, -1, -1)}
    return (
        collection,
        Run("base", {query: {"d0": 2.0, "d6": 1.0} for query in qrels}),
        Run("new", dict.fromkeys(qrels, newest)),
    )


def test_an_audit_is_all_of_it_and_plain_values() -> None:
    collection, base, new = small()
    found = audit(collection, base, [new], NDCG, passages={f"d{number}": 1 for number in range(12)})
    assert found.queries == 5
    assert not found.judged_only
    assert list(found.systems) == ["base", "new"]
    assert {row.shortcut for row in found.alone} == {"characters", "year"}
    assert [(row.system, row.shortcut) for row in found.explained] == [("new", "characters"), ("new", "year")]
    assert found.skipped == {"passages": "all values are the same"}
    record = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert record["measure"] == "nDCG@10"
    assert len(record["explained"]) == 2


def test_an_audit_of_one_query_makes_json_without_infinities() -> None:
    collection, base, new = small()
    one = Collection("one", {}, Judgements({"q0": {"d6": 1}}), collection.documents, "0")
    record = json.loads(json.dumps(audit(one, base, [new], NDCG).to_json(), allow_nan=False))
    assert record["alone"][0]["interval"] == [None, None]
    assert record["explained"][0]["gain_interval"] == [None, None]
    assert record["explained"][0]["share"] is None


def test_an_audit_gives_the_same_again() -> None:
    collection, base, new = small()
    assert audit(collection, base, [new], NDCG, seed=3) == audit(collection, base, [new], NDCG, seed=3)


def test_runs_of_one_name_are_refused() -> None:
    collection, base, _ = small()
    with pytest.raises(InvalidEvaluation, match="different names"):
        audit(collection, base, [base], NDCG)


def test_a_collection_without_judgements_is_refused() -> None:
    collection, base, new = small()
    empty = Collection("none", {}, Judgements({}), collection.documents, "0")
    with pytest.raises(InvalidEvaluation, match="no judgements"):
        audit(empty, base, [new], NDCG)
