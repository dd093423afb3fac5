"""Grouping against a dictionary and a loop."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fusion import Fused
from engine.grouping import group

_rows = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 8).map(lambda n: n / 8), st.integers(0, 8).map(lambda n: n / 8)
    ),
    max_size=20,
)


@pytest.mark.parametrize("how", ["max", "mean", "sum"])
@given(
    rows=_rows,
    top=st.integers(1, 2),  # halves are exact: no ties by rounding
    whole=st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=6, max_size=6),
)
@settings(deadline=None, max_examples=60)
def test_agrees_with_a_loop(
    how: str, rows: list[tuple[int, float, float]], top: int, whole: list[float]
) -> None:
    expected: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for passage, (document, words, meaning) in enumerate(rows):
        expected[document].append((words + meaning, passage))
    scores = {}
    for document, passages in expected.items():
        best = sorted((score for score, _ in passages), reverse=True)[:top]
        scores[document] = {"max": best[0], "mean": sum(best) / len(best), "sum": sum(best)}[how]
        scores[document] += whole[document]

    fused = Fused(np.array([row[1] for row in rows]), np.array([row[2] for row in rows]))
    passages = np.arange(len(rows), dtype=np.int64)
    documents = np.array([row[0] for row in rows], dtype=np.int64)
    added = np.array([whole[document] for document in sorted(expected)])
    groups = group(passages, documents, fused, how, top, whole=added)

    assert groups.documents.tolist() == sorted(scores, key=lambda d: (-round(scores[d], 12), d))
    for place, document in enumerate(groups.documents.tolist()):
        assert groups.scores[place] == pytest.approx(scores[document])
        mine = groups.rows[groups.starts[place] : groups.starts[place + 1]].tolist()
        assert mine == [row for _, row in sorted(expected[document], key=lambda pair: (-pair[0], pair[1]))]
