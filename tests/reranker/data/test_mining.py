"""Mining: negatives are what the guard lets through, drawn as told, and the same at every run."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listed_source import ListedSource

from reranker.data.candidates import Candidate
from reranker.data.guard import Guard, GuardSettings
from reranker.data.judged import JudgedDocument, JudgedQuery, from_qrels
from reranker.data.mining import made_from, mine
from reranker.data.mining_settings import ORIGINS, MiningReport, MiningSettings
from reranker.errors import InvalidTrainingSettings, TrainingDataError
from reranker.overlap import OverlapScorer
from reranker.pairs import PassageText
from small_corpus import WORDS

OPEN = GuardSettings(margin=None, likeness=None)


def corpus(count: int = 60) -> dict[str, list[PassageText]]:
    chance = random.Random(5)
    return {
        f"d{number}": [
            PassageText(" ".join(chance.choices(WORDS, k=12)) + f" {number} {part}", f"Title {number}")
            for part in range(chance.randint(1, 3))
        ]
        for number in range(count)
    }


def queries(count: int = 20) -> list[JudgedQuery]:
    chance = random.Random(6)
    topics = {f"q{n}": " ".join(chance.sample(WORDS, 3)) for n in range(count)}
    qrels = {
        name: {f"d{chance.randrange(60)}": grade for grade in (2, 1, 0)} | {"absent": 1} for name in topics
    }
    return list(from_qrels(topics, qrels, "small"))


@settings(max_examples=25)
@given(
    st.integers(0, 12),
    st.integers(1, 40),
    st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=5, max_size=5),
    st.integers(0, 5),
    st.booleans(),
    st.sampled_from([None, 0.5, 0.95]),
)
def test_examples_hold_what_they_should(
    negatives: int, depth: int, shares: list[float], skip: int, taught: bool, margin: float | None
) -> None:
    lexical, dense, fused, teacher, by_chance = shares
    wanted = MiningSettings(
        negatives=negatives,
        depth=depth,
        lexical=lexical,
        dense=dense,
        fused=fused,
        teacher=teacher,
        random=by_chance + 0.01,
        guard=replace(OPEN, skip=skip, margin=margin),
    )
    held, asked = corpus(), queries(6)
    place = {passage: doc_id for doc_id, passages in held.items() for passage in passages}
    source = ListedSource(held)
    report = MiningReport()
    scorer = OverlapScorer() if taught else None
    mined = {e.query_id: e for e in mine(asked, source, wanted, teacher=scorer, report=report)}
    for query in asked:
        example = mined[query.query_id]
        judged = {document.doc_id: document.grade for document in query.judged}
        assert len(set(example.passages)) == len(example.passages)
        assert example.prior is not None
        assert example.weights is None
        fresh = 0
        best = max(score for score, grade in zip(example.prior, example.grades, strict=True) if grade > 0)
        for passage, grade, score in zip(example.passages, example.grades, example.prior, strict=True):
            if place[passage] in judged:
                assert grade == judged[place[passage]]
            else:
                fresh += 1
                assert grade == 0
                assert margin is None or best <= 0 or score <= margin * best + 1e-6
        assert fresh <= negatives
        if margin is None and not taught:
            assert fresh == negatives
        known = set(judged) - {"absent"}
        assert {place[passage] for passage in example.passages} >= known
    assert report.queries == report.examples == len(asked)
    assert report.unknown_documents == len(asked)


def test_the_same_at_every_run_and_of_each_query_alone() -> None:
    source = ListedSource(corpus())
    every = list(mine(queries(), source))
    assert list(mine(queries(), source)) == every
    assert list(mine(reversed(queries()), source)) == every[::-1]
    other = list(mine(queries(), source, MiningSettings(seed=1)))
    assert [e.passages for e in other] != [e.passages for e in every]


def test_negatives_come_from_where_they_were_asked_from() -> None:
    for origin in ("lexical", "dense", "fused", "random"):
        shares = {name: float(name == origin) for name in ORIGINS}
        report = MiningReport()
        list(mine(queries(), ListedSource(corpus()), MiningSettings(guard=OPEN, **shares), report=report))
        assert set(report.negatives) - {"judged"} == {origin}
        assert report.negatives[origin] == 7 * 20
    report = MiningReport()
    query = JudgedQuery("q", "granite", (JudgedDocument("d1", 1.0),), probe="willow ember saddle")
    shares = {name: float(name == "near") for name in ORIGINS}
    held, source = corpus(), ListedSource(corpus())
    (example,) = mine([query], source, MiningSettings(guard=OPEN, depth=8, **shares), report=report)
    nearest = {c.passage for c in source.near("granite", query.probe, 8)} - set(held["d1"])
    assert set(example.passages[1:]) <= nearest
    assert report.negatives["near"] >= 7 - 2


def test_high_ranks_are_likelier_and_none_is_left_out() -> None:
    held = {f"d{n}": [PassageText(f"{'granite ' * (n == 0)}word{n}", "")] for n in range(21)}
    drawn: dict[float, Counter[int]] = {}
    source = ListedSource(held)
    ranks = {c.passage: c.dense_rank for c in source.search("granite", 21)}
    for steepness in (0.0, 1.0):
        shares = {name: float(name == "dense") for name in ORIGINS}
        made = MiningSettings(negatives=1, guard=OPEN, steepness=steepness, depth=21, **shares)
        asked = [JudgedQuery(f"q{n}", "granite", (JudgedDocument("d0", 1.0),)) for n in range(3000)]
        drawn[steepness] = Counter(ranks[example.passages[-1]] for example in mine(asked, source, made))
    flat, steep = drawn[0.0], drawn[1.0]
    assert len(flat) == len(steep) == 20
    assert max(flat.values()) < 1.5 * min(flat.values())
    first, tenth = sorted(steep)[0], sorted(steep)[9]
    assert steep[first] / steep[tenth] == pytest.approx(tenth / first, rel=0.35)


def test_a_teacher_vetoes_what_it_prefers_and_proposes_what_it_is_taken_in_by() -> None:
    scorer = OverlapScorer()
    shares = {name: float(name == "teacher") for name in ORIGINS}
    settings_ = MiningSettings(guard=OPEN, depth=60, teacher_depth=500, teacher_margin=0.0, **shares)
    held, source = corpus(), ListedSource(corpus())
    for example, query in zip(mine(queries(), source, settings_, teacher=scorer), queries(), strict=True):
        scores = scorer.score(example.query, example.passages)
        right = max(s for s, grade in zip(scores, example.grades, strict=True) if grade > 0)
        judged = {document.doc_id for document in query.judged}
        others = [p for doc_id, passages in held.items() if doc_id not in judged for p in passages]
        allowed = sorted((s for s in scorer.score(example.query, others) if s <= right), reverse=True)
        fresh = [float(s) for p, s in zip(example.passages, scores, strict=True) if p in others]
        assert sorted(fresh, reverse=True) == [float(s) for s in allowed[: len(fresh)]]
    report = MiningReport()
    strict = replace(settings_, teacher_margin=10.0)
    list(mine(queries(), source, strict, teacher=scorer, report=report))
    assert report.refused["teacher prefers it"] > 0
    assert report.negatives["teacher"] == 0


def test_what_gives_no_example_is_counted() -> None:
    report = MiningReport()
    asked = [
        JudgedQuery("blank", "  ", (JudgedDocument("d1", 1.0),)),
        JudgedQuery("zeros", "granite", (JudgedDocument("d1", 0.0),)),
        JudgedQuery("absent", "granite", (JudgedDocument("nowhere", 1.0),)),
        JudgedQuery("alone", "granite", (JudgedDocument("d1", 1.0),)),
        JudgedQuery("graded", "granite", (JudgedDocument("d1", 1.0), JudgedDocument("d2", 2.0))),
    ]
    made = list(mine(asked, ListedSource(corpus()), MiningSettings(negatives=0), report=report))
    assert [example.query_id for example in made] == ["graded"]
    assert report.skipped == {"no text": 1, "no positive in the index": 2, "nothing to compare with": 1}
    assert (report.queries, report.examples) == (5, 1)


def test_texts_from_outside_have_no_prior_and_headings_neither() -> None:
    source = ListedSource(corpus())
    text = PassageText("a text of its own")
    outside = JudgedQuery("q", "granite", (JudgedDocument("text-1", 1.0, 3.0, text),))
    (example,) = mine([outside], source)
    assert example.passages[0] == text
    assert example.prior is None
    assert example.weights is not None
    assert example.weights[0] == 3.0
    assert set(example.weights[1:]) == {1.0}
    heading = JudgedQuery("h", "Title 7", (JudgedDocument("d7", 1.0, ordinal=0),), shown="text")
    (example,) = mine([heading], source)
    assert example.prior is None
    assert all(passage.context == "" for passage in example.passages)


def test_documents_that_are_a_title_alone_are_read_and_told_apart() -> None:
    held = {f"d{n}": [PassageText("", f"{WORDS[n]} {WORDS[n + 1]}")] for n in range(12)}
    asked = JudgedQuery("q", f"{WORDS[3]} {WORDS[4]}?", (JudgedDocument("d3", 1.0),))
    (example,) = mine([asked], ListedSource(held), MiningSettings(guard=OPEN))
    assert example.passages[0].title == held["d3"][0].title
    assert len({passage.title for passage in example.passages}) == 8
    # Where the title is the query, nothing is left to read.
    named = replace(asked, shown="text")
    report = MiningReport()
    assert not list(mine([named], ListedSource(held), report=report))
    assert report.empty_passages == 1


def test_what_examples_are_made_from() -> None:
    source, plain = ListedSource(corpus()), MiningSettings()
    known = {
        made_from("v1", source, plain),
        made_from("v2", source, plain),
        made_from("v1", source, MiningSettings(guard=OPEN)),
        made_from("v1", source, plain, OverlapScorer()),
    }
    assert len(known) == 4
    assert made_from("v1", source, MiningSettings()) in known


def candidate(doc_id: str, text: str, **kept: object) -> Candidate:
    return Candidate(
        doc_id, 0, PassageText(text, str(kept.pop("title", ""))), float(kept.pop("score", 0.0)), **kept
    )


def test_the_guard_turns_away_for_the_right_reason() -> None:
    vector = ListedSource(corpus()).best("granite", ["d1"])[0].vector
    assert vector is not None
    right = candidate(
        "right",
        "The badger digs its sett in woods and eats worms.",
        score=0.8,
        title="Badgers",
        vector=vector,
    )
    guard = Guard(
        GuardSettings(same_title=True), "what do badgers eat", [right], frozenset({"right", "zero"})
    )
    expected = {
        "judged document": candidate("zero", "judged"),
        "empty text": candidate("x", " \n"),
        "scores like a positive": candidate("x", "other", score=0.77),
        "title of a positive": candidate("x", "other", title="BADGERS"),
        "text of a positive": candidate("x", "the badger digs its sett, in woods and eats worms"),
        "vector of a positive": candidate("x", "other", vector=vector),
    }
    for reason, refused in expected.items():
        before = guard.refused[reason]
        assert not guard.allows(refused), reason
        assert guard.refused[reason] == before + 1, reason
    longer = candidate("x", "It is said: the badger digs its sett in woods and eats worms. So it is.")
    assert not guard.allows(longer)
    assert guard.allows(candidate("x", "the badger", score=0.75, vector=-vector))
    named = Guard(GuardSettings(), "Badgers", [], frozenset(), "text")
    assert not named.allows(candidate("x", "other", title="badgers"))
    assert named.refused == {"bears the query's name": 1}


def test_settings_are_checked() -> None:
    for wrong in (
        {"negatives": -1},
        {"depth": 0},
        {"negatives": True},
        {"lexical": -0.1},
        {"steepness": float("nan")},
        dict.fromkeys(ORIGINS, 0.0),
    ):
        with pytest.raises(InvalidTrainingSettings, match="found"):
            MiningSettings(**wrong)
    for wrong in ({"margin": 0.0}, {"likeness": 3.0}, {"skip": -1}):
        with pytest.raises(InvalidTrainingSettings, match="found"):
            GuardSettings(**wrong)
    with pytest.raises(TrainingDataError, match="grade"):
        JudgedDocument("d", -1.0)
    assert next(from_qrels({"q": "x"}, {"q": {"d": -2}})).judged[0].grade == 0


@given(
    st.integers(0, 50), st.lists(st.floats(0, 1), min_size=6, max_size=6), st.sets(st.sampled_from(ORIGINS))
)
def test_quotas_add_up(negatives: int, shares: list[float], available: set) -> None:
    values = dict(zip(ORIGINS, shares, strict=True))
    if not sum(shares):
        values["random"] = 1.0
    quotas = MiningSettings(negatives=negatives, **values).quotas(available)
    total = sum(values[origin] for origin in available)
    assert sum(quotas.values()) == (negatives if total > 0 else 0)
    for origin, quota in quotas.items():
        assert abs(quota - (negatives * values[origin] / total if total > 0 else 0)) < 1 + 1e-9
