"""What goes wrong in one cell stays there; what was done before a kill is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from engine.errors import BackendUnavailable
from engine.settings import SearchSettings
from eval.collection import Topic
from eval.errors import InvalidExperiment, UnknownMeasure
from eval.experiment.definition import CollectionSource, chosen_topics
from eval.experiment.pipeline import Answer, Ground, Ready
from eval.experiment.pipelines.bm25 import RankBM25
from eval.experiment.pipelines.quire import Quire
from eval.experiment.pipelines.run_file import RunFile
from eval.experiment.result import ExperimentResult
from eval.experiment.runner import Stage
from eval.formats import read_collection
from eval.measures import parse_measure

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("rank_bm25", reason="the extra eval is not installed")

NDCG = parse_measure("nDCG@10")


@dataclass(frozen=True)
class Scripted:
    """A pipeline made of a function."""

    kind: ClassVar[str] = "scripted"
    sources: ClassVar[tuple[str, ...]] = ()
    says: Callable[[Topic, int], Answer]
    keeps: bool = True

    def settings(self) -> Mapping[str, str]:
        return {"name": self.says.__name__}

    def ingredients(self, ground: Ground) -> Mapping[str, str] | None:
        return {} if self.keeps else None

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        yield Ready(self.says)


def one(topic: Topic, k: int) -> Answer:
    return Answer([("doc-001", 2.0), ("doc-002", 1.0)])


def broken(topic: Topic, k: int) -> Answer:
    return Answer([("doc-001", 1.0 / (len(topic.text) * 0))])


def unavailable(topic: Topic, k: int) -> Answer:
    raise BackendUnavailable("the index is being moved")


def twice(topic: Topic, k: int) -> Answer:
    return Answer([("doc-001", 2.0), ("doc-001", 1.0)])


def not_a_number(topic: Topic, k: int) -> Answer:
    return Answer([("doc-001", float("nan"))])


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (Scripted(broken), "ZeroDivisionError"),
        (Scripted(unavailable), "the index is being moved"),
        (Scripted(twice), "comes twice"),
        (Scripted(not_a_number), "not a finite number"),
        (RunFile("nowhere.run"), "nowhere.run"),
        (Quire(SearchSettings(facets=("no_such_field",))), "no_such_field"),
    ],
    ids=["bug", "engine", "twice", "nan", "file", "setting"],
)
def test_a_cell_that_fails_loses_only_itself(run, tmp_path: Path, wrong, reason: str) -> None:
    stages: list[Stage] = []
    result = run({"first": RankBM25(), "wrong": wrong, "last": Scripted(one)}, progress=stages.append)
    assert [cell.pipeline for cell in result.cells] == ["first", "last"]
    assert [(failure.collection, failure.pipeline) for failure in result.failures] == [("small", "wrong")]
    assert reason in result.failures[0].reason
    assert [(stage.pipeline, bool(stage.failed)) for stage in stages if not stage.doing] == [
        ("first", False),
        ("wrong", True),
        ("last", False),
    ]
    saved = ExperimentResult.load(tmp_path / "out" / "results.json")
    assert saved.failures == list(result.failures)
    again = run({"first": RankBM25(), "wrong": Scripted(one), "last": Scripted(one)})
    assert not again.failures


def test_a_collection_that_cannot_be_read_loses_only_itself(run, collection: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        (tmp_path / "bad" / name).write_bytes((collection / name).read_bytes())
    with (tmp_path / "bad" / "corpus.jsonl").open("a") as file:
        file.write("not JSON\n")
    collections = {name: CollectionSource(name) for name in ("absent", "bad", "small")}
    result = run({"words": RankBM25()}, collections=collections)
    assert [cell.collection for cell in result.cells] == ["small"]
    assert [failure.collection for failure in result.failures] == ["absent", "bad"]
    assert "corpus.jsonl:31" in result.failures[1].reason


def test_a_pipeline_is_run_where_it_is_said_to(run, tmp_path: Path) -> None:
    collections = {name: CollectionSource("small") for name in ("here", "there", "nowhere")}
    only_on = {"first": ("here",), "second": ("here", "there")}
    pipelines = {"first": RankBM25(), "second": Scripted(one)}
    result = run(pipelines, collections=collections, only_on=only_on)
    assert [(cell.collection, cell.pipeline) for cell in result.cells] == [
        ("here", "first"),
        ("here", "second"),
        ("there", "second"),
    ]
    assert [facts.name for facts in result.collections] == ["here", "there"]
    assert not result.failures


def test_what_nobody_asked_for_may_be_impossible(run) -> None:
    result = run({"absent": RunFile("absent.run"), "words": RankBM25()}, only=["words"])
    assert not result.failures
    assert [cell.pipeline for cell in result.cells] == ["words"]


def test_a_document_that_cannot_be_indexed_is_not_passed_over(run, collection: Path) -> None:
    text = (collection / "corpus.jsonl").read_text(encoding="utf-8")
    (collection / "corpus.jsonl").write_text(text + text.splitlines()[0] + "\n", encoding="utf-8")
    result = run({"quire": Quire()})
    assert "doc-000" in result.failures[0].reason


def test_nothing_is_run_where_a_name_is_wrong(run, tmp_path: Path) -> None:
    with pytest.raises(UnknownMeasure):
        run(measures=("nDCG@10", "nDGC@10"))
    with pytest.raises(UnknownMeasure):
        run(source={"measures": ("Happiness",)})
    with pytest.raises(InvalidExperiment, match="nowhere"):
        run(only=["nowhere"])
    assert not (tmp_path / "out" / "cache").exists()


def test_a_measure_that_a_cell_cannot_have_is_said_so(run) -> None:
    result = run({"words": RankBM25()}, source={"measures": ("SpanRecall@10",)})
    (cell,) = result.cells
    assert set(map(str, cell.evaluation.values)) == {"nDCG@10", "R@20"}
    assert "evidence" in cell.unmeasured["SpanRecall@10"]


def test_answers_that_nobody_can_vouch_for_are_asked_for_again(run) -> None:
    asked: list[str] = []

    def live(topic: Topic, k: int) -> Answer:
        asked.append(topic.query_id)
        return one(topic, k)

    run({"live": Scripted(live, keeps=False)})
    before = len(asked)
    result = run({"live": Scripted(live, keeps=False)})
    assert not result.cells[0].cached
    assert len(asked) == 2 * before


def test_topics_are_spread_evenly_or_drawn_by_chance(collection: Path) -> None:
    whole = read_collection(collection)

    def chosen(**source) -> list[str]:
        found = chosen_topics(whole, CollectionSource("small", **source), "small")
        assert list(found.topics) == list(found.judgements.qrels)
        return list(found.topics)

    assert chosen() == chosen(topics=12) == chosen(topics=99) == list(whole.topics)
    assert chosen(topics=4) == ["q0", "q3", "q6", "q9"]
    assert chosen(topics=5) == ["q0", "q2", "q4", "q7", "q9"]
    drawn = chosen(topics=5, seed=1)
    assert drawn == chosen(topics=5, seed=1)
    assert len(drawn) == 5
    assert drawn != chosen(topics=5, seed=2)
    assert drawn == [query for query in whole.topics if query in drawn]


def test_times_are_of_a_page_and_answers_are_whole(run) -> None:
    wanted: list[int] = []

    def counting(topic: Topic, k: int) -> Answer:
        wanted.append(k)
        return one(topic, k)

    @dataclass(frozen=True)
    class Paged(Scripted):
        @contextmanager
        def prepare(self, ground: Ground) -> Iterator[Ready]:
            yield Ready(self.says, paged=True)

    result = run({"paged": Paged(counting)}, page=3)
    warm = len(wanted) - 2 * 12
    assert wanted[:warm] == [3] * warm
    assert wanted[warm:] == [3, 20] * 12
    assert result.cells[0].latency.queries == 12


KILLED = """
import os, signal, sys
from pathlib import Path
import indexer.encoder
from indexer.encoder.hashing import HashingEncoder
indexer.encoder.load_encoder = lambda *_, **__: HashingEncoder(32)
import eval.experiment.cell, eval.experiment.ground
for module in (eval.experiment.cell, eval.experiment.ground):
    module.code_fingerprint = lambda sources: "as it is"  # also where somebody edits it meanwhile
