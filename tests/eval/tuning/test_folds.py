from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.errors import InvalidEvaluation
from eval.tuning import JudgedQuery, collection_folds, query_folds

QUERIES = st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=3)), min_size=1, max_size=60).map(
    lambda pairs: [JudgedQuery(name, f"q{n}", kin) for n, (name, kin) in enumerate(pairs)]
)


@settings(deadline=None, max_examples=200)
@given(queries=QUERIES, folds=st.integers(2, 6), seed=st.integers(0, 3))
def test_kin_share_a_fold_and_folds_are_even(queries: list[JudgedQuery], folds: int, seed: int) -> None:
    kin = {name: {q.kin for q in queries if q.collection == name} for name in {q.collection for q in queries}}
    if min(len(group) for group in kin.values()) < folds:
        with pytest.raises(InvalidEvaluation, match="too few"):
            query_folds(queries, folds, seed)
        return
    numbers = query_folds(queries, folds, seed)
    where = defaultdict(set)
    for query, number in zip(queries, numbers.tolist(), strict=True):
        where[query.collection, query.kin].add(number)
    assert all(len(found) == 1 for found in where.values())
    for name in kin:
        sizes = Counter(n for q, n in zip(queries, numbers.tolist(), strict=True) if q.collection == name)
        largest = max(Counter(q.kin for q in queries if q.collection == name).values())
        assert set(sizes) == set(range(folds))
        assert max(sizes.values()) - min(sizes.values()) <= largest


@settings(deadline=None, max_examples=50)
@given(queries=QUERIES, order=st.randoms(use_true_random=False))
def test_a_query_is_in_the_same_fold_whatever_the_order_of_the_file(
    queries: list[JudgedQuery], order: object
) -> None:
    shuffled = list(queries)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    try:
        first = dict(zip(queries, query_folds(queries, 2).tolist(), strict=True))
    except InvalidEvaluation:
        return
    assert first == dict(zip(shuffled, query_folds(shuffled, 2).tolist(), strict=True))


def test_the_seed_changes_the_folds() -> None:
    queries = [JudgedQuery("a", f"q{n}", str(n)) for n in range(50)]
    assert query_folds(queries, 5, 0).tolist() != query_folds(queries, 5, 1).tolist()


def test_leaving_collections_out() -> None:
    queries = [JudgedQuery("a", "1", "x"), JudgedQuery("b", "1", "x"), JudgedQuery("a", "2", "y")]
    assert collection_folds(queries).tolist() == [0, 1, 0]
    with pytest.raises(InvalidEvaluation, match="two collections"):
        collection_folds(queries[:1])


def test_one_fold_is_no_cross_validation() -> None:
    with pytest.raises(InvalidEvaluation, match="at least 2"):
        query_folds([JudgedQuery("a", "1", "x")], 1)
