"""The lists that a run keeps, how they are drawn from, and how they are measured."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

for needed in ("torch", "sentence_transformers", "accelerate", "datasets", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

from engine.personal.joint import JointData, JointExample, JointOutcome, JointSettings  # noqa: E402
from engine.personal.joint.measure import exchanged, reciprocal_rank  # noqa: E402
from engine.personal.joint.outcome import NDCG, OWN  # noqa: E402
from engine.personal.joint.rows import JointRows  # noqa: E402
from reranker.errors import TrainingDataError  # noqa: E402
from reranker.training.measure import Change  # noqa: E402

Lists = Callable[..., JointData]
numbers = st.integers(0, 30)
shares = st.floats(1e-6, 1e3)


@st.composite
def examples(draw: st.DrawFn, longest: int = 8) -> JointExample:
    past = draw(st.lists(st.tuples(numbers, shares), max_size=longest))
    shown = draw(st.lists(st.tuples(numbers, st.booleans(), st.floats(1, 20)), min_size=2, max_size=longest))
    grades = [float(clicked) for _, clicked, _ in shown]
    grades[0], grades[1] = 1.0, 0.0
    return JointExample(
        draw(st.integers(-1, 5)),
        draw(st.text(min_size=1, max_size=8).filter(str.isprintable)),
        tuple(n for n, _ in past),
        tuple(share for _, share in past),
        tuple(n for n, _, _ in shown),
        tuple(grades),
        tuple(weight for _, _, weight in shown),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=10), max_size=5), *[st.lists(examples(), max_size=3)] * 3)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    train: list[JointExample],
    dev: list[JointExample],
    test: list[JointExample],
) -> None:
    data = JointData(tuple(texts), tuple(train), tuple(dev), tuple(test))
    path = tmp_path_factory.mktemp("lists") / "data" / "lists.jsonl.gz"
    data.write(path)
    again = JointData.read(path)
    assert again == data
    assert again.fingerprint == data.fingerprint
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_the_fingerprint_changes_with_anything(lists: Lists) -> None:
    data = lists(3)
    one = data.train[0]
    others = [
        replace(data, texts=("", *data.texts[1:])),
        replace(data, train=data.train[::-1]),
        replace(data, train=data.train[1:], dev=(one, *data.dev)),
        replace(data, train=(replace(one, query="x"), *data.train[1:])),
        replace(data, train=(replace(one, weights=tuple(9.0 for _ in one.weights)), *data.train[1:])),
    ]
    assert len({data.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_a_file_that_is_no_such_file_is_said(lists: Lists, tmp_path: Path) -> None:
    path = tmp_path / "lists.jsonl.gz"
    lists(3).write(path)
    whole = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    for broken in (b"", b'{"format": "other"}\n', b"".join(whole[:-1]), b"[]\n" + b"".join(whole[1:])):
        path.write_bytes(gzip.compress(broken))
        with pytest.raises(TrainingDataError, match="holds no lists of readers"):
            JointData.read(path)
    path.write_bytes(b"no gzip")
    with pytest.raises(TrainingDataError, match="begin a new run"):
        JointData.read(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grades": (1.0,)}, "has a grade and a weight"),
        ({"shares": (1.0, 0.0)}, "above 0"),
        ({"shares": ()}, "a share"),
    ],
)
def test_an_example_that_does_not_fit_together_is_refused(changes: dict[str, object], message: str) -> None:
    one = JointExample(0, "q", (1, 2), (1.0, 1.0), (3, 4), (1.0, 0.0), (1.0, 1.0))
    with pytest.raises(TrainingDataError, match=message):
        replace(one, **changes)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(examples(20), st.integers(1, 6), st.integers(2, 8), st.integers(0, 5))
def test_what_is_drawn_has_both_kinds_and_is_the_same_again(
    one: JointExample, history: int, documents: int, epoch: int
) -> None:
    rows = JointRows([one], JointSettings(history=history, documents=documents, seed=3))
    row = rows[epoch, 0]
    assert row == rows[epoch, 0]
    assert len(row["history"]) == len(row["shares"]) == min(history, len(one.history))
    assert len(row["shown"]) == min(documents, len(one.shown))
    assert {*row["label"]} == {0.0, 1.0}
    triples = list(zip(one.shown, one.grades, one.weights, strict=True))
    for drawn in zip(row["shown"], row["label"], row["weights"], strict=True):
        triples.remove(drawn)
    pairs = list(zip(one.history, one.shares, strict=True))
    for past in zip(row["history"], row["shares"], strict=True):
        pairs.remove(past)


def test_epochs_draw_anew() -> None:
    one = JointExample(
        0, "q", tuple(range(40)), (1.0,) * 40, tuple(range(40, 80)), (1.0, *(0.0,) * 39), (1.0,) * 40
    )
    rows = JointRows([one], JointSettings(history=5, documents=5))
    assert len({tuple(rows[epoch, 0]["history"]) for epoch in range(6)}) == 6
    assert all(40 in rows[epoch, 0]["shown"] for epoch in range(6))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=8))
def test_the_reciprocal_rank_is_that_of_the_worst_order_of_ties(listed: list[tuple[bool, int]]) -> None:
    ordered = sorted(listed, key=lambda item: (-item[1], item[0]))
    wanted = next((1 / rank for rank, (clicked, _) in enumerate(ordered, 1) if clicked), 0.0)
    assert reciprocal_rank([float(c) for c, _ in listed], [float(s) for _, s in listed]) == wanted


def test_readers_are_lent_the_next_ones_history_without_what_is_shown() -> None:
    def one(reader: int, *past: int) -> JointExample:
        return JointExample(reader, "q", past, (1.0,) * len(past), (8, 9), (1.0, 0.0), (1.0, 1.0))

    found = exchanged([one(4, 1, 2), one(2, 3, 9), one(7, 5), one(2, 3, 4, 9)])
    assert [(each.reader, each.history) for each in found] == [
        (4, (5,)),
        (2, (1, 2)),
        (7, (3, 4)),
        (2, (1, 2)),
    ]
    assert exchanged([one(1, 2), one(1, 3)]) == []


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (Change(50, 0.4, 0.5, 0.01), "better"),
        (Change(50, 0.4, 0.5, 0.06), "undecided"),
        (Change(50, 0.5, 0.4, 0.01), "worse"),
        (Change(50, 0.5, 0.4, 0.9), "undecided"),
    ],
)
def test_better_is_said_only_where_chance_does_not_explain_it(
    change: Change, verdict: str, tmp_path: Path
) -> None:
    changes = {NDCG: {OWN: change}}
    outcome = JointOutcome(tmp_path, tmp_path / "model", 9, 9, False, 1.0, 0.5, 0.6, changes, 0.9)
    assert outcome.verdict == verdict
    assert outcome.to_json()["verdict"] == verdict
    assert np.isclose(outcome.to_json()["changes"][NDCG][OWN]["p"], change.p)
