"""The parts of a study against other libraries and slow plain versions."""

from __future__ import annotations

import math
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event import Event
from eval.errors import InvalidEvaluation
from eval.personal import Split, popularity_run, recommendation_study
from eval.personal.calibration import jensen_shannon, miscalibration, popularity_groups
from eval.personal.control import Remaining, promotions, remaining, verdict
from eval.personal.groups import cold_start, history_groups
from eval.personal.readers import Change, finite
from eval.personal.shown import Popularity, gini, shown_by
from eval.run import Run, in_given_order

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("scipy", reason="the extra eval is not installed")


def ranked(*documents: str) -> dict[str, float]:
    return in_given_order((doc_id, float(-place)) for place, doc_id in enumerate(documents))


@settings(max_examples=60)
@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_gini_is_half_the_mean_difference_over_the_mean(counts: list[int]) -> None:
    total, n = sum(counts), len(counts)
    wanted = sum(abs(a - b) for a in counts for b in counts) / (2 * n * total) if total else 0.0
    assert gini(counts) == pytest.approx(wanted)


SHARES = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 20), min_size=1).map(
    lambda parts: {name: part / sum(parts.values()) for name, part in parts.items()}
)


@settings(max_examples=60)
@given(SHARES, SHARES)
def test_divergence_is_scipys(p: dict[str, float], q: dict[str, float]) -> None:
    from scipy.spatial.distance import jensenshannon

    wanted = jensenshannon([p.get(c, 0) for c in "abcde"], [q.get(c, 0) for c in "abcde"], base=2) ** 2
    assert jensen_shannon(p, q) == pytest.approx(wanted, abs=1e-9)
    assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p))
    assert jensen_shannon(p, p) == pytest.approx(0.0, abs=1e-12)


def test_calibration_compares_what_was_read_with_what_is_shown() -> None:
    categories = {"a": ("x",), "b": ("y",), "c": ("x", "y"), "d": ("z",)}
    users, histories = (
        {"q": "u", "r": "u"},
        {"q": (Event("u", "a"), Event("u", "a")), "r": (Event("u", "b"),)},
    )
    same = Run("same", {"q": ranked("c"), "r": ranked("unknown")})
    assert miscalibration(same, users, histories, categories) == pytest.approx(0.0)
    apart = Run("apart", {"q": ranked("d"), "r": ranked("d", "a")})
    assert miscalibration(apart, users, histories, categories, cutoff=1) == pytest.approx(1.0)
    assert math.isnan(miscalibration(apart, users, {}, categories))


def test_head_and_tail_have_a_fifth_of_the_readings_each() -> None:
    readers = {f"d{n:02}": 1 for n in range(40)} | {"top": 20, "mid": 40}
    groups = Counter(group for (group,) in popularity_groups(Popularity(readers, 60)).values())
    events = {name: sum(readers[d] for d, (g,) in popularity_groups(Popularity(readers, 60)).items() if g == name)
              for name in groups}  # fmt: skip
    assert sum(events.values()) == 100
    assert events["tail"] == pytest.approx(20, abs=1)
    assert popularity_groups(Popularity(readers, 60))["top"] == ("middle",)


def test_popularity_counts_readers_and_what_is_shown_is_averaged_by_reader() -> None:
    events = [Event("u", "a"), Event("u", "a"), Event("v", "a"), Event("v", "b"), Event("w", "a")]
    popularity = Popularity.of(events)
    assert popularity == Popularity({"a": 3, "b": 1}, 3)
    assert popularity.surprise("a") == 0.0
    assert popularity.surprise("new") == 2.0
    anonymous = Run("anonymous", {"1": ranked("b", "c"), "2": ranked("b"), "3": ranked("b", "x", "y")})
    run = Run("run", {"1": ranked("a", "c"), "2": ranked("b"), "3": ranked("a", "b", "c")})
    users = {"1": "u", "2": "u", "3": "v"}
    histories = {"1": (Event("u", "b"),), "2": (), "3": (Event("v", "b"),)}
    shown = shown_by(run, anonymous, users, histories, popularity, 10, cutoff=2)
    assert shown.popularity == pytest.approx(((3 + 0) / 2 + 1) / 2 / 2 + (3 + 1) / 2 / 2)
    assert shown.lift == pytest.approx(((1.5 / 1 - 1) + (2 / 1 - 1)) / 2)
    assert shown.unread == pytest.approx(((0.5 + 0) / 2 + 0) / 2)
    assert shown.coverage == pytest.approx(0.3)
    assert shown.gini == pytest.approx(gini([2, 2, 1, 0, 0, 0, 0, 0, 0, 0]))
    assert shown.kept == pytest.approx(((0.5 + 1) / 2 + 0.5) / 2)
    assert shown.unchanged == pytest.approx(1 / 3)