from engine.settings import SearchSettings
from eval.experiment.definition import CollectionSource, Experiment
from eval.experiment.pipelines.bm25 import RankBM25
from eval.experiment.pipelines.quire import Quire
from eval.experiment.pipelines.vectors import OneVector
from eval.experiment.runner import run_experiment

folder, limit = Path(sys.argv[1]), int(sys.argv[2])
seen = 0

def progress(stage):
    global seen
    seen += 1
    if not stage.doing:
        print(stage.pipeline, stage.cached, flush=True)
    if seen == limit:
        os.kill(os.getpid(), signal.SIGKILL)

pipelines = {
    "words": Quire(SearchSettings(alpha=0.0)), "both": Quire(), "library": RankBM25(), "one": OneVector()
}
experiment = Experiment(
    "small", {"small": CollectionSource("small")}, pipelines, measures=("nDCG@10",), k=20, folder=folder
)
run_experiment(experiment, folder / "out", progress=progress)
print(seen, flush=True)
"""


def killed(folder: Path, limit: int, root: Path) -> tuple[int, list[str]]:
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(limit)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.returncode in (0, -signal.SIGKILL), child.stderr
    return child.returncode, child.stdout.splitlines()


def test_an_experiment_that_is_killed_goes_on_where_it_was(
    collection: Path, tmp_path: Path, root: Path
) -> None:
    finished: list[str] = []
    code = -signal.SIGKILL
    for limit in (20, 45, 70, 30, 0):  # 0: to the end
        code, lines = killed(tmp_path, limit, root)
        done = dict(line.split() for line in lines if " " in line)
        assert [name for name, was_kept in done.items() if was_kept == "True"] == finished[: len(done)]
        finished += [name for name in done if name not in finished]
    assert code == 0
    assert finished == ["words", "both", "library", "one"]
    whole = json.loads((tmp_path / "out" / "results.json").read_text())
    (tmp_path / "out").rename(tmp_path / "interrupted")
    assert killed(tmp_path, 0, root)[0] == 0
    anew = json.loads((tmp_path / "out" / "results.json").read_text())
    for old, new in zip(whole["cells"], anew["cells"], strict=True):
        for name in ("pipeline", "fingerprint", "values", "top", "found"):
            assert old[name] == new[name]
    assert not list((tmp_path / "out").rglob("*.new"))
