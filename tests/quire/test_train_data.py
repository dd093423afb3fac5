"""`quire mine`, and what is refused before training begins. Nothing here needs torch."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from small_collection import write_collection

from eval.formats import read_collection
from indexer.encoder import HashingEncoder
from indexer.index import Index
from quire.mining_source import IndexSource
from quire.terminal import Screen
from quire.train_lines import outcome_lines
from quire.train_progress import TrainingLine
from quire.training import DataSource, Doing, Noted, Recipe, SplitSettings
from quire.training.dividing import Chosen, weighed
from quire.training.preparing import prepare
from reranker.data import Example, ExampleFile
from reranker.pairs import PassageText
from reranker.training import Change, Progressed, TrainingOutcome

Quire = Callable[..., Result]


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    return write_collection(tmp_path / "one", seed=1, topics=24)


@pytest.fixture
def rows(tmp_path: Path) -> Callable[..., Path]:
    """Writes JSON lines."""

    def write(name: str, *records: object) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path

    return write


def test_mining_writes_examples_and_goes_on_where_it_was(
    quire: Quire, collection: Path, tmp_path: Path
) -> None:
    mine = ["mine", "--judgements", collection, "--negatives", 2, "--out", "examples.jsonl.gz"]
    first = quire(*mine)
    assert first.exit_code == 0, first.output
    assert first.stdout == "23 examples in examples.jsonl.gz.\n"
    file = tmp_path / "examples.jsonl.gz"
    with ExampleFile(file) as examples:
        made = list(examples)
    assert all(example.source == "one" and example.prior is not None for example in made)
    assert {len(example.passages) for example in made} == {7}
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:9]) + lines[9][:20]))
    again = quire(*mine)
    assert "mining one: 1" in again.stderr  # how many of the rest, and not all of them
    assert "mining one: 23" not in again.stderr
    with ExampleFile(file) as examples:
        assert list(examples) == made
    other = quire(*mine[:-3], 3, *mine[-2:])
    assert other.exit_code == 2
    assert "made from other data or settings" in other.stderr


def test_several_sources_go_into_one_file(
    quire: Quire, records: Path, collection: Path, rows: Callable[..., Path]
) -> None:
    pairs = rows("pairs.jsonl", {"query": "winter", "better": "r1", "worse": "r3"})
    log = rows(
        "log.jsonl",
        {"query": "storms", "doc_id": "r1", "rank": 1, "clicked": 0},
        {"query": "storms", "doc_id": "r2", "rank": 2, "clicked": 1},
    )
    recipe = collection.parent / "all.toml"
    recipe.write_text(
        f'[[data]]\ncollection = "one"\nqueries = 5\n[[data]]\nindex = "{records}"\nclicks = "{log}"\n'
        f'[[data]]\nindex = "{records}"\npreferences = "{pairs}"\nname = "pairs of mine"\n'
    )
    result = quire("mine", recipe, "--out", "all.jsonl", "-q")
    assert result.exit_code == 0, result.output
    with ExampleFile(collection.parent / "all.jsonl") as examples:
        assert Counter(example.source for example in examples) == {"one": 5, "log": 1, "pairs of mine": 1}


def test_preferences_with_their_passages_need_no_index(
    quire: Quire, rows: Callable[..., Path], tmp_path: Path
) -> None:
    rows(
        "pairs.jsonl",
        {"query": "gold", "better": {"text": "about gold", "title": "A"}, "worse": {"text": "tin"}},
    )
    result = quire("mine", "--preferences", "pairs.jsonl", "--out", "pairs-mined.jsonl", "-q")
    assert result.exit_code == 0, result.output
    with ExampleFile(tmp_path / "pairs-mined.jsonl") as examples:
        (example,) = examples
    assert example.passages == (PassageText("about gold", title="A"), PassageText("tin"))
    assert example.grades == (1.0, 0.0)
    rows("ids.jsonl", {"query": "gold", "better": "d1", "worse": "d2"})
    missing = quire("mine", "--preferences", "ids.jsonl", "--out", "ids-mined.jsonl", "-q")
    assert missing.exit_code == 2
    assert "none of the judged documents is in the corpus" in missing.stderr


def test_all_errors_of_all_sources_are_told_before_anything_is_mined(
    quire: Quire, records: Path, rows: Callable[..., Path], tmp_path: Path
) -> None:
    rows(
        "pairs.jsonl",
        {"query": "winter", "better": "r1", "worse": "r3"},
        {"query": " ", "better": "r1", "worse": "r2"},
    )
    rows("other.jsonl", {"query": "winter", "better": "x1", "worse": "x2"})
    result = quire(
        "mine", records, "--preferences", "pairs.jsonl", "--preferences", "other.jsonl", "--out", "o.jsonl"
    )
    assert result.exit_code == 2
    assert "- pairs: 1 x a query without text" in result.stderr
    assert "- other: 1 x none of the judged documents is in the corpus" in result.stderr
    assert not (tmp_path / "o.jsonl").exists()


def test_a_query_to_measure_on_that_is_learnt_from_is_refused_before_mining(
    quire: Quire, collection: Path, tmp_path: Path
) -> None:
    write_collection(tmp_path / "two", seed=2, topics=3)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[[data]]\ncollection = "one"\n[[dev]]\ncollection = "two"\n')
    asked = json.loads((collection / "queries.jsonl").read_text().splitlines()[3])["text"]
    file = tmp_path / "two" / "queries.jsonl"

    def ask(*texts: str) -> Result:
        records = ({"_id": f"q{number}", "text": text} for number, text in enumerate(texts))
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        return quire("train", recipe, "--check", "--out", "run")

    assert ask("new one", "new two", "new three").stdout == "one: 24 queries\ntwo: 3 queries\n"
    result = ask("new one", f"{asked.upper()}?", "new three")
    assert result.exit_code == 2
    assert "- two: 1 x a query to measure on that is one to learn from, too (q1 " in result.stderr


@pytest.mark.parametrize("apart", [False, True])
def test_what_is_measured_on_is_the_first_stages_list_as_it_was_found(
    collection: Path, tmp_path: Path, apart: bool
) -> None:
    """Where training data are guarded so that the right answer leads, there would be nothing to measure against."""
    settings = SplitSettings(share=0.4, candidates=9)
    data, dev = (DataSource(collection=str(collection)),), ()
    if apart:
        dev = (DataSource(collection=str(write_collection(tmp_path / "two", seed=5, topics=9))),)
        (tmp_path / "one" / "queries.jsonl").write_text(
            (tmp_path / "one" / "queries.jsonl").read_text().replace('"text": "', '"text": "unlike ')
        )
    prepare(Recipe(data, dev, split=settings), tmp_path / "run", lambda event: None)
    (folder,) = [
        path
        for path in (tmp_path / "run" / "indexes").iterdir()
        if path.is_dir() and ("two" in path.name) == apart
    ]
    index = Index.open(folder, encoder=HashingEncoder(32))
    source = IndexSource(index.reader(), index.encoder)
    qrels = read_collection(tmp_path / ("two" if apart else "one")).judgements.qrels
    with ExampleFile(tmp_path / "run" / "data" / "dev.jsonl.gz") as measured:
        assert len(measured) >= 7
        firsts = []
        for example in measured:
            judged = qrels[example.query_id]
            found = [one for one in source.search(example.query, 9) if one.fused_rank]
            wanted = {one.passage for one in found if one.doc_id not in judged}
            assert wanted <= set(example.passages)
            assert len(example.passages) <= len(judged) + 9
            firsts.append(
                example.grades[max(range(len(example.grades)), key=(example.prior or ()).__getitem__)]
            )
        assert min(firsts) == 0  # the first stage is not always right
    index.close()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--replay", "absent"), "there is no"),
        (("--replay", "one"), "is no folder of a run whose data are ready"),
    ],
)
def test_what_is_to_be_replayed_is_looked_for_at_once(
    quire: Quire, collection: Path, arguments: tuple[str, ...], says: str
) -> None:
    result = quire("train", "--judgements", collection, "--check", "--out", "run", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--out", "o.jsonl"), "say what to learn from"),
        (("--structure", "--out", "o.jsonl"), "structure need an index"),
        (("--judgements", "one", "--out", "o.csv"), "ends in .jsonl"),
        (("--clicks", "absent.csv", "--out", "o.jsonl"), "clicks need an index"),
        (("--judgements", "nowhere", "--out", "o.jsonl"), "is no folder"),
        (("recipe.toml", "--judgements", "one", "--out", "o.jsonl"), "leave --judgements out"),
        (("recipe.toml", "--out", "o.jsonl"), "cannot be read"),
        (("--judgements", "one", "--negatives", -1, "--out", "o.jsonl"), "negatives is a whole number"),
        (("--judgements", "one"), "Missing option '--out'"),
    ],
)
def test_command_lines_that_cannot_be_meant(
    quire: Quire, collection: Path, arguments: tuple[object, ...], says: str
) -> None:
    result = quire("mine", *arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.split())


def test_an_index_or_a_log_that_is_not_there(quire: Quire, records: Path) -> None:
    assert quire("mine", "nowhere", "--structure", "--out", "o.jsonl").exit_code == 3
    result = quire("mine", records, "--clicks", "absent.csv", "--out", "o.jsonl")
    assert result.exit_code == 2
    assert "absent.csv cannot be read" in result.stderr


def test_without_torch_the_install_line_is_said(
    quire: Quire, collection: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("reranker.training.libraries.find_spec", lambda name: None)
    result = quire("train", "--judgements", collection, "--out", "run")
    assert result.exit_code == 3
    assert "pip install 'quire-search[train]'" in result.stderr
    assert not (tmp_path / "run").exists()
    assert quire("train", "--judgements", collection).exit_code == 2


def test_checking_alone_needs_no_torch_and_leaves_nothing(
    quire: Quire, collection: Path, tmp_path: Path
) -> None:
    result = quire("train", "--judgements", collection, "--check", "--out", "run")
    assert result.stdout == "one: 24 queries\n"
    assert "one: 1 x a query with no right answer" in result.stderr
    assert not (tmp_path / "run").exists()


@given(
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    weights=st.lists(st.floats(0.1, 4.0), min_size=4, max_size=4),
    seed=st.integers(0, 3),
)
def test_weights_are_how_often_an_example_comes(sizes: list[int], weights: list[float], seed: int) -> None:
    places = [(pool, at) for pool, size in enumerate(sizes) for at in range(size)]
    found = weighed(places, weights[: len(sizes)], seed)
    assert found == weighed(places, weights[: len(sizes)], seed)
    for pool, size in enumerate(sizes):
        counts = Counter(place for place in found if place[0] == pool)
        whole = int(weights[pool])
        assert sum(counts.values()) == size * whole + round((weights[pool] - whole) * size)
        assert all(whole <= counts[pool, at] <= whole + 1 for at in range(size))


def test_chosen_examples_are_a_sequence() -> None:
    pools = [[Example(f"{pool}{at}", "q", (PassageText("p"),), (1.0,)) for at in range(3)] for pool in "ab"]
    chosen = Chosen(pools, [(1, 2), (0, 0), (1, 2)])
    assert [one.query_id for one in chosen] == ["b2", "a0", "b2"]
    assert [one.query_id for one in chosen[1:]] == ["a0", "b2"]
    assert (len(chosen), chosen[-2].query_id) == (3, "a0")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_rate_and_time_left() -> None:
    now = 0.0
    stream = Terminal()
    line = TrainingLine(stream=stream, clock=lambda: now)
    line(Doing("mining one", 100, 1000))  # what an earlier call had mined
    now = 10.0
    assert (
        line.line(Doing("mining one", 150, 1000)) == "mining one 150 of 1,000, 5.0/s, about 2 min 50 s left"
    )
    line(Noted("a \x1b[31mnote"))
    assert stream.getvalue().endswith("\x1b[2Ka [31mnote\n")

    def step(number: int, ndcg: float | None = None) -> Progressed:
        return Progressed(number, 500, 0.1, 0.25, 1e-4, 80.0, ndcg, now)

    line(step(400))
    now = 20.0
    assert line.step_line(step(410)) == "step 410 of 500, loss 0.2500, 80 pairs/s, about 1 min 30 s left"
    line(step(410, 0.5))
    assert "step 410 of 500: nDCG@10 0.5000 on the development queries\n" in stream.getvalue()
    plain = TrainingLine(stream=(kept := io.StringIO()), clock=lambda: now)
    for event in (Doing("reading", 1), Doing("reading", 2), Doing("mining", 1), Doing("mining", 2)):
        plain(event)
    assert kept.getvalue() == "reading 1\nmining 1\n"  # what is new at once, the rest now and then
    quiet = TrainingLine(quiet=True, stream=(silence := io.StringIO()))
    for event in (Doing("mining one", 1, 2), step(1), step(2, 0.4), Noted("all is well")):
        quiet(event)
    assert silence.getvalue() == ""
    quiet(Noted("something is not", warning=True))
    assert silence.getvalue() == "warning: something is not\n"


def test_what_is_printed_of_a_run_fits_the_screen() -> None:
    changes = {
        "all": Change(1200, 0.5, 0.61234, 0.00001),
        "a very long name of a collection": Change(7, 0.4, 0.3, 0.25),
    }
    outcome = TrainingOutcome(Path("run"), Path("run/model"), 100, 61.0, True, 80, changes, {})
    for width in (40, 80):
        lines = list(outcome_lines(outcome, Screen(width)))
        assert all(len(line) <= width for line in lines[:-1])
        text = " ".join(" ".join(lines).split())
        assert "0.6123" in text
        assert "<0.0001" in text
        assert "100 steps in 1 min 1 s, stopped early" in text
    unmeasured = TrainingOutcome(Path("run"), Path("run/model"), 1, 1.0, False, 1, {}, {})
    assert "no queries to measure on" in " ".join(outcome_lines(unmeasured, Screen(200)))
