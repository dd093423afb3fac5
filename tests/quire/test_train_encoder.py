"""`quire train-encoder`: what becomes of a log, of histories and of an index, and the command from end to end."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tiny_transformer import write_tiny_transformer

from engine.event import Event
from engine.personal.joint import JointData, JointExample
from engine.personal.store import ReaderStore
from eval.personal import write_events
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.encoder.load import load_encoder
from indexer.index import Index
from indexer.splitter import SplitterSettings
from quire.training import ImpressionSource
from quire.training.events import Doing, Noted
from quire.training.impressions import read_impressions
from reranker.errors import InvalidTrainingSettings, TrainingDataError
from small_corpus import WORDS

Quire = Callable[..., Result]
DAY = datetime(2024, 5, 1, tzinfo=UTC)
DOCUMENTS = 20


def text_of(number: int) -> str:
    """Return a document's text: its own word, and a reader's favourite."""
    return f"{WORDS[number]} stands beside {WORDS[number % 4]}, and {WORDS[(number + 7) % 20]} is number {number}."


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index of d0 to d19, and of `long`, which has several passages."""
    path = tmp_path / "index"
    sentences = [f"Part {number} is about {WORDS[number]} and nothing else at all." for number in range(12)]
    with Index.create(path, encoder=HashingEncoder(32), passages=SplitterSettings(16, 0)) as made:
        with made.writer() as writer:
            for number in range(DOCUMENTS):
                writer.add(Document(f"d{number}", text_of(number), title=f"Title {number}"))
            writer.add(Document("long", "\n\n".join(sentences), title="Long"))
    return path


