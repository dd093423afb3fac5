"""An experiment's file: what it can say, and what it is told when it says something else."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.configuration import IndexingSettings
from engine.settings import SearchSettings
from eval.errors import InvalidExperiment
from eval.experiment.definition import CollectionSource, Experiment
from eval.experiment.pipelines import KINDS, pipeline_class
from eval.experiment.pipelines.bm25 import RankBM25
from eval.experiment.pipelines.naive import Naive
from eval.experiment.pipelines.quire import Quire
from eval.experiment.pipelines.run_file import RunFile
from eval.experiment.pipelines.service import Service
from eval.experiment.read import read_experiment

WHOLE = """
name = "Everything"
description = "All there is."
baseline = "words"
measures = ["AP", "nDCG@5"]
k = 50
page = 5
test = "wilcoxon"
correction = "benjamini-hochberg"
folder = "sets"

[indexing]
tokens = 128
overlap = 16
language = "french"

[collection.one]
path = "one"
split = "dev"
topics = 10
seed = 3
measures = ["SpanRR"]

[collection.two]
path = "irds:cranfield"

[collection.two.indexing]
encoder = "reads-chinese"

[pipeline.words]
alpha = 0

[pipeline.both]
fusion = "rrf"
tokens = 64
facets = ["year"]

[pipeline.library]
kind = "rank-bm25"
k1 = 1

[pipeline.floor]
kind = "naive"
encoder = "own"
on = ["two"]

[pipeline.theirs]
kind = "run-file"
file = "{collection}.run"