def test_cold_start_is_the_same_documents_in_the_same_order() -> None:
    anonymous = Run("a", {"1": ranked("a", "b"), "2": ranked("a", "b"), "3": ranked("a"), "4": ranked("a")})
    personal = Run("p", {"1": ranked("a", "b"), "2": ranked("b", "a"), "4": ranked("b")})
    cold = cold_start(anonymous, personal, {"1": (), "2": (), "3": (), "4": (Event("u", "d"),)})
    assert (cold.queries, cold.different, cold.examples) == (3, 2, ("2", "3"))


def test_groups_are_by_documents_met_and_count_harm_in_each() -> None:
    histories = {
        "0": (),
        "4": tuple(Event("u", f"d{n}") for n in range(4)) * 3,
        "5": tuple(Event("u", f"d{n}") for n in range(5)),
        "20": tuple(Event("v", f"d{n}") for n in range(20)),
    }
    users = {"0": "t", "4": "u", "5": "u", "20": "v"}
    base, other = dict.fromkeys(users, 0.5), {"0": 0.5, "4": 0.2, "5": 0.9, "20": 0.495}
    groups = history_groups(histories, users, base, other, None, tolerance=0.01)
    assert [(group.name, group.readers, group.other, group.harmed) for group in groups] == [
        ("0", 1, 0.5, 0.0),
        ("1-4", 1, 0.2, 1.0),
        ("5-19", 1, 0.9, 0.0),
        ("20+", 1, 0.495, 0.0),
    ]
    assert [group.name for group in history_groups({}, users, base, other, None, 0.0, bounds=(0, 1, 2))] == [
        "0"
    ]


def test_promotions_are_what_is_new_in_the_first_ranks() -> None:
    anonymous = Run("a", {"1": ranked("a", "b", "c"), "2": ranked("x")})
    personal = Run("p", {"1": ranked("c", "b", "a"), "2": ranked("y", "z")})
    found = promotions(anonymous, personal, {"1": {"c": 1, "a": 1}, "2": {"y": 0, "z": 2}}, cutoff=2)
    assert (found.documents, found.relevant, found.usual) == (3, pytest.approx(2 / 3), 0.5)
    assert not found.suspicious  # three documents prove nothing


def test_the_share_that_remains_is_that_of_the_means() -> None:
    base = {"u": 0.1, "v": 0.2, "w": 0.3}
    found = remaining(base, {"u": 0.3, "v": 0.4, "w": 0.5}, {"u": 0.2, "v": 0.3, "w": 0.4}, rounds=500)
    assert (found.share, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


HELD = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 14)), min_size=1, max_size=15)