def write_log(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def seen(user: str | None, shown: str, clicks: str, days: float | None = 10, **more: Any) -> dict[str, Any]:
    """Return a row of a log; times are in days."""
    row: dict[str, Any] = {
        "query": "harbour",
        "shown": shown.split(),
        "clicks": clicks.split(),
        "user_id": user,
    }
    row |= {} if days is None else {"at": (DAY + timedelta(days=days)).isoformat()}
    return row | more


def did(user: str, doc_id: str, days: float | None = 0, kind: str = "read", weight: float = 1.0) -> Event:
    return Event(user, doc_id, kind, None if days is None else DAY + timedelta(days=days), weight)


def collected(
    index: Path, rows: Sequence[dict[str, Any]], events: Sequence[Event] | None = (), **options: Any
) -> tuple[JointData, list[str]]:
    """Return what a log becomes, all of it to learn from, and the warnings; without events, by the index's readers."""
    folder = index.parent
    log = write_log(folder / "log.jsonl", rows)
    values: dict[str, Any] = {"dev": 0.0, "test": 0.0} | options
    if events is not None:
        write_events(events, folder / "events.jsonl")
        values["events"] = (str(folder / "events.jsonl"),)
    told: list[Any] = []
    data = read_impressions(ImpressionSource(index=str(index), log=log, **values), told.append)
    assert all(isinstance(event, Doing | Noted) for event in told)
    return data, [event.text for event in told if isinstance(event, Noted) and event.warning]


def names(data: JointData, numbers: Sequence[int]) -> list[str]:
    """Return the documents that texts are of."""
    return ["d" + data.texts[n].split("number ")[1].rstrip(".") for n in numbers]


def only(data: JointData) -> JointExample:
    (example,) = data.train
    return example


def test_a_list_becomes_an_example(index: Path) -> None:
    events = [did("ann", "d5", 1), did("ann", "d6", 2, weight=3.0), did("bob", "d7", 1)]
    data, warnings = collected(index, [seen("ann", "d1 d2 d3", "d3")], events, eta=0.5)
    example = only(data)
    assert warnings == []
    assert example.query == "harbour"
    assert names(data, example.shown) == ["d1", "d2", "d3"]
    assert example.grades == (0.0, 0.0, 1.0)
    assert example.weights == pytest.approx(
        (1.0, 1.0, 3**0.5)
    )  # the inverse of how much the third place is looked at
    assert names(data, example.history) == ["d6", "d5"]  # the heaviest first
    assert example.shares[0] / example.shares[1] == pytest.approx(3 * 2 ** (1 / 365), rel=1e-6)


def test_only_what_was_before_the_list_is_history(index: Path) -> None:
    events = [did("ann", "d5", 9.99), did("ann", "d6", 10), did("ann", "d7", 11)]
    data, _ = collected(index, [seen("ann", "d1 d2", "d1")], events)
    assert names(data, only(data).history) == ["d5"]


def test_what_has_no_time_is_no_history_of_a_list_that_has_one(index: Path) -> None:
    data, warnings = collected(
        index, [seen("ann", "d1 d2", "d1")], [did("ann", "d5"), did("ann", "d6", None)]
    )
    assert names(data, only(data).history) == ["d5"]
    assert "events without a time are left out (1 readers)" in warnings[0]


def test_lists_without_a_time_get_all_and_that_is_said(index: Path) -> None:
    rows = [seen("ann", "d1 d2", "d1", None)]
    data, warnings = collected(index, rows, [did("ann", "d5", 3), did("ann", "d6", None)])
    assert sorted(names(data, only(data).history)) == ["d5", "d6"]
    assert "also what came after" in warnings[0]
    _, warnings = collected(index, rows, [did("ann", "d6", None)])
    assert warnings == []


def test_no_document_is_its_own_history_and_what_was_known_is_not_wrong(index: Path) -> None:
    """d1 was clicked again, d2 had been read and was passed over, d8 had been disliked."""
    events = [did("ann", "d1"), did("ann", "d2"), did("ann", "d5"), did("ann", "d8", kind="dislike")]
    data, _ = collected(index, [seen("ann", "d1 d2 d3 d8", "d1")], events)
    example = only(data)
    assert names(data, example.shown) == ["d1", "d3"]
    assert names(data, example.history) == ["d2", "d5"]


def test_what_the_index_lacks_is_left_out_and_counted(index: Path) -> None:
    rows = [seen("ann", "d1 gone d2", "d1"), seen("bob", "d1 gone", "d1"), seen("cyd", "d1 d2", "")]
    data, warnings = collected(index, rows, [did("ann", "vanished")])
    example = only(data)
    assert names(data, example.shown) == ["d1", "d2"]
    assert example.history == ()
    assert any(
        "1 documents that were shown are not in the index, such as 'gone'" in text for text in warnings
    )
    assert any("1 lists with a click are left out" in text for text in warnings)


def test_documents_are_drawn_beside_those_shown(index: Path) -> None:
    data, _ = collected(index, [seen("ann", "d1 d2", "d1")], [did("ann", "d5")], negatives=15)
    shown = [data.texts[n].split("\n")[0] for n in only(data).shown]
    assert len(set(shown)) == len(shown) == 17
    assert not {"Title 5"} & set(shown)  # it had been read
    assert only(data).grades == (1.0, *(0.0,) * 16)
    again, _ = collected(index, [seen("ann", "d1 d2", "d1")], [did("ann", "d5")], negatives=15)
    assert again == data


def test_a_long_document_is_read_by_the_passage_nearest_to_the_query(index: Path) -> None:
    rows = [seen("ann", "long d2", "long", query=WORDS[8]), seen("bob", "d1 d2", "d1")]
    data, _ = collected(index, rows, [did("bob", "long")])
    first, second = data.train
    assert WORDS[8] in data.texts[first.shown[0]]
    with Index.open(index, encoder=HashingEncoder(32)) as opened:
        reader = opened.reader()
        stored = reader.find("long")
        assert stored is not None
        passages = reader.passages_of(stored.number)
        assert len(passages) > 3
        vectors = reader.vectors(passages)
        texts = [data.texts[second.history[0]]]
        (found,) = HashingEncoder(32).encode_passages(texts)
        mean = vectors.mean(axis=0)
        assert float(found @ mean) == pytest.approx(float((vectors @ mean).max()), rel=1e-5)


def test_readers_are_in_one_part_each_and_nameless(index: Path) -> None:
    rows = [seen(f"reader-{n % 20}", "d1 d2 d3", "d2", n) for n in range(60)] + [seen(None, "d1 d2", "d1")]
    data, _ = collected(index, rows, dev=0.1, test=0.25)
    parts = [{one.reader for one in part} for part in (data.train, data.dev, data.test)]
    assert [len(part) for part in parts] == [14, 2, 5]  # the first with nobody in particular
    assert -1 in parts[0]
    assert sum(map(len, parts)) == len(set().union(*parts))
    data.write(index.parent / "lists.gz")
    other, _ = collected(index, rows, dev=0.1, test=0.25, seed=1)
    assert other != data
    import gzip

    assert b"reader-" not in gzip.decompress((index.parent / "lists.gz").read_bytes())


def test_histories_are_those_that_the_index_knows_where_no_events_are_given(index: Path) -> None:
    with ReaderStore.open(index) as store:
        store.add([did("ann", "d5"), did("bob", "d6")])
    data, _ = collected(index, [seen("ann", "d1 d2", "d1")], None)
    assert names(data, only(data).history) == ["d5"]


def test_queries_need_a_text(index: Path) -> None:
    named = seen("ann", "d1 d2", "d1", query_id="q1")
    data, _ = collected(index, [named])
    assert only(data).query == "harbour"
    del named["query"]
    with pytest.raises(TrainingDataError, match=r"1 of 1 queries .* such as 'q1'; give a file .*--topics"):
        collected(index, [named])
    topics = index.parent / "topics.tsv"
    topics.write_text("q1\tlantern\n", encoding="utf-8")
    data, _ = collected(index, [named], topics=str(topics))
    assert only(data).query == "lantern"


def test_nothing_to_learn_from_is_said_with_counts(index: Path) -> None:
    with pytest.raises(TrainingDataError, match="of 2 lists 1 have a click, and 0 of those"):
        collected(index, [seen("ann", "d1", "d1"), seen("ann", "d1 d2", "")])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"test": 1.0}, "shares of the readers"),
        ({"history": 0}, "history must be"),
        ({"log": ""}, "log must be given"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidTrainingSettings, match=message):
        ImpressionSource(**({"index": "i", "log": "l"} | values))


