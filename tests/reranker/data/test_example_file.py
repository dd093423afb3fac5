"""Files of examples: read back in any order; whatever the moment of an interruption, going on gives the same file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.example import Example
from reranker.data.example_file import ExampleFile, write_examples
from reranker.errors import TrainingDataError
from reranker.pairs import PassageText


def make(number: int) -> Example | None:
    """Return an example for each number but every third."""
    if number % 3 == 1:
        return None
    passages = (PassageText(f"right {number} ü\u2028x", "T"), PassageText("wrong\nlines " * number))
    return Example(f"q{number}", f"query {number}", passages, (1.0, 0.0), source="test")


EXPECTED = [example for example in map(make, range(20)) if example is not None]


class Stopped(Exception):
    pass


@pytest.mark.parametrize("name", ["examples.jsonl", "examples.jsonl.gz"])
def test_read_back_in_any_order(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    seen: list[int] = []
    assert write_examples(path, range(20), make, "v1", progress=seen.append) == len(EXPECTED)
    assert seen == list(range(1, 21))
    with ExampleFile(path) as file:
        assert list(file) == EXPECTED
        assert len(file) == len(EXPECTED)
        assert [file[at] for at in reversed(range(len(file)))] == EXPECTED[::-1]
        assert file[-1] == EXPECTED[-1]
        assert list(file[2:7:2]) == EXPECTED[2:7:2]
        assert file.made_from == "v1"
        with pytest.raises(IndexError):
            file[len(EXPECTED)]


@settings(max_examples=60)
@given(st.data(), st.booleans())
def test_cut_anywhere_it_goes_on(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("cut") / ("e.jsonl.gz" if packed else "e.jsonl")
    write_examples(path, range(20), make, "v1")
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    made: list[int] = []

    def counted(number: int) -> Example | None:
        made.append(number)
        return make(number)

    assert write_examples(path, range(20), counted, "v1") == len(EXPECTED)
    with ExampleFile(path) as file:
        assert list(file) == EXPECTED
    assert made == list(range(20 - len(made), 20))
    assert not list(path.parent.glob("*.kept"))


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
def test_an_error_in_the_middle_keeps_what_was_made(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    made: list[int] = []

    def stop(number: int) -> Example | None:
        if number == 11:
            raise Stopped
        return make(number)

    def go_on(number: int) -> Example | None:
        made.append(number)
        return make(number)

    with pytest.raises(Stopped):
        write_examples(path, range(20), stop, "v1")
    write_examples(path, range(20), go_on, "v1")
    assert made == list(range(10, 20))  # 10 gave nothing, and the file ends with 9
    with ExampleFile(path) as file:
        assert list(file) == EXPECTED


def test_items_are_not_held(tmp_path: Path) -> None:
    alive: list[int] = []

    def items() -> Iterator[int]:
        for number in range(200):
            alive.append(number)
            yield number
            alive.remove(number)

    def watched(number: int) -> Example | None:
        assert alive == [number]
        return make(number)

    write_examples(tmp_path / "e.jsonl", items(), watched)


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name, held in (
        ("notes.txt", b"hello"),
        ("notes.gz", b"hello"),
        ("other.jsonl", b'{"query_id": "1"}\n'),
        ("new.jsonl", b'{"quire": "examples", "format": 99, "made_from": ""}\n'),
        ("run.jsonl.gz", gzip.compress(b'{"a": 1}\n')),
    ):
        path = tmp_path / name
        path.write_bytes(held)
        with pytest.raises(TrainingDataError, match="no file of examples"):
            write_examples(path, range(3), make)
        assert path.read_bytes() == held
    with pytest.raises(TrainingDataError, match="cannot be read"):
        write_examples(tmp_path, range(3), make)


def test_a_file_of_something_else_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    write_examples(path, range(3), make, "seed 1")
    with pytest.raises(TrainingDataError, match=r"seed 1.*seed 2"):
        write_examples(path, range(3), make, "seed 2")
    assert write_examples(path, range(20), make, "seed 1") == len(EXPECTED)


def test_handwritten_and_broken_files(tmp_path: Path) -> None:
    path = tmp_path / "hand.jsonl"
    record = {"query_id": 1, "query": "q", "passages": ["a", "b"], "grades": [1, 0]}
    path.write_text(json.dumps(record) + "\n\n" + json.dumps(record), encoding="utf-8")
    with ExampleFile(path) as file:
        assert [example.passages[1].text for example in file] == ["b", "b"]
    path.write_text(json.dumps(record) + "\n" + json.dumps(record)[:-4], encoding="utf-8")
    with pytest.raises(TrainingDataError, match=r"hand\.jsonl:2: the file ends in the middle"):
        ExampleFile(path)
    path.write_text('{"query": "q"}\n', encoding="utf-8")
    with ExampleFile(path) as file, pytest.raises(TrainingDataError, match="example 0"):
        file[0]
    for name in ("none.jsonl", "none.jsonl.gz"):
        with pytest.raises(TrainingDataError, match="cannot be read"):
            ExampleFile(tmp_path / name)
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"{}" * 9000)[:-12])
    with pytest.raises(TrainingDataError, match="cannot be read"):
        ExampleFile(tmp_path / "cut.jsonl.gz")
