"""A result is read back as it was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.errors import FormatError, InvalidExperiment
from eval.experiment.pipelines.bm25 import RankBM25
from eval.experiment.pipelines.quire import Quire
from eval.experiment.pipelines.run_file import RunFile
from eval.experiment.result import SHOWN, ExperimentResult


def test_a_result_comes_back_whole(run, tmp_path: Path) -> None:
    result = run(
        {"quire": Quire(), "words": RankBM25(), "absent": RunFile("absent.run")},
        source={"measures": ("SpanRecall@5",), "topics": 7},
        description="“quoted” 灯塔",
    )
    assert ExperimentResult.load(tmp_path / "out" / "results.json") == result
    assert result.collections[0].topics_in_all == 12
    assert len(result.collections[0].topics) == 7
    assert result.failures[0].pipeline == "absent"
    assert list(result.row("small")) == ["quire", "words"]
    assert result.row("small")["quire"].index.documents == result.collections[0].documents == 30
    shown = {doc for cell in result.cells for top in cell.top.values() for doc in top}
    assert result.collections[0].titles.keys() == shown
    assert max(len(top) for cell in result.cells for top in cell.top.values()) == SHOWN
    with pytest.raises(InvalidExperiment, match="small"):
        result.collection("large")


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record | {"format": 99},
        lambda record: {name: value for name, value in record.items() if name != "cells"},
        lambda record: record | {"cells": [{}]},
        lambda record: record | {"cells": 3},
        lambda record: record | {"measures": ["Happiness"]},
        lambda record: record | {"surprise": 1},
        lambda record: [record],
        lambda record: {},
    ],
)
def test_another_file_is_refused_by_name(run, tmp_path: Path, change) -> None:
    run({"words": RankBM25()})
    path = tmp_path / "out" / "results.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(FormatError, match=r"results\.json"):
        ExperimentResult.load(path)
    path.write_text("[")
    with pytest.raises(FormatError, match=r"results\.json"):
        ExperimentResult.load(path)
