"""The graph against its brute-force twin: what it finds does not depend on what was asked before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.local.graph import GraphReader, build
from indexer.local.manifest import Graph

DIM, ROWS = 16, 3000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Graph, np.ndarray]:
    folder = tmp_path_factory.mktemp("graph")
    vectors = np.random.default_rng(5).normal(size=(ROWS, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return folder, build(folder, vectors, None), vectors


@pytest.mark.parametrize("ef", [16, 128, 256])
@pytest.mark.parametrize("count", [1, 10, 200, 700])
def test_it_finds_nearly_all_of_the_nearest_however_many(
    made: tuple[Path, Graph, np.ndarray], ef: int, count: int
) -> None:
    folder, graph, vectors = made
    reader = GraphReader(folder, replace(graph, ef=ef), DIM)
    found = 0
    for query in vectors[:40] + np.float32(0.05):
        near = reader.nearest(query, count)
        assert len(near) == count
        assert len(set(near.tolist())) == count
        scores = vectors[near] @ query
        assert (np.diff(scores) <= 1e-5).all()
        found += len(set(near.tolist()) & set(np.argsort(-(vectors @ query))[:count].tolist()))
    assert found / (40 * count) > (0.95 if ef >= 128 or count >= 200 else 0.6)


def test_a_deep_search_changes_nothing_for_those_that_follow(made: tuple[Path, Graph, np.ndarray]) -> None:
    folder, graph, vectors = made
    narrow = replace(graph, ef=12)
    fresh, used = GraphReader(folder, narrow, DIM), GraphReader(folder, narrow, DIM)
    used.nearest(vectors[0], 1000)
    for query in vectors[100:160] + np.float32(0.05):
        assert np.array_equal(fresh.nearest(query, 10), used.nearest(query, 10))


def test_more_than_there_are_is_all_or_none(made: tuple[Path, Graph, np.ndarray]) -> None:
    folder, graph, vectors = made
    near = GraphReader(folder, graph, DIM).nearest(vectors[0], 10 * ROWS)
    assert len(near) in (0, ROWS)
