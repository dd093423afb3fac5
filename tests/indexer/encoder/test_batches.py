import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoder.batches import plan


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 8), st.integers(1, 2000))
def test_every_text_is_in_one_batch_and_batches_keep_to_the_budget(
    lengths: list[int], workers: int, budget: int
) -> None:
    batches = plan(lengths, workers, budget)
    assert sorted(np.concatenate(batches).tolist() if batches else []) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget
    longest_of = [max(lengths[index] for index in batch) for batch in batches]
    assert longest_of == sorted(longest_of, reverse=True)


def test_a_few_texts_are_shared_between_the_workers() -> None:
    assert [len(batch) for batch in plan([10, 10, 10, 10], workers=2)] == [2, 2]
    assert [len(batch) for batch in plan([10, 10, 10, 10], workers=1)] == [4]
