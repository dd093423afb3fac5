from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import SearchEngine
from engine.query import Query
from engine.settings import SearchSettings
from eval.collection import Collection, Judgements, Topic
from eval.errors import InvalidEvaluation
from eval.measures import evaluate, parse_measure
from eval.run import Run, Span
from eval.tuning import Gate, SearchTrials, TuningSource, search_stages, tune
from indexer.encoder import HashingEncoder
from indexer.encoding import Vectors
from indexer.index import Index
from small_corpus import WORDS, make_document

QUERIES = 24


class Counting(HashingEncoder):
    """Remembers which queries it encoded."""

    def __init__(self) -> None:
        super().__init__(32)
        self.asked: list[str] = []

    def encode_query(self, text: str) -> Vectors:
        self.asked.append(text)
        return super().encode_query(text)


def collection(name: str = "small", queries: int = QUERIES, user: bool = False) -> Collection:
    choose = random.Random(name)
    topics = {
        f"q{n}": Topic(f"q{n}", " ".join(choose.choices(WORDS, k=3)), user_id=f"u{n % 6}" if user else None)
        for n in range(queries)
    }
    qrels = {query: {f"doc-{d:03}": 1 + d % 2 for d in choose.sample(range(40), 5)} for query in topics}
    evidence = {query: [Span(next(iter(grades)), 0, 60)] for query, grades in qrels.items()}
    return Collection(name, topics, Judgements(qrels, evidence), list, f"fp-{name}")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tuning") / "index"
    with Index.create(path, encoder=HashingEncoder(32)) as made, made.writer() as writer:
        for number in range(40):
            writer.add(make_document(number, words=60))
        writer.commit()
    return path


@pytest.mark.parametrize("name", ["nDCG@10", "R@5", "AP"])
@pytest.mark.parametrize("values", [{"alpha": 0.3}, {"alpha": 0.0, "title_weight": 2.0}, {"diversity": 0.4}])
def test_a_trial_is_what_searching_and_measuring_gives(
    index: Path, name: str, values: dict[str, float]
) -> None:
    judged, measure = collection(), parse_measure(name)
    with SearchTrials([TuningSource(index, judged)], measure, encoder=HashingEncoder(32)) as trials:
        found = trials.values({**trials.baseline, **values})
    with SearchEngine.open(index, encoder=HashingEncoder(32), settings=SearchSettings(**values)) as engine:
        hits = {
            query: engine.search(Query(topic.text, operators=False), k=1000).hits
            for query, topic in judged.topics.items()
        }
    run = Run("x", {query: {hit.doc_id: -float(hit.rank) for hit in found} for query, found in hits.items()})
    wanted = evaluate(run, judged.judgements, [measure]).values[measure]
    assert found.tolist() == pytest.approx([wanted[query.query_id] for query in trials.queries])


def test_passages_shown_are_measured_against_the_evidence(index: Path) -> None:
    judged, measure = collection(), parse_measure("SpanRecall@10")
    with SearchTrials([TuningSource(index, judged)], measure, encoder=HashingEncoder(32)) as trials:
        found = trials.values(trials.baseline)
    with SearchEngine.open(index, encoder=HashingEncoder(32)) as engine:
        spans = {}
        for query, topic in judged.topics.items():
            hits = engine.search(Query(topic.text, operators=False), k=10).hits
            spans[query] = [Span(hit.doc_id, hit.passages[0].start, hit.passages[0].end) for hit in hits]
    run = Run(
        "x",
        {query: {span.doc_id: -float(n) for n, span in enumerate(shown)} for query, shown in spans.items()},
        spans=spans,
    )
    wanted = evaluate(run, judged.judgements, [measure]).values[measure]
    assert found.tolist() == pytest.approx([wanted[query.query_id] for query in trials.queries])
    assert 0 < found.mean() < 1


def test_each_query_is_encoded_once(index: Path) -> None:
    encoder, judged = Counting(), collection()
    with SearchTrials([TuningSource(index, judged)], parse_measure("nDCG@10"), encoder=encoder) as trials:
        tune(trials, search_stages(("alpha",)), gate=Gate(rounds=100))
    assert sorted(encoder.asked) == sorted({topic.text for topic in judged.topics.values()})


