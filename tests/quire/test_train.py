"""`quire train` from end to end: a tiny model, small collections, and everything that stands between them."""

from __future__ import annotations

import gzip
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from small_collection import write_collection
from tiny_transformer import write_tiny_transformer

from small_corpus import WORDS

for needed in ("torch", "sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from quire.training import DataSource, Recipe, ReplaySettings, SplitSettings, train  # noqa: E402
from quire.training.events import Doing, Noted  # noqa: E402
from reranker.errors import TrainingInterrupted  # noqa: E402
from reranker.load import load_reranker  # noqa: E402
from reranker.training import Progressed, TrainingSettings  # noqa: E402

Quire = Callable[..., Result]
TRAINING = """
[training]
base = "tiny"
max_tokens = 40
rank = 4
alpha = 8
batch_queries = 4
learning_rate = 0.005
log_every = 1
device = "cpu"
threads = 1
"""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """More would wait for each other longer than they work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_transformer(tmp_path_factory.mktemp("body") / "tiny", WORDS)


@pytest.fixture
def place(tmp_path: Path, body: Path) -> Path:
    """A folder with two collections, and a base named `tiny`."""
    (tmp_path / "tiny").symlink_to(body)
    write_collection(tmp_path / "one", seed=1, topics=24)
    write_collection(tmp_path / "two", seed=2, topics=16)
    return tmp_path


@pytest.fixture(scope="module")
def small(body: Path) -> TrainingSettings:
    return TrainingSettings(
        base=str(body),
        max_tokens=40,
        rank=4,
        alpha=8,
        batch_queries=4,
        learning_rate=5e-3,
        log_every=1,
        device="cpu",
        threads=1,
    )


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the examples of a file."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()][1:]


def test_a_recipe_from_its_file_to_a_reranker_that_answers(quire: Quire, place: Path) -> None:
    recipe = place / "recipe.toml"
    recipe.write_text(
        TRAINING
        + """
        [mining]
        negatives = 3
        [split]
        share = 0.25
        [[data]]
        collection = "one"
        [[data]]
        collection = "two"
        weight = 2.5
        mining = { negatives = 1, margin = "none" }
        """
    )
    result = quire("train", recipe, "--out", "run")
    assert result.exit_code == 0, result.output
    run = place / "run"
    described = json.loads((run / "data.json").read_text())
    train_of, dev_of = (
        {n: s["queries"] for n, s in described[p]["sources"].items()} for p in ("train", "dev")
    )
    assert dev_of.keys() == {"one", "two"}
    one, two = (len(lines_of(run / "data" / "mined" / f"data-{n:02}.jsonl.gz")) for n in (0, 1))
    assert (one, two) == (23, 13)  # the others have no right answer, and were named
    assert train_of == {"one": one - dev_of["one"], "two": round(2.5 * (two - dev_of["two"]))}
    assert "one: 1 x a query with no right answer" in result.stderr
    assert 8 <= sum(dev_of.values()) <= 12
    learnt, measured = lines_of(run / "data" / "train.jsonl.gz"), lines_of(run / "data" / "dev.jsonl.gz")
    assert not {example["query"] for example in learnt} & {example["query"] for example in measured}
    # Five documents of each query are judged; mining adds what each source asks for.
    sizes = {source: {len(e["passages"]) for e in learnt if e["source"] == source} for source in train_of}
    assert sizes == {"one": {8}, "two": {6}}
    report = json.loads((run / "report.json").read_text())["before_and_after"]
    for name in ("all", "one", "two"):
        assert f"{report[name]['before']:.4f}" in result.stdout
        assert f"{report[name]['after']:.4f}" in result.stdout
    assert "first stage" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    assert "quire search INDEX --reranker run/model QUERY" in result.stdout
    assert "mining one: 23 of 24 queries gave an example" in result.stderr
    assert "on the development queries" in result.stderr
    scores = load_reranker(str(run / "model")).score("granite meadow", ["granite", "willow ember"])
    assert len(set(scores.tolist())) == 2


def test_flags_and_an_index_of_ones_own(quire: Quire, place: Path, records: Path) -> None:
    """Every kind of data at once, in one run, with most of the options."""
    clicks = [
        {"query": "storms", "doc_id": "r1", "rank": 1, "clicked": 0, "session": "a"},
        {"query": "storms", "doc_id": "r2", "rank": 2, "clicked": 1, "session": "a"},
        {"query": "calm", "doc_id": "r3", "rank": 1, "clicked": 1, "session": "b"},
    ]
    (place / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in clicks))
    (place / "pairs.csv").write_text("query,better,worse\nwinter,r1,r3\nsummer,r2,r3\ncalm weather,r3,r1\n")
    assert quire("mine", records, "--preferences", "pairs.csv", "--out", "old.jsonl.gz", "-q").exit_code == 0
    options: list[object] = ["--clicks", "log.jsonl", "--sessions", "--preferences", "pairs.csv"]
    options += [
        "--base",
        "tiny",
        "--method",
        "full",
        "--objective",
        "listwise",
        "--max-steps",
        3,
        "--device",
        "cpu",
    ]
    options += ["--threads", 1, "--negatives", 1, "--seed", 5]
    first = quire("train", records, *options, "--out", "run", "--json", "-q")
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["steps"] == 3
    config = json.loads((place / "run" / "config.json").read_text())
    assert (config["method"], config["objective"], config["seed"]) == ("full", "listwise", 5)
    assert (place / "run" / "model" / "model.safetensors").is_file()
    saved = json.loads((place / "run" / "recipe.json").read_text())
    assert saved["clicks"]["by"] == "sessions"
    assert saved["data"][0]["clicks"] == str(place / "log.jsonl")
    assert (saved["mining"]["negatives"], saved["mining"]["seed"], saved["split"]["seed"]) == (1, 5, 5)
    # A file of examples is data, too, and so is what an earlier run had.
    again = [
        "train",
        "--examples",
        "old.jsonl.gz",
        "--base",
        "run/model",
        "--method",
        "full",
        "--max-steps",
        1,
    ]
    second = quire(*again, "--replay", "run", "--replay-share", 0.5, "--out", "next", "--device", "cpu")
    assert second.exit_code == 0, second.output
    sources = json.loads((place / "next" / "data.json").read_text())["train"]["sources"]
    assert any(name.startswith("replay: ") for name in sources)
    assert "pairs" in sources
    assert json.loads((place / "next" / "config.json").read_text())["base"] == str(place / "run" / "model")


def test_old_queries_do_not_stand_on_the_other_side(place: Path, small: TrainingSettings) -> None:
    """Of an old run, what is now measured on is not learnt, and the other way round; old measures are shown."""
    one, two = (DataSource(collection=str(place / name)) for name in ("one", "two"))
    train(Recipe((one,), training=small), place / "first")
    noted: list[str] = []

    def tell(event: Doing | Noted | Progressed) -> None:
        if isinstance(event, Noted):
            noted.append(event.text)

    replay = ReplaySettings(str(place / "first"), 0.5)
    new = (two, DataSource(collection=one.collection, queries=8))
    both = Recipe(new, training=small, replay=replay, split=SplitSettings(share=0.3, seed=3))
    outcome = train(both, place / "second", tell=tell)
    learnt = {example["query"] for example in lines_of(place / "second" / "data" / "train.jsonl.gz")}
    measured = {example["query"] for example in lines_of(place / "second" / "data" / "dev.jsonl.gz")}
    assert not learnt & measured
    assert any("on the other side" in text for text in noted)
    assert {"new", "old"} <= outcome.changes.keys()
    old = lines_of(place / "second" / "data" / "train.jsonl.gz")
    assert any(example["source"] == "replay: one" for example in old)


def test_structure_needs_no_labels(quire: Quire, place: Path) -> None:
    chapters = "".join(
        f"## The {WORDS[n]} of {WORDS[n + 1]} and {WORDS[n + 2]}\n\n"
        + f"{WORDS[n + 3]} is told of here. " * 20
        + "\n\n"
        for n in range(8)
    )
    (place / "books").mkdir()
    for number, name in enumerate(("north", "south")):
        (place / "books" / f"{name}.md").write_text(
            f"# A book of the {name}\n\n{chapters}".replace("told", "sung" * number or "told")
        )
    assert quire("index", "books", "books-index", "-q").exit_code == 0
    (place / "recipe.toml").write_text(
        TRAINING + '[[data]]\nindex = "books-index"\nstructure = true\nqueries = 8\n'
    )
    checked = quire("train", "recipe.toml", "--check", "--out", "run")
    assert checked.stdout == "books-index (structure): 8 queries\n"
    assert not (place / "run").exists()
    result = quire("train", "recipe.toml", "--out", "run", "-q")
    assert result.exit_code == 0, result.output
    examples = lines_of(place / "run" / "data" / "mined" / "data-00.jsonl.gz")
    assert len(examples) == 8
    assert all(example["query"] not in json.dumps(example["passages"]) for example in examples)


@pytest.fixture(autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as a shell's foreground has it: what is started in the background is deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pressing(when: Callable[[object], bool]) -> Callable[[object], None]:
    """Press Ctrl-C at the first event that is meant."""
    pressed: list[object] = []

    def tell(event: object) -> None:
        if not pressed and when(event):
            pressed.append(event)
            os.kill(os.getpid(), signal.SIGINT)

    return tell


@pytest.mark.parametrize(
    "when",
    [
        lambda event: isinstance(event, Doing) and event.what == "indexing one" and event.done == 5,
        lambda event: isinstance(event, Doing) and event.what == "mining one" and event.done == 7,
        lambda event: isinstance(event, Doing) and event.what == "writing train.jsonl.gz" and event.done == 3,
        lambda event: isinstance(event, Progressed) and event.step == 2,
    ],
    ids=["while indexing", "while mining", "while writing", "while training"],
)
def test_ctrl_c_at_any_time_and_going_on(
    quire: Quire, place: Path, small: TrainingSettings, when: Callable[[object], bool], whole: Path
) -> None:
    recipe = Recipe((DataSource(collection=str(place / "one")),), training=small)
    command = ["quire", "train", "--resume", "run"]
    with pytest.raises(TrainingInterrupted, match="quire train --resume run"):
        train(recipe, "run", tell=pressing(when), command=command)
    assert not (place / "run" / "model").exists()
    result = quire("train", "--resume", "run")
    assert result.exit_code == 0, result.output
    name = "adapter_model.safetensors"
    assert (place / "run" / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()
    done = quire("train", "--resume", "run")
    assert done.exit_code == 2
    assert "is a finished run" in done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, small: TrainingSettings) -> Path:
    """The run that none of those above was stopped in."""
    from indexer.encoder import HashingEncoder

    place = tmp_path_factory.mktemp("whole")
    write_collection(place / "one", seed=1, topics=24)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.encoder.load_encoder", lambda *_, **__: HashingEncoder(32), raising=False)
        train(Recipe((DataSource(collection=str(place / "one")),), training=small), place / "run")
    return place / "run"


def test_a_run_that_is_told_to_stop_by_the_command_says_how_to_go_on(
    quire: Quire, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "recipe.toml").write_text(TRAINING + '[[data]]\ncollection = "one"\n')
    press = pressing(lambda event: isinstance(event, Progressed) and event.step == 1)
    monkeypatch.setattr("quire.train_progress.TrainingLine.__call__", lambda self, event: press(event))
    result = quire("train", "recipe.toml", "--out", "run")
    assert result.exit_code == 130
    assert "Go on with: quire train --resume run" in result.stderr
    again = quire("train", "recipe.toml", "--out", "run")
    assert again.exit_code == 2
    assert "holds a run already" in again.stderr


def test_the_second_round_is_mined_by_the_first_ones_model(quire: Quire, place: Path) -> None:
    (place / "recipe.toml").write_text(TRAINING + '[[data]]\ncollection = "one"\n')
    assert quire("train", "recipe.toml", "--out", "first", "-q").exit_code == 0
    second = quire(
        "train", "recipe.toml", "--out", "second", "--teacher", "first/model", "--base", "first/model"
    )
    assert second.exit_code == 0, second.output
    assert "teacher" in second.stderr


def test_a_base_that_is_not_there_is_said_before_anything_is_mined(quire: Quire, place: Path) -> None:
    (place / "recipe.toml").write_text(
        TRAINING.replace('"tiny"', '"./nothing"') + '[[data]]\ncollection = "one"\n'
    )
    result = quire("train", "recipe.toml", "--out", "run")
    assert result.exit_code == 3
    assert "nothing" in result.stderr
    assert not (place / "run").exists()


def test_resuming_takes_no_other_option_and_needs_a_run(quire: Quire, place: Path) -> None:
    result = quire("train", "--resume", "run", "--epochs", 2)
    assert result.exit_code == 2
    assert "leave --epochs out" in result.stderr
    missing = quire("train", "--resume", "run")
    assert missing.exit_code == 2
    assert "no run to go on with" in missing.stderr