@pytest.fixture
def taught(index: Path, tmp_path: Path) -> list[str]:
    """The arguments of a command whose readers click what holds the word of what they had read."""
    for needed in ("torch", "sentence_transformers", "accelerate", "datasets", "peft"):
        pytest.importorskip(needed, reason=f"training needs {needed}")
    words = " ".join(text_of(number) for number in range(DOCUMENTS)).split()
    write_tiny_transformer(tmp_path / "tiny", dict.fromkeys([*WORDS, *words, "title"]))
    chance = random.Random(0)
    rows, events = [], []
    for number in range(30):
        liked = [n for n in range(DOCUMENTS) if n % 4 == number % 4]
        chance.shuffle(liked)
        events += [did(f"r{number}", f"d{n}") for n in liked[:2]]
        shown = [*liked[2:4], *chance.sample([n for n in range(DOCUMENTS) if n not in liked], 5)]
        chance.shuffle(shown)
        clicks = " ".join(f"d{n}" for n in shown if n in liked)
        rows.append(seen(f"r{number}", " ".join(f"d{n}" for n in shown), clicks, query=WORDS[number % 20]))
    log = write_log(tmp_path / "log.jsonl", rows)
    write_events(events, tmp_path / "events.jsonl")
    options = f"--log {log} --events {tmp_path / 'events.jsonl'} --base {tmp_path / 'tiny'} --method full --threads 1"
    return ["train-encoder", str(index), *options.split(), "--learning-rate", "0.003", "--device", "cpu"]


def test_the_command_from_a_log_to_an_index_of_the_new_encoder(
    quire: Quire, taught: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = quire(*taught, "--epochs", "8", "--anchor", "0.05", "--test", "0.3", "--out", "run", "-q")
    assert result.exit_code == 0, result.output
    assert "nDCG@10 of the lists of readers who were not learnt from" in result.output
    assert "«" not in result.output  # those mark the words that a search found
    report = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert report["said"].split(",")[0] in " ".join(result.output.split())
    assert ("--encoder run/model" in result.output) == (report["verdict"] == "better")
    assert report["changes"]["nDCG@10"]["with the reader's history"]["readers"] == 9
    monkeypatch.setattr("indexer.encoder.load_encoder", load_encoder)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "one.txt").write_text(text_of(3), encoding="utf-8")
    result = quire("index", "docs", "new-index", "--encoder", "run/model", "-q")
    assert result.exit_code == 0, result.output
    assert "one.txt" in quire("search", "new-index", WORDS[3]).output


def test_a_run_that_is_finished_or_begun_is_told_apart(
    quire: Quire, taught: list[str], tmp_path: Path
) -> None:
    result = quire(*taught, "--max-steps", "2", "--out", "run", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["steps"] == 2
    assert "to learn from: 21 lists of 21 readers" in result.stderr
    again = quire(*taught, "--out", "run")
    assert (again.exit_code, "holds a run already" in again.output) == (2, True)
    finished = quire("train-encoder", "--resume", "run")
    assert (finished.exit_code, "is a finished run" in finished.output) == (2, True)
    mixed = quire("train-encoder", "--resume", "run", "--epochs", "2")
    assert (mixed.exit_code, "leave --epochs out" in mixed.output) == (2, True)
    (tmp_path / "run" / "report.json").unlink()
    (tmp_path / "log.jsonl").unlink()  # what was collected is kept, so the log is not needed again
    resumed = quire("train-encoder", "--resume", "run", "-q")
    assert resumed.exit_code == 0, resumed.output
    assert quire("train-encoder", "--resume", "nowhere").exit_code == 2


def test_what_is_missing_is_said(quire: Quire, index: Path, tmp_path: Path) -> None:
    assert "INDEX is missing" in quire("train-encoder").output
    assert "--log FILE is missing" in quire("train-encoder", index).output
    assert "--out FOLDER is missing" in quire("train-encoder", index, "--log", "x").output
    result = quire("train-encoder", tmp_path / "no-index", "--log", "x", "--out", "run")
    assert (result.exit_code, result.output.count("\n")) == (3, 1)