def test_a_second_tuning_tries_nothing_anew_and_says_the_same(index: Path, tmp_path: Path) -> None:
    def once() -> tuple[dict[str, object], list[int]]:
        seen: list[int] = []
        with SearchTrials(
            [TuningSource(index, collection()), TuningSource(index, collection("other"))],
            parse_measure("nDCG@10"),
            cache=tmp_path,
            encoder=HashingEncoder(32),
            on_query=lambda _, done, __: seen.append(done),
        ) as trials:
            return tune(trials, search_stages(("alpha",)), gate=Gate(rounds=100)).to_json(), seen

    (first, asked), (second, again) = once(), once()
    assert asked
    assert not again
    assert first == second


def test_an_interrupted_tuning_goes_on_where_it_was(index: Path, tmp_path: Path) -> None:
    def run(stop_after: int) -> int:
        count = 0

        def watch(_: str, __: int, ___: int) -> None:
            nonlocal count
            if count >= stop_after:
                raise KeyboardInterrupt
            count += 1

        with SearchTrials(
            [TuningSource(index, collection())],
            parse_measure("nDCG@10"),
            cache=tmp_path,
            encoder=HashingEncoder(32),
            on_query=watch,
        ) as trials:
            tune(trials, search_stages(("alpha",)), gate=Gate(rounds=100))
        return count

    with pytest.raises(KeyboardInterrupt):
        run(QUERIES * 3 + 5)
    kept = len(list(tmp_path.rglob("*.json")))
    assert kept == 3
    rest = run(10**9)
    in_all = len(list(tmp_path.rglob("*.json")))
    assert rest == (in_all - kept) * QUERIES


def test_a_damaged_trial_is_tried_again(index: Path, tmp_path: Path) -> None:
    def values() -> list[float]:
        with SearchTrials(
            [TuningSource(index, collection())],
            parse_measure("nDCG@10"),
            cache=tmp_path,
            encoder=HashingEncoder(32),
        ) as trials:
            return list(trials.values(trials.baseline))

    first = values()
    (file,) = tmp_path.rglob("*.json")
    whole = file.read_bytes()
    for damage in (b"", whole[:-9], b"[]", b"{}", whole.replace(b'"q0"', b'"q9"'), b"\xff\xfe"):
        file.write_bytes(damage)
        assert values() == first
        assert file.read_bytes() == whole


def test_what_else_decides_the_values_has_trials_of_its_own(index: Path, tmp_path: Path) -> None:
    for name, measure in (("small", "nDCG@10"), ("small", "R@5"), ("other", "nDCG@10")):
        with SearchTrials(
            [TuningSource(index, collection(name))],
            parse_measure(measure),
            cache=tmp_path,
            encoder=HashingEncoder(32),
        ) as trials:
            trials.values(trials.baseline)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_users_queries_are_kin(index: Path) -> None:
    with SearchTrials(
        [TuningSource(index, collection(user=True))], parse_measure("nDCG@10"), encoder=HashingEncoder(32)
    ) as trials:
        assert len({query.kin for query in trials.queries}) == 6


def test_the_baseline_is_the_settings_in_use(index: Path) -> None:
    mine = SearchSettings(alpha=0.42, depth=50)
    with SearchTrials(
        [TuningSource(index, collection())], parse_measure("nDCG@10"), mine, encoder=HashingEncoder(32)
    ) as trials:
        assert trials.baseline["alpha"] == 0.42
        assert trials.settings_of({"title_weight": 2.0}).depth == 50
        assert np.isfinite(trials.values(trials.baseline)).all()


def test_the_wrong_index_is_refused_and_missing_documents_are_told(index: Path) -> None:
    measure = parse_measure("nDCG@10")
    right = collection()
    elsewhere = {
        query: {f"x{doc_id}": grade for doc_id, grade in grades.items()}
        for query, grades in right.judgements.qrels.items()
    }
    wrong = Collection("wrong", right.topics, Judgements(elsewhere), list, "x")
    with pytest.raises(InvalidEvaluation, match="none of its"):
        SearchTrials([TuningSource(index, wrong)], measure)
    some = dict(right.judgements.qrels) | {"q0": {"gone": 1}}
    with SearchTrials(
        [TuningSource(index, Collection("some", right.topics, Judgements(some), list, "x"))], measure
    ) as trials:
        assert "1 of" in trials.warnings[0]
        assert "'gone'" in trials.warnings[0]


