"""Rows, their order, and old data among new: decided by seed and epoch alone, and read as they are asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.example import Example, TrainingData
from reranker.errors import InvalidTrainingSettings
from reranker.pairs import PassageText
from reranker.training import mix
from reranker.training.replay import OLD

Words = Callable[..., TrainingData]


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=9),
    st.integers(0, 9),
    st.integers(0, 5),
    st.integers(0, 9),
)
def test_some_passages_of_a_query_always_hold_one_of_the_best(
    grades: list[float], most: int, epoch: int, seed: int
) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    from reranker.training.rows import Rows

    n = len(grades)
    passages = tuple(PassageText(str(place)) for place in range(n))
    example = Example(
        "q", "?", passages, tuple(grades), tuple(map(float, range(n))), tuple(g / 2 for g in grades)
    )
    row = Rows([example], most, seed)[epoch, 0]
    again = Rows([example], most, seed)[epoch, 0]
    assert row == again
    places = [int(passage.text) for passage in row["passages"]]
    assert places == sorted(set(places))
    assert len(places) == (min(most, n) if most else n)
    assert row["label"] == [grades[place] for place in places]
    assert row["weights"] == [float(place) for place in places]
    assert row["prior"] == [grades[place] / 2 for place in places]
    assert max(row["label"]) == max(grades)


def test_every_epoch_has_every_example_once_in_another_order() -> None:
    pytest.importorskip("torch", reason="training needs torch")
    from reranker.training.rows import Batches, Order

    batches = Batches(Order(23, seed=5), 4)
    epochs = []
    for epoch in (0, 1, 0):
        batches.set_epoch(epoch)
        listed = list(batches)
        assert [len(batch) for batch in listed] == [4, 4, 4, 4, 4, 3]
        assert {place[0] for batch in listed for place in batch} == {epoch}
        epochs.append([place[1] for batch in listed for place in batch])
    assert sorted(epochs[0]) == list(range(23))
    assert epochs[0] == epochs[2] != epochs[1]


@pytest.mark.parametrize(("share", "old"), [(0.0, 0), (0.25, 4), (0.5, 12), (0.9, 30)])
def test_the_share_is_that_of_old_examples_among_all(share: float, old: int, words: Words) -> None:
    new_data, old_data = words(12, 3, seed=1, source="new"), words(30, 4, seed=2, source="old")
    mixed = mix(new_data, old_data, share, seed=3)
    sources = [one.source for one in mixed.train]
    assert sources.count("new") == 12
    assert sources.count(f"{OLD}old") == len(sources) - 12 == old
    assert [one.source for one in mixed.dev] == ["new"] * 3 + [f"{OLD}old"] * 4
    assert len({one.query_id for one in mixed.train}) == len(mixed.train)
    assert mixed.fingerprint == mix(new_data, old_data, share, seed=3).fingerprint
    assert mixed.fingerprint != mix(new_data, old_data, share, seed=4).fingerprint
    assert mixed.train[-1] == list(mixed.train)[-1]
    assert list(mixed.train[2:5]) == [mixed.train[n] for n in (2, 3, 4)]
    with pytest.raises(IndexError):
        mixed.train[len(mixed.train)]


def test_old_data_are_read_only_as_they_are_asked_for(words: Words) -> None:
    class Watched(list[Example]):
        read = 0

        def __getitem__(self, place: object) -> Example:  # type: ignore[override]
            Watched.read += 1
            return super().__getitem__(place)  # type: ignore[index]

    data = words(40, 0)
    mixed = mix(words(10, 0, seed=9), TrainingData(Watched(data.train), [], "x"), 0.5)
    assert Watched.read == 0
    assert mixed.train[10].source == f"{OLD}words"
    assert Watched.read == 1


def test_data_that_were_replayed_before_are_not_named_twice(words: Words) -> None:
    once = mix(words(4, 2), words(8, 2, seed=1), 0.5)
    twice = mix(words(4, 2, seed=2), once, 0.9)
    assert {one.source for one in twice.train} == {"words", f"{OLD}words"}


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_that_cannot_be_is_refused(share: float, words: Words) -> None:
    with pytest.raises(InvalidTrainingSettings, match="from 0 to less than 1"):
        mix(words(2, 0), words(2, 0), share)