@settings(max_examples=40)
@given(HELD, HELD, st.randoms(), st.integers(1, 6))
def test_recommendations_are_judged_as_a_slow_plain_version_does(
    history: list[tuple[int, int]], future: list[tuple[int, int]], random: object, k: int
) -> None:
    met = {(f"u{user}", f"d{doc}") for user, doc in history}
    new = {(f"u{user}", f"d{doc}") for user, doc in future} - met
    if not new:
        return
    split = Split(tuple(Event(*pair) for pair in sorted(met)), tuple(Event(*pair) for pair in sorted(new)))
    documents = [f"d{number}" for number in range(15)]
    rankings = {}
    for user in sorted({user for user, _ in new}):
        random.shuffle(documents)  # type: ignore[attr-defined]
        rankings[user] = ranked(*documents)
    [_, found] = recommendation_study([Run("run", rankings)], split, cutoff=k, rounds=100)
    hits, gains, inverses = [], [], []
    for user, ranking in rankings.items():
        wanted = {doc for who, doc in new if who == user}
        fresh = [doc for doc in ranking if (user, doc) not in met]
        right = [place for place, doc in enumerate(fresh, 1) if doc in wanted]
        hits.append(any(place <= k for place in right))
        ideal = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(wanted)) + 1))
        gains.append(sum(1 / math.log2(place + 1) for place in right if place <= k) / ideal)
        inverses.append(1 / right[0])
    n = len(rankings)
    assert (found.hit_rate, found.ndcg, found.mrr) == pytest.approx(
        (sum(hits) / n, sum(gains) / n, sum(inverses) / n), abs=1e-6
    )


def test_the_popularity_baseline_leaves_out_what_was_read() -> None:
    history = [
        Event("u", "a"),
        Event("v", "a"),
        Event("v", "b"),
        Event("w", "a"),
        Event("w", "b"),
        Event("w", "c"),
    ]
    run = popularity_run(Split(tuple(history), (Event("u", "c"), Event("stranger", "x"))))
    assert {user: list(ranking) for user, ranking in run.rankings.items()} == {
        "u": ["b", "c"],
        "stranger": ["a", "b", "c"],
    }


def test_a_run_of_queries_is_no_run_of_recommendations() -> None:
    split = Split((Event("u", "a"),), (Event("u", "b"),))
    with pytest.raises(InvalidEvaluation, match="ranks for none of the 1 readers"):
        recommendation_study([Run("run", {"q1": ranked("a")})], split)


def test_what_json_cannot_say_is_null() -> None:
    assert finite({"a": (math.nan, 1.5), "b": [math.inf, {"c": "x"}]}) == {
        "a": [None, 1.5],
        "b": [None, {"c": "x"}],
    }


def changed(difference: float, p: float, half: float = 0.01) -> Change:
    return Change(
        "a",
        "b",
        50,
        0.2,
        0.2 + difference,
        difference,
        difference - half,
        difference + half,
        p,
        p,
        1.0,
        30,
        10,
        10,
    )


REAL = changed(0.1, 0.001)


@pytest.mark.parametrize(
    ("gain", "control", "personal_part", "share", "says"),
    [
        (changed(-0.1, 0.001), None, None, None, "Personalising makes it worse: -0.1000 over 50 readers"),
        (changed(0.005, 0.3), None, None, None, "No gain is shown"),
        (changed(-0.005, 0.3), None, None, None, "No gain is shown"),
        (REAL, None, None, None, "whether that is personal is not known"),
        (REAL, changed(0.08, 0.001), changed(0.02, 0.2), 0.8, "most of the gain, 80% .* remains"),
        (
            REAL,
            changed(0.03, 0.01),
            changed(0.07, 0.01),
            0.3,
            "part of it, 30% .*; the personal part is .0.0700",
        ),
        (REAL, changed(0.03, 0.2), changed(0.07, 0.06), 0.3, "more readers are needed to tell them apart"),
        (REAL, changed(-0.05, 0.01), changed(0.15, 0.01), -0.5, "turns into a loss: the gain is personal"),
        (
            REAL,
            changed(0.001, 0.8),
            changed(0.099, 0.001),
            0.01,
            "it vanishes, 1% .* remains: the gain is personal",
        ),
        (changed(0.1, 0.00001), None, None, None, "p < 0.0001"),
    ],
)
def test_the_verdict_says_what_the_numbers_do(
    gain: Change, control: Change | None, personal_part: Change | None, share: float | None, says: str
) -> None:
    left = None if share is None else Remaining(share, share - 0.1, share + 0.1)
    assert re.search(says, verdict(gain, control, personal_part, left))
