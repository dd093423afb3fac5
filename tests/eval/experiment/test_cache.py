"""What is run again, and what is not."""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.configuration import IndexingSettings
from engine.settings import SearchSettings
from eval.experiment import cell as cell_module
from eval.experiment import ground as ground_module
from eval.experiment.definition import CollectionSource, Experiment
from eval.experiment.fingerprint import code_fingerprint, digest
from eval.experiment.pipelines.bm25 import RankBM25
from eval.experiment.pipelines.quire import Quire
from eval.experiment.pipelines.vectors import OneVector
from eval.experiment.result import ExperimentResult
from eval.experiment.runner import planned
from indexer.local.writer import IndexWriter

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("rank_bm25", reason="the extra eval is not installed")

WORDS = Quire(SearchSettings(alpha=0.0))


def cached(result: ExperimentResult) -> dict[str, bool]:
    assert not result.failures
    return {cell.pipeline: cell.cached for cell in result.cells}


def means(result: ExperimentResult) -> dict[str, list[float]]:
    return {
        cell.pipeline: [cell.evaluation.mean(measure) for measure in result.measures] for cell in result.cells
    }


def test_what_was_run_is_not_run_again(run) -> None:
    pipelines = {"words": WORDS, "both": Quire(), "one": OneVector(), "library": RankBM25()}
    first = run(pipelines)
    assert cached(first) == dict.fromkeys(pipelines, False)
    second = run(pipelines)
    assert cached(second) == dict.fromkeys(pipelines, True)
    assert means(second) == means(first)
    same = {"cached", "latency"}
    for old, new in zip(first.cells, second.cells, strict=True):
        assert new.latency == old.latency
        for name in set(type(old).__slots__) - same:
            assert getattr(new, name) == getattr(old, name), name


def test_a_pipeline_is_known_by_what_it_does_and_not_by_its_name(run) -> None:
    run({"words": WORDS})
    result = run({"other-name": WORDS})
    assert cached(result) == {"other-name": True}
    assert result.cells[0].evaluation.run == "other-name"


@pytest.mark.parametrize(
    "changed",
    [
        Quire(SearchSettings(alpha=0.1)),
        Quire(SearchSettings(alpha=0.0, depth=50)),
        Quire(SearchSettings(alpha=0.0), IndexingSettings(encoder="hashing-16")),
        Quire(SearchSettings(alpha=0.0), IndexingSettings(tokens=24, overlap=4)),
        Quire(SearchSettings(alpha=0.0), IndexingSettings(language="german")),
    ],
    ids=["alpha", "depth", "encoder", "tokens", "language"],
)
def test_another_setting_is_another_cell(run, changed: Quire) -> None:
    run({"words": WORDS})
    assert cached(run({"words": changed})) == {"words": False}
    assert cached(run({"words": WORDS})) == {"words": True}


@pytest.mark.parametrize("more", [{"k": 21}, {"page": 5}, {"source": {"topics": 5}}], ids=str)
def test_another_question_is_another_cell(run, more) -> None:
    run({"words": WORDS})
    assert cached(run({"words": WORDS}, **more)) == {"words": False}


def test_another_document_is_another_cell(run, collection: Path) -> None:
    run({"words": WORDS})
    with (collection / "corpus.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"_id": "new", "title": "", "text": "harbour lantern granite"}) + "\n")
    assert cached(run({"words": WORDS})) == {"words": False}


def test_the_same_documents_elsewhere_and_packed_are_the_same_cell(
    run, collection: Path, tmp_path: Path
) -> None:
    run({"words": WORDS})
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        (moved / f"{name}.gz").write_bytes(gzip.compress((collection / name).read_bytes()))
    result = run({"words": WORDS}, collections={"moved": CollectionSource("moved")})
    assert cached(result) == {"words": True}


def test_judgements_change_the_values_and_run_nothing(run, collection: Path) -> None:
    first = run({"words": WORDS})
    qrels = collection / "qrels.tsv"
    head, *lines = qrels.read_text(encoding="utf-8").splitlines()
    qrels.write_text(
        "\n".join([head, *(line.rpartition("\t")[0] + "\t1" for line in lines)]) + "\n", encoding="utf-8"
    )
    second = run({"words": WORDS})
    assert cached(second) == {"words": True}
    assert means(second) != means(first)


def test_other_code_is_another_cell_and_the_index_is_checked(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def pretend(module) -> None:
        monkeypatch.setattr(module, "code_fingerprint", lambda sources: digest(["changed", sources]))

    run({"words": WORDS})
    added: list[str] = []
    add = IndexWriter.add
    monkeypatch.setattr(IndexWriter, "add", lambda self, doc: added.append(out := add(self, doc)) or out)
    pretend(cell_module)
    assert cached(run({"words": WORDS})) == {"words": False}
    assert not added  # the index was made by the same code as before
    monkeypatch.setattr(
        ground_module,
        "code_fingerprint",
        lambda sources: code_fingerprint(sources) + ("x" if "indexer.index" in sources else ""),
    )
    run({"words": WORDS}, force=True)
    assert set(added) == {"unchanged"}  # read again, and not one encoded


def test_force_runs_what_is_asked_for_and_nothing_else(run) -> None:
    pipelines = {"words": WORDS, "both": Quire()}
    run(pipelines)
    assert cached(run(pipelines, force=True, only=["words"])) == {"words": False, "both": True}


def test_only_some_cells_are_run_and_those_there_are_shown(run) -> None:
    pipelines = {"words": WORDS, "both": Quire(), "one": OneVector()}
    assert cached(run(pipelines, only=["both"])) == {"both": False}
    assert cached(run(pipelines, only=["small/one"])) == {"both": True, "one": False}


@pytest.mark.parametrize("name", ["cell.json", "run.jsonl.gz"])
@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"{}"]
)
def test_a_damaged_cell_is_run_again(run, tmp_path: Path, name: str, damage) -> None:
    first = run({"words": WORDS})
    (path,) = (tmp_path / "out" / "cache" / "cells").glob(f"*/{name}")
    path.write_bytes(damage(path.read_bytes()))
    second = run({"words": WORDS})
    assert cached(second) == {"words": False}
    assert means(second) == means(first)


