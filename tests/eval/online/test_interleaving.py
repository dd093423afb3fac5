"""Interleaving is fair: checked by going through every fall of the coin, and by simulated readers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from eval.errors import InvalidEvaluation
from eval.online import Impression, Interleaved, analyse_interleaving, probabilistic, team_draft

rankings = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)
METHODS = (team_draft, probabilistic)


@pytest.mark.parametrize("mix", METHODS)
@given(a=rankings, b=rankings, length=st.integers(0, 10), seed=st.integers())
def test_any_two_lists(mix: object, a: list[str], b: list[str], length: int, seed: int) -> None:
    mixed: Interleaved = mix(a, b, length, seed=seed)  # type: ignore[operator]
    assert len(mixed.doc_ids) == len(set(mixed.doc_ids)) == min(length, len({*a, *b}))
    assert set(mixed.doc_ids) <= {*a, *b}
    assert mixed == mix(a, b, length, seed=seed)  # type: ignore[operator]
    longer: Interleaved = mix(a, b, length + 1, seed=seed)  # type: ignore[operator]
    assert longer.doc_ids[:length] == mixed.doc_ids
    assert longer.shares[:length] == mixed.shares
    assert all(0.0 <= share <= 1.0 for share in mixed.shares)
    assert len(mixed.teams) == len(mixed.doc_ids)


@given(a=rankings, b=rankings, length=st.integers(0, 10), seed=st.integers())
def test_team_draft_keeps_what_captains_promise(a: list[str], b: list[str], length: int, seed: int) -> None:
    mixed = team_draft(a, b, length, seed=seed)
    prefix = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))))
    kept = min(prefix, length)
    assert list(mixed.doc_ids[:kept]) == a[:kept]
    assert mixed.teams[:kept] == ("-",) * kept
    assert "-" not in mixed.teams[kept:]
    for team, ranking in (("A", a), ("B", b)):
        taken: set[str] = set()
        for doc, side in zip(mixed.doc_ids, mixed.teams, strict=True):
            if side == team:  # each pick is the captain's best of what is left
                assert doc == next(d for d in ranking if d not in taken)
            taken.add(doc)
    if len(set(a) & set(b)) == len(a) == len(b):
        for end in range(len(mixed.teams) + 1):
            picks = mixed.teams[:end]
            assert abs(picks.count("A") - picks.count("B")) <= 1


class Coins(random.Random):
    """Falls as it is told."""

    def __init__(self, falls: Iterator[bool]) -> None:
        self._falls = falls
        super().__init__()

    def random(self) -> float:
        return 0.0 if next(self._falls) else 0.9


@pytest.mark.parametrize(
    ("a", "b"), [("abcdef", "badcfe"), ("abcdef", "ghijkl"), ("abcd", "bcda"), ("abcd", "abdc")]
)
def test_over_all_falls_of_the_coin_every_place_is_each_teams_half_of_the_time(
    a: str, b: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: dict[Interleaved, float] = {}
    swapped: dict[tuple[str, ...], float] = {}
    for falls in itertools.product((True, False), repeat=4):
        monkeypatch.setattr("eval.online.interleaving.random.Random", lambda _, f=falls: Coins(iter(f)))
        mixed = team_draft(a, b, len(a), seed=0)
        outcomes[mixed] = outcomes.get(mixed, 0.0) + 1 / 16
        other = team_draft(b, a, len(a), seed=0)
        swapped[other.doc_ids] = swapped.get(other.doc_ids, 0.0) + 1 / 16
    for place in range(len(a)):
        assert sum(chance * mixed.shares[place] for mixed, chance in outcomes.items()) == pytest.approx(0.5)
    shown: dict[tuple[str, ...], float] = {}
    for mixed, chance in outcomes.items():
        shown[mixed.doc_ids] = shown.get(mixed.doc_ids, 0.0) + chance
    assert shown == swapped


@given(a=st.permutations("abcde"), b=st.permutations("abcde"), steepness=st.sampled_from([0.0, 1.0, 3.0]))
def test_a_reader_who_clicks_anywhere_gives_both_systems_the_same_in_expectation(
    a: list[str], b: list[str], steepness: float
) -> None:
    def expected(left_a: dict[str, float], left_b: dict[str, float], places: int) -> list[float]:
        """A's share at each place, over everything that can be drawn: straight from the definition."""
        if not places:
            return []
        total_a, total_b = sum(left_a.values()), sum(left_b.values())
        sums = [0.0] * places
        for doc in left_a:
            by_a, by_b = left_a[doc] / total_a, left_b[doc] / total_b
            chance = (by_a + by_b) / 2
            rest = expected(
                {d: w for d, w in left_a.items() if d != doc},
                {d: w for d, w in left_b.items() if d != doc},
                places - 1,
            )
            for place, share in enumerate([by_a / (by_a + by_b), *rest]):
                sums[place] += chance * share
        return sums

    weights = [{doc: place**-steepness for place, doc in enumerate(ranking, 1)} for ranking in (a, b)]
    assert expected(*weights, 3) == pytest.approx([0.5, 0.5, 0.5])
    drawn = [probabilistic(a, b, 3, seed=seed, steepness=steepness) for seed in range(300)]
    for place in range(3):
        assert mean(mixed.shares[place] for mixed in drawn) == pytest.approx(0.5, abs=0.1)