def test_what_makes_no_sense_is_refused(index: Path) -> None:
    one = TuningSource(index, collection())
    with pytest.raises(InvalidEvaluation, match="same name"):
        SearchTrials([one, one], parse_measure("nDCG@10"))
    nobody = Collection("none", {}, Judgements({"q": {"doc-001": 1}}), list, "x")
    with pytest.raises(InvalidEvaluation, match="no topic is judged"):
        SearchTrials([TuningSource(index, nobody)], parse_measure("nDCG@10"))
    with pytest.raises(InvalidEvaluation, match="better when lower"):
        SearchTrials([one], parse_measure("Latency(p95)"))
    with pytest.raises(InvalidEvaluation, match="did you mean 'alpha'"):
        search_stages(["alhpa"])


SECOND = {
    "late_weight": {0.0, 2.0},
    "gist_weight": {0.0, 1.0},
    "neighbours_weight": {0.0, 1.0},
    "rerank_weight": {0.0, 1.0},
    "rerank_depth": {10, 100},
}


def test_the_second_stage_can_be_tuned() -> None:
    stages = search_stages(list(SECOND))
    assert {p.name for stage in stages for p in stage.parameters} == set(SECOND)
    for stage in stages:
        for parameter in stage.parameters:
            assert SECOND[parameter.name] <= set(parameter.choices)
            assert list(parameter.choices) == sorted(set(parameter.choices))
            assert getattr(SearchSettings(), parameter.name) in parameter.choices
            for value in parameter.choices:
                assert SearchSettings(**{parameter.name: value})
        # All that can be left out is left out by 0; the depth is what time is saved at.
        assert stage.aim == ("thrift" if stage.name == "rerank depth" else "gain")
        names = {parameter.name for parameter in stage.parameters}
        assert stage.without == ({} if stage.aim == "thrift" else dict.fromkeys(names, 0.0))


def test_trials_of_the_second_stage_are_searches_with_it(index: Path) -> None:
    judged, measure = collection(), parse_measure("nDCG@10")
    values = {"neighbours_weight": 1.0, "rerank_depth": 20}
    with SearchTrials([TuningSource(index, judged)], measure, encoder=HashingEncoder(32)) as trials:
        found = trials.values({**trials.baseline, **values})
        assert found.tolist() != trials.values({**trials.baseline, "rerank_depth": 0}).tolist()
    with SearchEngine.open(index, encoder=HashingEncoder(32), settings=SearchSettings(**values)) as engine:  # type: ignore[arg-type]
        run = Run(
            "x",
            {
                query: {
                    hit.doc_id: -float(hit.rank)
                    for hit in engine.search(Query(topic.text, operators=False)).hits
                }
                for query, topic in judged.topics.items()
            },
        )
    wanted = evaluate(run, judged.judgements, [measure]).values[measure]
    assert found.tolist() == pytest.approx([wanted[query.query_id] for query in trials.queries])


@pytest.mark.parametrize(
    ("settings", "anew"),
    [
        ({"reranker": "own/model"}, True),
        ({"reranker": "own/model", "rerank_depth": 0}, False),
        ({"reranker": "own/model", "rerank_weight": 0.0}, False),
        ({}, False),
    ],
)
def test_another_cross_encoder_under_the_same_name_is_another_trial(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], anew: bool
) -> None:
    def tried(fingerprint: str) -> int:
        monkeypatch.setattr("reranker.load.reranker_fingerprint", lambda _: fingerprint)
        seen: list[int] = []
        with SearchTrials(
            [TuningSource(index, collection(queries=3))],
            parse_measure("nDCG@10"),
            SearchSettings(**settings),
            cache=tmp_path,
            encoder=HashingEncoder(32),
            on_query=lambda _, done, __: seen.append(done),
        ) as trials:
            trials.values(trials.baseline)
        return len(seen)

    assert tried("model:1") == 3
    assert tried("model:1") == 0
    assert tried("model:2") == (3 if anew else 0)
    assert tried("model:1") == 0