[pipeline.live]
kind = "service"
url = "http://localhost/search?q={query}"
body = { size = "{k}", query = { match = "{query}" } }
headers = { Authorization = "Bearer ${TOKEN}" }
"""


def read(folder: Path, text: str) -> Experiment:
    path = folder / "experiment.toml"
    path.write_text(text, encoding="utf-8")
    return read_experiment(path)


def test_all_that_a_file_can_say(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    indexing = IndexingSettings(tokens=128, overlap=16, language="french")
    chinese = IndexingSettings("reads-chinese", tokens=128, overlap=16, language="french")
    assert found == Experiment(
        name="Everything",
        description="All there is.",
        collections={
            "one": CollectionSource("one", "dev", 10, 3, ("SpanRR",)),
            "two": CollectionSource("irds:cranfield"),
        },
        pipelines={
            "words": Quire(SearchSettings(alpha=0.0), indexing),
            "both": Quire(
                SearchSettings(fusion="rrf", facets=("year",)),
                IndexingSettings(tokens=64, overlap=16, language="french"),
            ),
            "library": RankBM25(k1=1.0, language="french"),
            "floor": Naive(indexing=IndexingSettings("own", tokens=128, overlap=16, language="french")),
            "theirs": RunFile("{collection}.run"),
            "live": Service(
                "http://localhost/search?q={query}",
                body={"size": "{k}", "query": {"match": "{query}"}},
                headers={"Authorization": "Bearer ${TOKEN}"},
            ),
        },
        measures=("AP", "nDCG@5"),
        baseline="words",
        k=50,
        page=5,
        test="wilcoxon",
        correction="benjamini-hochberg",
        folder=tmp_path,
        collections_folder=tmp_path / "sets",
        definition=WHOLE,
        only_on={"floor": ("two",)},
        instead={
            ("two", "words"): Quire(SearchSettings(alpha=0.0), chinese),
            ("two", "both"): Quire(
                SearchSettings(fusion="rrf", facets=("year",)),
                IndexingSettings("reads-chinese", tokens=64, overlap=16, language="french"),
            ),
        },
    )
    assert found.path_of(found.collections["one"]) == str(tmp_path / "sets" / "one")
    assert found.path_of(found.collections["two"]) == "irds:cranfield"
    assert ("one", "floor") not in found.cells()
    assert found.pipeline("two", "words") != found.pipeline("one", "words")
    assert found.only(["two/floor", "library"]) == [
        ("one", "library"),
        ("two", "library"),
        ("two", "floor"),
    ]


def test_another_folder_of_collections_wins(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_text(WHOLE, encoding="utf-8")
    found = read_experiment(path, collections_folder=tmp_path / "elsewhere")
    assert found.path_of(found.collections["one"]) == str(tmp_path / "elsewhere" / "one")


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    found = read(tmp_path, '[collection.a]\npath = "a"\n[pipeline.b]\n')
    assert (found.name, found.compared_with, found.k) == ("experiment", "b", 100)
    assert found.pipelines == {"b": Quire()}


BASE = '[collection.a]\npath = "a"\n'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("mesures = 1\n" + BASE, 1, "did you mean 'measures'?"),
        ('measures = "AP"\n' + BASE, 1, "must be a list of strings"),
        ("k = 1.5\n" + BASE, 1, "must be a whole number"),
        ("k = true\n" + BASE, 1, "must be a whole number"),
        (BASE + "[pipeline.p]\nalhpa = 1\n", 4, "did you mean 'alpha'?"),
        (BASE + "[pipeline.p]\nalpha = 2\n", 4, "from 0 to 1"),
        (BASE + '[pipeline.p]\nalpha = "high"\n', 4, "must be a number"),
        (BASE + "[pipeline.p]\ntokens = 3\n", 4, "tokens is a whole number"),
        (BASE + '[pipeline.p]\nkind = "quier"\n', 4, "did you mean 'quire'?"),
        (BASE + '[pipeline.p]\nkind = "rerank"\n', 4, "there are"),
        (
            BASE + '[pipeline.p]\nkind = "rank-bm25"\nalpha = 1\n',
            5,
            "no such key in [pipeline.p] (kind rank-bm25)",
        ),
        (BASE + '[pipeline.p]\nkind = "run-file"\n', 3, "needs `file`"),
        (BASE + '[pipeline.p]\nkind = "service"\nurl = "localhost"\n', 5, "http://"),
        (BASE + '[pipeline.p]\nkind = "service"\nurl = "http://x"\nbody = "x"\n', 6, "must be a table"),
        (BASE + '[pipeline.p]\non = "a"\n', 4, "must be a list"),
        (BASE + "[pipeline.p]\n[indexing]\ntoken = 3\n", 5, "did you mean 'tokens'?"),
        (BASE + "[pipeline.p]\n[collection.a.indexing]\nencodr = 3\n", 5, "did you mean 'encoder'?"),
        ("[collection.a]\n[pipeline.p]\n", 1, "has no path"),
        ("[collection.a]\npath = 3\n[pipeline.p]\n", 2, "must be a string"),
        ('[collection.a]\npath = "a"\nspilt = "x"\n[pipeline.p]\n', 3, "did you mean 'split'?"),
        ('[collection.a]\npath = "a"\ntopics = -1\n[pipeline.p]\n', 3, "0 for all"),
        ("[collection]\na = 3\n[pipeline.p]\n", 2, "[collection.NAME]"),
        ("collection = 3\n", 1, "must be a table"),
        (BASE, 0, "at least one pipeline"),
        ("[pipeline.p]\n", 0, "at least one collection"),
        ('baseline = "q"\n' + BASE + "[pipeline.p]\n", 0, "baseline is one of p; found 'q'"),
        ('test = "u"\n' + BASE + "[pipeline.p]\n", 0, "test is one of"),
        (BASE + '[pipeline.p]\non = ["b"]\n', 0, "found 'b'"),
        ('[collection."a/b"]\npath = "a"\n[pipeline.p]\n', 0, "becomes a file's"),
        (BASE + '[pipeline.".."]\n', 0, "becomes a file's"),
        ("k = 0\n" + BASE + "[pipeline.p]\n", 0, "at least 1"),
        ("measures = []\n" + BASE + "[pipeline.p]\n", 0, "measures is empty"),
        ("k = \n", 0, "not TOML"),
    ],
)
def test_what_a_file_gets_wrong_is_named_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(InvalidExperiment) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert says in message
    assert message.startswith(f"{tmp_path / 'experiment.toml'}:{f'{line}:' if line else ''}")
    assert message.count("experiment.toml") == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidExperiment, match="cannot be read"):
        read_experiment(tmp_path / "absent.toml")


@given(st.recursive(st.booleans() | st.integers(-5, 300) | st.text(max_size=5), st.lists, max_leaves=4))
def test_no_value_does_worse_than_be_refused(tmp_path: Path, value) -> None:
    said = json.dumps(value)
    for key in ("alpha", "kind", "facets", "on", "encoder", "depth"):
        with suppress(InvalidExperiment):  # any other error is one too many
            read(tmp_path, BASE + f"[pipeline.p]\n{key} = {said}\n")


def test_every_kind_says_all_of_its_settings() -> None:
    needed = {"run-file": {"file": "x"}, "service": {"url": "http://x"}}
    for kind in KINDS:
        cls = pipeline_class(kind)
        pipeline = cls(**needed.get(kind, {}))
        assert pipeline.kind == kind
        assert all(isinstance(value, str) and value for value in pipeline.settings().values())


def test_the_experiment_of_the_project_can_be_read(root: Path) -> None:
    found = read_experiment(root / "benchmarks" / "experiments" / "open.toml")
    assert len(found.collections) == 10
    assert found.compared_with in found.pipelines