def test_probabilistic_draws_as_often_as_the_formula_says() -> None:
    count = 8000
    drawn = [probabilistic("abc", "cba", 1, seed=seed).doc_ids[0] for seed in range(count)]
    weights = [1.0, 1 / 8, 1 / 27]
    first = {doc: (weights[at] + weights[2 - at]) / (2 * sum(weights)) for at, doc in enumerate("abc")}
    for doc, chance in first.items():
        assert drawn.count(doc) / count == pytest.approx(chance, abs=0.02)
    mixed = probabilistic("abc", "cba", 1, seed=0)
    assert mixed.shares[0] == pytest.approx({"a": 27 / 28, "b": 0.5, "c": 1 / 28}[mixed.doc_ids[0]])


def experiment(
    mix: object, a: str, b: str, worth: dict[str, float], *, readers: int, searches: int, seed: int
) -> list[Impression]:
    chance = random.Random(seed)
    log = []
    for reader, search in itertools.product(range(readers), range(searches)):
        mixed: Interleaved = mix(a, b, 5, seed=f"{seed}/{reader}/{search}")  # type: ignore[operator]
        clicks = tuple(
            place for place, doc in enumerate(mixed.doc_ids) if chance.random() < worth[doc] / (1 + place)
        )
        log.append(Impression("q", mixed.doc_ids, clicks, user_id=f"u{reader}", shares=mixed.shares))
    return log


@pytest.mark.parametrize("mix", METHODS)
def test_equal_systems_are_seldom_told_apart_and_better_ones_are(mix: object) -> None:
    worth = dict(zip("abcdefgh", (0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05), strict=True))
    wrong = 0
    for seed in range(
        60
    ):  # neither is better: each is the other with two names exchanged, and these are alike
        alike = worth | {"b": 0.5, "c": 0.5}
        log = experiment(mix, "abcdefgh", "acbdefgh", alike, readers=25, searches=4, seed=seed)
        wrong += bool(analyse_interleaving(log).winner)
    assert wrong <= 8  # 3 are expected at the level of 95 %; more than 8 have a chance of 0.2 %
    better = experiment(mix, "abcdefgh", "hgfedcba", worth, readers=60, searches=4, seed=1)
    outcome = analyse_interleaving(better)
    assert outcome.winner == "A"
    assert outcome.words("new", "old").startswith("new is better than old: new wins")
    mirrored = [
        Impression(s.query_id, s.shown, s.clicks, s.user_id, shares=tuple(1 - x for x in s.shares))
        for s in better
    ]
    other = analyse_interleaving(mirrored)
    assert (other.winner, other.wins_a, other.readers_a) == ("B", outcome.wins_b, outcome.readers_b)
    assert (other.share_a, other.low) == (pytest.approx(1 - outcome.share_a), pytest.approx(1 - outcome.high))
    assert (other.p_value, other.p_sign) == (pytest.approx(outcome.p_value), pytest.approx(outcome.p_sign))


def test_the_outcome_by_hand_and_by_scipy() -> None:
    def seen(user: str | None, clicks: tuple[int, ...]) -> Impression:
        return Impression("q", ("a", "b", "c", "d"), clicks, user_id=user, shares=(1.0, 0.0, 0.5, 1.0))

    log = [
        seen("u1", (0,)), seen("u1", (0, 1)), seen("u1", (1,)),  # a win, a tie, a loss: .5
        seen("u2", (0, 3)), seen("u2", ()),  # a win: 1
        seen("u3", (1,)), seen("u3", (2,)),  # a loss, a tie: .25
        seen(None, (3,)),  # a win: 1
    ]  # fmt: skip
    found = analyse_interleaving(log)
    assert (found.impressions, found.clicked, found.wins_a, found.wins_b, found.ties) == (8, 7, 3, 2, 2)
    assert found.credit_a == pytest.approx((1 + 1 + 0 + 2 + 0 + 0.5 + 1) / 9)
    assert (found.readers, found.readers_a, found.readers_b) == (4, 2, 1)
    by_scipy = ttest_1samp([0.5, 1.0, 0.25, 1.0], 0.5)
    interval = by_scipy.confidence_interval()
    assert found.share_a == pytest.approx(0.6875)
    assert found.p_value == pytest.approx(by_scipy.pvalue)
    assert (found.low, found.high) == (pytest.approx(interval.low), 1.0)
    assert found.p_sign == pytest.approx(binomtest(2, 3).pvalue)
    assert found.winner == ""
    assert "No difference is shown" in found.words()


def test_few_readers_prove_little() -> None:
    def won(user: str) -> Impression:
        return Impression("q", ("a",), (0,), user_id=user, shares=(1.0,))

    alone = analyse_interleaving([won("u")] * 50)
    assert (alone.winner, alone.readers, alone.p_value) == ("", 1, 1.0)
    assert "One reader alone proves nothing" in alone.words()
    agreed = analyse_interleaving([won(f"u{at}") for at in range(3)])
    assert (agreed.winner, agreed.p_value) == ("", pytest.approx(0.25))
    assert agreed.low < 0.5
    assert analyse_interleaving([won(f"u{at}") for at in range(10)]).winner == "A"


def test_what_cannot_be_interleaved_or_analysed_is_refused() -> None:
    for mix in METHODS:
        with pytest.raises(InvalidEvaluation, match="B has a document twice"):
            mix("ab", "aa", 2, seed=1)
        with pytest.raises(InvalidEvaluation, match="found -1"):
            mix("ab", "ba", -1, seed=1)
    with pytest.raises(InvalidEvaluation, match="steepness"):
        probabilistic("ab", "ba", 1, seed=1, steepness=-1)
    with pytest.raises(InvalidEvaluation, match="line 7: an impression without teams"):
        analyse_interleaving([Impression("q", ("a",), (0,), line=7)])
    with pytest.raises(InvalidEvaluation, match="no click"):
        analyse_interleaving([Impression("q", ("a",), (), shares=(1.0,))])