def test_times_from_another_machine_are_said_to_be(run, tmp_path: Path) -> None:
    assert not any("another machine" in warning for warning in run({"words": WORDS}).cells[0].warnings)
    (path,) = (tmp_path / "out" / "cache" / "cells").glob("*/cell.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"machine": "an abacus"}))
    warnings = run({"words": WORDS}).cells[0].warnings
    assert [warning for warning in warnings if "another machine" in warning] == [
        "its times were taken on another machine: an abacus"
    ]


def test_the_plan_says_what_is_there(run, tmp_path: Path) -> None:
    pipelines = {"words": WORDS, "both": Quire()}
    run(pipelines, only=["words"])
    experiment = Experiment(
        "small", {"small": CollectionSource("small")}, pipelines, k=20, folder=tmp_path, measures=("AP",)
    )
    plan = list(planned(experiment, tmp_path / "out" / "cache"))
    assert plan == [("small", "words", True), ("small", "both", False)]
    other = replace(experiment, k=21)
    assert not any(kept for _, _, kept in planned(other, tmp_path / "out" / "cache"))


def make_package(folder: Path, text: str, inner: str = "VALUE = 1\n") -> tuple[str, ...]:
    package = folder / "indexer_like"
    (package / "deep").mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "__init__.py").write_text("")
    (package / "top.py").write_text(text)
    (package / "deep" / "inner.py").write_text(inner)
    (package / "aside.py").write_text(f"# {inner}\nOTHER = {len(inner)}\n")
    return ("indexer_like.top",)


CALLER = '''"""One."""


def f():
    """Two."""
    {imports}

    return {value}
'''


def test_code_is_what_it_does_and_what_it_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("eval.experiment.fingerprint.FOLLOWED", ("indexer_like",))
    text = CALLER.format(imports="from indexer_like.deep.inner import VALUE", value="VALUE")
    other = CALLER.format(imports="from indexer_like.deep import inner", value="inner.VALUE")
    found = []
    for body, inner in [
        (text, "VALUE = 1\n"),
        (text.replace("One.", "1.").replace("Two.", "2.") + "# the end\n", "VALUE  =  1  # said\n"),
        (text.replace("return VALUE", "return -VALUE"), "VALUE = 1\n"),
        (text, "VALUE = 2\n"),
        (other, "VALUE = 1\n"),
        (other, "VALUE = 2\n"),
    ]:
        found.append(code_fingerprint.__wrapped__(make_package(tmp_path, body, inner)))
    assert found[0] == found[1]
    assert len(set(found)) == 5
    assert "indexer_like" not in sys.modules  # looked at, not run


def test_a_package_as_source_is_all_of_its_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    make_package(tmp_path, "VALUE = 1\n")
    before = code_fingerprint.__wrapped__(("indexer_like",))
    make_package(tmp_path, "VALUE = 1\n", "VALUE = 1111\n")
    assert code_fingerprint.__wrapped__(("indexer_like",)) != before


def test_the_version_of_a_library_that_decides_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_fingerprint.__wrapped__(("eval.run",))
    monkeypatch.setattr("eval.experiment.fingerprint.version", lambda name: "99")
    assert code_fingerprint.__wrapped__(("eval.run",)) != before


@pytest.mark.parametrize(
    ("search", "anew"),
    [
        (SearchSettings(reranker="own/model"), True),
        (SearchSettings(reranker="own/model", rerank_depth=0), False),
        (SearchSettings(reranker="own/model", rerank_weight=0), False),
        (SearchSettings(), False),
    ],
)
def test_another_cross_encoder_under_the_same_name_is_asked_anew(
    run, monkeypatch: pytest.MonkeyPatch, search: SearchSettings, anew: bool
) -> None:
    for fingerprint, kept in (
        ("model:1", False),
        ("model:1", True),
        ("model:2", not anew),
        ("model:1", True),
    ):
        monkeypatch.setattr("reranker.load.reranker_fingerprint", lambda _, found=fingerprint: found)
        assert cached(run({"reranked": Quire(search)})) == {"reranked": kept}


def test_a_cross_encoder_that_cannot_be_loaded_is_one_until_it_can(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipelines = {"reranked": Quire(SearchSettings(reranker="no/such-model"))}
    assert cached(run(pipelines)) == {"reranked": False}
    assert cached(run(pipelines)) == {"reranked": True}
    monkeypatch.setattr("reranker.load.reranker_fingerprint", lambda _: "model:1")
    assert cached(run(pipelines)) == {"reranked": False}
