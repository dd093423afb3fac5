"""How much interests count, learnt from clicks: taken where readers gain by it, refused where they do not."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from engine import Event, PersonalSettings, SearchEngine
from engine.personal.learned import path_of, read_learned
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from quire.click_weights import ClickSource, learn_from_clicks

Quire = Callable[..., Result]
TOPICS = ("harbour tide", "orchard apple", "copper mine", "violin string")
READERS = 60


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty documents of four subjects, and sixty readers who read half of one."""
    path = tmp_path_factory.mktemp("weights") / "index"
    made = Index.create(path, encoder=HashingEncoder(32))
    with made.writer() as writer:
        for number in range(80):
            topic = TOPICS[number % 4]
            writer.add(Document(f"d{number:02}", f"A note of {topic} {topic} part{number} word{number % 7}."))
    with SearchEngine(made, HashingEncoder(32)) as engine:
        engine.record(
            Event(f"r{reader}", f"d{number:02}")
            for reader in range(READERS)
            for number in range(reader % 4, 40, 4)
        )
    made.close()
    return path


def write_log(path: Path, *, by_subject: bool, readers: int = READERS) -> Path:
    """Write three lists a reader of documents that are new to them: one click each, by subject or by chance."""
    draw = random.Random(5)
    with path.open("w") as file:
        for reader in range(readers):
            for number in range(3):
                shown = [f"d{at:02}" for at in draw.sample(range(40, 80), 12)]
                liked = [doc_id for doc_id in shown if int(doc_id[1:]) % 4 == reader % 4]
                clicked = draw.choice(liked if by_subject and liked else shown)
                record = {"query_id": f"q{number}", "query": "note", "user_id": f"r{reader}"}
                file.write(
                    json.dumps(record | {"shown": shown, "clicks": [clicked], "session": number}) + "\n"
                )
    return path


@pytest.fixture
def weak(index: Path) -> Iterator[SearchEngine]:
    """An engine in which interests count next to nothing."""
    with SearchEngine.open(
        index, encoder=HashingEncoder(32), personal=PersonalSettings(weight=0.001)
    ) as engine:
        yield engine


def test_clicks_by_interest_raise_a_weight_that_is_too_low(weak: SearchEngine, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", by_subject=True)
    for objective in ("ranknet", "bce"):
        outcome = learn_from_clicks(
            weak, ClickSource(str(log), eta=0.0, objective=objective), lambda *_: None
        )  # type: ignore[arg-type]
        assert outcome.passes, outcome
        assert outcome.learned is not None
        assert outcome.learned.weight > 0.1
        assert outcome.judged is not None
        assert outcome.judged.learned > outcome.judged.in_use + 0.1
        assert outcome.judged.lists == 3 * READERS
        assert outcome.judged.readers == READERS


def test_clicks_by_chance_change_nothing(weak: SearchEngine, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", by_subject=False)
    outcome = learn_from_clicks(weak, ClickSource(str(log), eta=0.0), lambda *_: None)
    assert not outcome.passes
    assert outcome.judged is not None


def test_too_few_readers_are_too_few(weak: SearchEngine, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", by_subject=True, readers=19)
    outcome = learn_from_clicks(weak, ClickSource(str(log)), lambda *_: None)
    assert (outcome.learned, outcome.passes) == (None, False)
    assert "19 readers" in outcome.reason


def test_the_command_says_what_came_of_it_and_keeps_it(
    quire: Quire, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_log(tmp_path / "log.jsonl", by_subject=True)
    with log.open("a") as file:
        file.write(
            json.dumps({"query": "note", "user_id": "stranger", "shown": ["d1"], "clicks": ["d1"]}) + "\n"
        )
        file.write(json.dumps({"query": "note", "user_id": "r1", "shown": ["d1"], "clicks": []}) + "\n")
    monkeypatch.setenv("QUIRE_PERSONAL_WEIGHT", "0.001")
    path = path_of(index / "readers", "default")
    tried = quire("learn-weights", index, "--log", log, "--eta", "0", "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert "Nothing was changed." in tried.stdout
    assert not path.exists()
    done = quire("learn-weights", index, "--log", log, "--eta", "0")
    assert done.exit_code == 0, done.output
    assert "1 of 182 lists have no click" in done.stdout
    assert "1 of 182 lists are of nobody" in done.stdout
    assert "They count from the next search on" in done.stdout
    kept = read_learned(path)
    assert kept is not None
    assert kept.weight > 0.1
    again = quire("learn-weights", index, "--log", log, "--eta", "0", "--json")
    path.unlink()
    said = json.loads(again.stdout)
    assert said["judged"]["in_use"] == pytest.approx(
        said["judged"]["learned"], abs=0.05
    )  # what it keeps is in use
