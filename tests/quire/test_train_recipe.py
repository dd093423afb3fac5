"""Recipes of `quire train`: what is read, what is refused and where, and that nothing is lost in a run's folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.configuration import IndexingSettings
from engine.settings import SearchSettings
from quire.training import ClickSettings, DataSource, Recipe, ReplaySettings, SplitSettings, read_recipe
from quire.training.read import recipe_of
from reranker.data import GuardSettings, MiningSettings, StructureSettings
from reranker.errors import InvalidTrainingSettings
from reranker.training import TrainingSettings

FULL = """
teacher = "runs/first/model"

[training]
base = "some-encoder"
layers = [0, 2]
epochs = 2

[mining]
negatives = 3
margin = "none"

[structure]
titles = false
[clicks]
by = "sessions"
examination = [1, 0.5]
[split]
share = 0
[replay]
path = "runs/first"
[indexing]
tokens = 64
[search]
alpha = 0.25
budget_ms = "none"

[[data]]
collection = "collections/one"
split = "train"
weight = 0.5

[[data]]
index = "my-index"
structure = true
[data.mining]
depth = 9

[[data]]
preferences = "pairs.jsonl"

[[dev]]
collection = "irds:vaswani"
"""


def test_a_whole_recipe(tmp_path: Path) -> None:
    (tmp_path / "runs" / "first" / "model").mkdir(parents=True)
    file = tmp_path / "recipe.toml"
    file.write_text(FULL)
    mining = MiningSettings(negatives=3, guard=GuardSettings(margin=None))
    at = str(tmp_path.resolve())
    assert read_recipe(file, indexing=IndexingSettings(overlap=8)) == Recipe(
        data=(
            DataSource(collection=f"{at}/collections/one", split="train", weight=0.5),
            DataSource(index=f"{at}/my-index", structure=True, mining=replace(mining, depth=9)),
            DataSource(preferences=f"{at}/pairs.jsonl"),
        ),
        dev=(DataSource(collection="irds:vaswani"),),
        training=TrainingSettings(base="some-encoder", layers=(0, 2), epochs=2.0),
        mining=mining,
        teacher=f"{at}/runs/first/model",
        structure=StructureSettings(titles=False),
        clicks=ClickSettings(by="sessions", examination=(1.0, 0.5)),
        split=SplitSettings(share=0.0),
        replay=ReplaySettings(path=f"{at}/runs/first"),
        indexing=IndexingSettings(tokens=64, overlap=8),
        search=SearchSettings(alpha=0.25),
    )
    elsewhere = read_recipe(file, collections_folder=tmp_path / "there")
    assert elsewhere.data[0].collection == f"{at}/there/collections/one"
    assert elsewhere.data[1].index == f"{at}/my-index"


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(FULL)
    for recipe in (read_recipe(file), Recipe((DataSource(clicks="a.csv", index="i"),))):
        saved = json.loads(json.dumps(recipe.to_json()))
        again = recipe_of(saved, "recipe.json")
        assert replace(again, data=recipe.data, dev=recipe.dev) == recipe
        assert [source.label for source in again.data] == [source.label for source in recipe.data]
        assert again.dev == recipe.dev
    assert recipe_of(json.loads(json.dumps(read_recipe(file).to_json())), "recipe.json") == read_recipe(file)


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("negatives = 3", "negatvies = 3"), "negatvies", "did you mean 'negatives'?"),
        (("negatives = 3", "negatives = -3"), "negatives", "negatives is a whole number of at least 0"),
        (('margin = "none"', "margin = 3"), "margin", "margin is above 0"),
        (("epochs = 2", "epochs = true"), "epochs", "epochs must be a finite number"),
        (("layers = [0, 2]", "layres = [0, 2]"), "layres", "did you mean layers?"),
        (("share = 0", "share = 1"), "share", "share is from 0 to less than 1"),
        (("weight = 0.5", "weight = 0"), "weight", "weight is above 0"),
        (
            ("weight = 0.5", 'structure = true\nclicks = "a"'),
            "clicks = ",
            "found structure and clicks",
        ),
        (("depth = 9", 'depth = "deep"'), "[data.mining]", "depth must be a whole number"),
        (("\npreferences", "\n#"), '[[data]]\n# = "pairs', "found none"),
        (("alpha = 0.25", "alpha = 2"), "alpha", "alpha is a number from 0 to 1"),
        (("tokens = 64", "tokens = 1"), "tokens", "tokens is a whole number from 16"),
        (('by = "sessions"', 'by = "weeks"'), "by", "one of rates, sessions"),
        (("[structure]", "[stucture]"), "[stucture]", "did you mean 'structure'?"),
        (("[[dev]]", "[dev]"), "[dev]", "list of tables"),
        (("teacher = ", "teecher = "), "teecher", "did you mean 'teacher'?"),
    ],
)
def test_what_cannot_be_understood_is_named_with_its_line(
    change: tuple[str, str], line: str, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "recipe.toml"
    text = FULL.replace(*change, 1)
    file.write_text(text)
    with pytest.raises(InvalidTrainingSettings) as caught:
        read_recipe(file)
    assert says in str(caught.value)
    number = text[: text.index(line)].count("\n") + 1
    assert str(caught.value).startswith(f"{file}:{number}: ")


@pytest.mark.parametrize(
    ("text", "says"), [("a = [", "not TOML"), ("", "no data are given"), ("data = 3", "list of tables")]
)
def test_a_file_that_is_no_recipe(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(text)
    with pytest.raises(InvalidTrainingSettings, match=says):
        read_recipe(file)
    with pytest.raises(InvalidTrainingSettings, match="cannot be read"):
        read_recipe(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "found none"),
        ({"structure": True}, "structure need an index"),
        ({"clicks": "a"}, "clicks need an index"),
        ({"clicks": "a", "index": "i", "collection": "c"}, "of which documents"),
        ({"preferences": "a", "split": "dev"}, "split 'dev'"),
        ({"examples": "a", "index": "i"}, "finished"),
        ({"collection": "a", "queries": -1}, "queries is"),
        ({"collection": "a", "weight": float("nan")}, "weight is"),
    ],
)
def test_sources_that_cannot_be_meant(values: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidTrainingSettings, match=says):
        DataSource(**values)  # type: ignore[arg-type]


def test_settings_outside_their_range() -> None:
    for make in (
        lambda: ClickSettings(by="weeks"),  # type: ignore[arg-type]
        lambda: ClickSettings(fit=True, examination=(1.0,)),
        lambda: ClickSettings(eta=-1.0),
        lambda: SplitSettings(share=1.0),
        lambda: SplitSettings(most=0),
        lambda: ReplaySettings(share=-0.1),
        lambda: Recipe(()),
    ):
        with pytest.raises(InvalidTrainingSettings):
            make()


def test_names_for_reports() -> None:
    assert DataSource(collection="x/nq", split="train").label == "nq/train"
    assert DataSource(collection="irds:beir/nq/").label == "nq"
    assert DataSource(index="x/mine", structure=True).label == "mine (structure)"
    assert DataSource(index="x/mine", clicks="y/log.2024.jsonl.gz").label == "log"
    assert DataSource(collection="x/nq", name="questions").label == "questions"
