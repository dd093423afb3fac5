"""A real gain is called personal; a fake one is found out, whichever way it is faked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from engine.event import Event
from eval.collection import Judgements, Topic
from eval.errors import InvalidEvaluation, UnknownMeasure
from eval.measures import evaluate, parse_measure
from eval.personal import PersonalStudy, histories_of, personal_study, stand_in_histories
from eval.personal.control import without
from eval.run import Run, Span, in_given_order

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("scipy", reason="the extra eval is not installed")


def judge(world: Any, personal: Any, **options: Any) -> PersonalStudy:
    return personal_study(
        world.anonymous, personal, world.judgements, world.topics, world.events, **{"rounds": 2000} | options
    )


def test_a_system_that_knows_its_readers_is_called_personal(world: Any) -> None:
    study = judge(world, world.maker(world.by_taste))
    [part] = study.measures
    assert part.gain.gain
    assert part.remaining is not None
    assert part.remaining.share < 0.2
    assert part.personal_part is not None
    assert part.personal_part.gain
    assert "the gain is personal" in part.verdict
    assert study.cold.queries == 24
    assert study.cold.different == 0
    assert study.leakage.clean
    assert not study.promotions.suspicious
    assert [group.name for group in part.groups] == ["0", "1-4", "5-19"]
    assert part.groups[0].base == part.groups[0].other == part.groups[0].shuffled
    assert (study.queries, study.readers, study.unnamed) == (120, 60, 0)


@pytest.mark.parametrize("fake", ["by_popularity", "by_quality"])
def test_a_gain_that_needs_no_profile_remains_with_somebody_elses(world: Any, fake: str) -> None:
    study = judge(world, world.maker(getattr(world, fake)))
    [part] = study.measures
    assert part.gain.gain
    assert part.remaining is not None
    assert part.remaining.share == pytest.approx(1.0)
    assert "most of the gain, 100% (100% to 100%), remains with somebody else's profile" in part.verdict
    assert "not personal" in part.verdict
    assert study.cold.different > 0  # what needs no history shows where there is none


def test_popularity_is_seen_in_what_is_shown(world: Any) -> None:
    study = judge(world, world.maker(world.by_popularity))
    anonymous, personal, _ = study.shown
    assert personal.popularity > 2 * anonymous.popularity
    assert personal.coverage < anonymous.coverage
    assert personal.gini > anonymous.gini
    assert personal.novelty < anonymous.novelty


def test_held_out_documents_in_the_profiles_are_found(world: Any) -> None:
    leaked = [
        Event(topic.user_id, doc_id)
        for query_id, topic in world.topics.items()
        for doc_id in world.judgements.qrels[query_id]
        if topic.user_id >= "u12"
    ]
    maker = world.maker(world.by_leak)
    open_leak = personal_study(
        world.anonymous, maker, world.judgements, world.topics, [*world.events, *leaked], rounds=500
    )
    assert not open_leak.leakage.clean
    assert open_leak.leakage.findings[0].count >= len({(event.user_id, event.doc_id) for event in leaked})

    # The same run beside an event file that conceals it: no profile explains so many right guesses.
    held_out = {query_id: set(grades) for query_id, grades in world.judgements.qrels.items()}

    def concealed(query_id: str, doc_id: str, histories: Any) -> float:
        return 300.0 if histories[query_id] and doc_id in held_out[query_id] else 0.0

    run = world.maker(concealed)(histories_of(world.topics.values(), world.events))
    study = judge(world, run)
    assert study.leakage.clean
    assert study.promotions.suspicious
    assert study.promotions.relevant > 0.9
    # As a function it cannot help but do the same for a stand-in.
    assert "most of the gain" in judge(world, world.maker(concealed)).measures[0].verdict


def test_a_run_that_changes_nothing_gains_nothing(world: Any) -> None:
    study = judge(
        world, replace(world.anonymous, name="same"), shuffled=replace(world.anonymous, name="other")
    )
    [part] = study.measures
    assert part.gain.difference == part.gain.low == part.gain.high == 0.0
    assert part.gain.same == 60
    assert part.verdict.startswith("No gain is shown: +0.0000 over 60 readers")
    assert part.harm.readers == part.harm.queries == 0.0
    assert part.harm.worst == ()
    assert study.shown[1].unchanged == study.shown[1].kept == 1.0


def test_without_a_control_nothing_is_claimed(world: Any) -> None:
    run = world.maker(world.by_taste)(histories_of(world.topics.values(), world.events))
    [part] = judge(world, run).measures
    assert part.control is None
    assert part.remaining is None
    assert "whether that is personal is not known" in part.verdict


def test_three_files_say_the_same_as_a_function(world: Any) -> None:
    maker = world.maker(world.by_taste)
    by_function = judge(world, maker)
    lent = stand_in_histories(world.topics.values(), world.events)
    shuffled = replace(maker(lent), name="personal, shuffled")
    by_files = judge(world, maker(histories_of(world.topics.values(), world.events)), shuffled=shuffled)
    assert by_files == by_function


def test_harm_is_counted_where_a_mean_hides_it(world: Any) -> None:
    def split_world(query_id: str, doc_id: str, _: Any) -> float:
        relevant = doc_id in world.judgements.qrels[query_id]
        return (500.0 if int(query_id[1:3]) % 3 else -500.0) if relevant else 0.0

    study = judge(world, world.maker(split_world)(histories_of(world.topics.values(), world.events)))
    [part] = study.measures
    assert part.gain.gain
    values = evaluate(world.anonymous, world.judgements, [parse_measure("nDCG@10")]).values[
        parse_measure("nDCG@10")
    ]
    losers = {q[:3] for q in values if int(q[1:3]) % 3 == 0 and values[q] > 0.02}
    assert part.harm.readers == pytest.approx(len(losers) / 60)
    assert part.gain.worse == len(losers)
    worst = part.harm.worst[0]
    assert worst.other == 0.0
    assert worst.base == max(reader.base for reader in part.harm.worst)
    assert worst.queries == 2


def test_each_reader_counts_once(world: Any) -> None:
    measure = parse_measure("nDCG@10")
    run = world.maker(world.by_taste)(histories_of(world.topics.values(), world.events))
    kept = {q: grades for q, grades in world.judgements.qrels.items() if q.endswith("-0") or q[1:3] < "20"}
    study = personal_study(world.anonymous, run, Judgements(kept), world.topics, world.events, rounds=500)
    values = evaluate(run, Judgements(kept), [measure]).values[measure]
    own = {
        user: [v for q, v in values.items() if q[1:3] == user[1:]] for user in {f"u{q[1:3]}" for q in kept}
    }
    assert study.measures[0].gain.other_mean == pytest.approx(
        sum(sum(v) / len(v) for v in own.values()) / len(own)
    )
    assert study.measures[0].query_means["personal"] == pytest.approx(sum(values.values()) / len(values))


def test_hiding_what_was_read_is_no_gain_of_taste(world: Any) -> None:
    histories = histories_of(world.topics.values(), world.events)
    seen = {query_id: frozenset(event.doc_id for event in own) for query_id, own in histories.items()}
    run = replace(without(world.anonymous, seen), name="hides")
    kept = judge(world, run).measures[0]
    assert kept.gain.gain
    assert kept.hiding is not None
    assert kept.hiding.difference == pytest.approx(kept.gain.difference)
    hidden = judge(world, run, read="hide")
    assert hidden.measures[0].gain.difference == 0.0
    assert hidden.measures[0].hiding is None


def test_queries_that_were_answered_before_are_left_out_when_read_is_hidden() -> None:
    ranking = in_given_order([("a", 2.0), ("b", 1.0)])
    run = Run("run", {"q": ranking, "r": ranking})
    topics = {name: Topic(name, "text", "u") for name in "qr"}
    events = [Event("u", "a")]
    study = personal_study(
        run, run, Judgements({"q": {"a": 1}, "r": {"b": 1}}), topics, events, read="hide", rounds=100
    )
    assert (study.queries, study.answered_before) == (1, 1)
    assert study.measures[0].gain.base_mean == 1.0  # b is first once a is gone
    assert study.leakage.findings[0].examples == ("q a",)


def test_p_values_are_corrected_over_the_measures(world: Any) -> None:
    names = ("nDCG@10", "R@10", "RR")
    study = judge(world, world.maker(world.by_taste), measures=names)
    assert [part.measure for part in study.measures] == list(names)
    assert all(part.gain.corrected >= part.gain.p_value for part in study.measures)
    smallest = min(part.gain.p_value for part in study.measures)
    assert min(part.gain.corrected for part in study.measures) == pytest.approx(min(1.0, 3 * smallest))


@pytest.mark.parametrize("test", ["t", "wilcoxon", "randomisation"])
def test_the_significance_is_that_of_the_statistics_over_readers(world: Any, test: str) -> None:
    from scipy import stats

    study = judge(world, world.maker(world.by_taste), test=test)
    measure = parse_measure("nDCG@10")
    run = world.maker(world.by_taste)(histories_of(world.topics.values(), world.events))
    means = []
    for one in (run, world.anonymous):
        values = evaluate(one, world.judgements, [measure]).values[measure]
        means.append([(values[f"q{n:02}-0"] + values[f"q{n:02}-1"]) / 2 for n in range(60)])
    p = study.measures[0].gain.p_value
    if test == "t":
        assert p == pytest.approx(stats.ttest_rel(*means).pvalue, abs=1e-9)
    else:
        assert p < 0.01


def test_the_same_seed_gives_the_same_study_and_json_is_plain(world: Any) -> None:
    study = judge(world, world.maker(world.by_taste))
    assert study == judge(world, world.maker(world.by_taste))
    text = json.dumps(study.to_json(), allow_nan=False)
    assert json.loads(text)["measures"][0]["verdict"] == study.measures[0].verdict
    lonely = personal_study(
        world.anonymous, world.anonymous, Judgements({"q20-0": {"hit": 1}}), world.topics, [], rounds=100
    )
    assert json.dumps(lonely.to_json(), allow_nan=False)  # one reader, no event: what is undefined is null


def test_a_measure_that_judges_fewer_queries_is_studied_on_those(world: Any) -> None:
    spans = {
        query_id: [Span(next(iter(found)), 0, 10)] for query_id, found in world.anonymous.rankings.items()
    }
    evidence = {query_id: found for query_id, found in spans.items() if query_id.endswith("-0")}
    study = personal_study(
        replace(world.anonymous, spans=spans),
        replace(world.anonymous, name="other", spans={query_id: [] for query_id in spans}),
        replace(world.judgements, evidence=evidence),
        world.topics,
        world.events,
        measures=["SpanRecall@5", "nDCG@10"],
        rounds=200,
    )
    part = study.measures[0]
    assert (part.gain.base_mean, part.gain.other_mean) == (1.0, 0.0)
    assert part.gain.readers == 60
    assert part.query_means == {"anonymous": 1.0, "other": 0.0}
    assert sum(group.queries for group in part.groups) == 60


def test_the_order_of_events_topics_and_judgements_does_not_matter(world: Any) -> None:
    backwards = personal_study(
        world.anonymous,
        world.maker(world.by_taste),
        Judgements(dict(reversed(world.judgements.qrels.items()))),
        dict(reversed(world.topics.items())),
        list(reversed(world.events)),
        rounds=2000,
    )
    study = judge(world, world.maker(world.by_taste))
    assert backwards.measures == study.measures
    assert backwards.shown == study.shown
    assert backwards.miscalibration == study.miscalibration


def test_what_cannot_be_studied_is_said(world: Any) -> None:
    nameless = {query_id: replace(topic, user_id=None) for query_id, topic in world.topics.items()}
    with pytest.raises(InvalidEvaluation, match="none of the 120 judged queries names its reader"):
        personal_study(world.anonymous, world.anonymous, world.judgements, nameless, world.events)
    with pytest.raises(InvalidEvaluation, match="leave `shuffled` out"):
        judge(world, world.maker(world.by_taste), shuffled=world.anonymous)
    with pytest.raises(InvalidEvaluation, match="shows 121 documents, and the catalogue is said to have 50"):
        judge(world, world.anonymous, catalogue=50)
    for names in (["Latency(p95)"], []):
        with pytest.raises(InvalidEvaluation, match="by measures of quality, at least one"):
            judge(world, world.anonymous, measures=names)
    with pytest.raises(UnknownMeasure):
        judge(world, world.anonymous, measures=["nonsense"])
    half = {q: (t if q.endswith("-0") else replace(t, user_id=None)) for q, t in world.topics.items()}
    study = personal_study(world.anonymous, world.anonymous, world.judgements, half, world.events, rounds=100)
    assert (study.queries, study.unnamed) == (60, 60)
