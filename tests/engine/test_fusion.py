"""Fusion against slow plain versions, one passage at a time."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fusion import FUSIONS, Bounds, Pool, fuse

_bm25 = st.floats(0, 50, width=32)
_cosine = st.one_of(st.floats(-1, 1, width=32), st.just(math.nan))


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    rows = draw(st.lists(st.tuples(_bm25, _cosine), min_size=1, max_size=12))
    lexical = np.array([row[0] for row in rows], dtype=np.float64)
    dense = np.array([row[1] for row in rows], dtype=np.float64)
    lexical_rank = np.zeros(len(rows), dtype=np.int64)
    dense_rank = np.zeros(len(rows), dtype=np.int64)
    for rank, row in enumerate(draw(st.permutations(range(len(rows))))[: draw(st.integers(0, len(rows)))], 1):
        lexical_rank[row] = rank
    for rank, row in enumerate(draw(st.permutations(range(len(rows))))[: draw(st.integers(0, len(rows)))], 1):
        dense_rank[row] = rank
    highest = float(np.nanmax(dense)) if not np.isnan(dense).all() else -1.0
    bounds = Bounds(float(lexical.max()), highest, draw(st.sampled_from([-0.1, 0.0, 0.03, 0.8])))
    return Pool(lexical, dense, lexical_rank, dense_rank, bounds)


def plain_convex(pool: Pool, alpha: float, rrf_k: int) -> list[float]:
    scores = []
    for bm25, cosine in zip(pool.lexical.tolist(), pool.dense.tolist(), strict=True):
        words = bm25 / pool.bounds.lexical if pool.bounds.lexical > 0 else 0.0
        meaning = 0.0
        if not math.isnan(cosine):
            top = pool.bounds.unrelated + max(
                pool.bounds.dense - pool.bounds.unrelated, 0.4 * (1 - pool.bounds.unrelated)
            )
            meaning = (cosine - pool.bounds.unrelated) / (top - pool.bounds.unrelated)
        scores.append(alpha * meaning + (1 - alpha) * words)
    return scores


def plain_rrf(pool: Pool, alpha: float, rrf_k: int) -> list[float]:
    scores = []
    for lexical, dense in zip(pool.lexical_rank.tolist(), pool.dense_rank.tolist(), strict=True):
        score = 0.0
        if lexical:
            score += 2 * (1 - alpha) / (rrf_k + lexical)
        if dense:
            score += 2 * alpha / (rrf_k + dense)
        scores.append(score)
    return scores


def _plain_spread(values: list[float]) -> list[float]:
    known = [value for value in values if not math.isnan(value)]
    spread = []
    for value in values:
        if math.isnan(value):
            spread.append(0.0)
        elif max(known) == min(known):
            spread.append(1.0 if value > 0 else 0.0)
        else:
            spread.append((value - min(known)) / (max(known) - min(known)))
    return spread


def plain_combsum(pool: Pool, alpha: float, rrf_k: int) -> list[float]:
    words, meaning = _plain_spread(pool.lexical.tolist()), _plain_spread(pool.dense.tolist())
    return [2 * (1 - alpha) * w + 2 * alpha * m for w, m in zip(words, meaning, strict=True)]


def plain_combmnz(pool: Pool, alpha: float, rrf_k: int) -> list[float]:
    lists = [
        bool(lexical) + bool(dense)
        for lexical, dense in zip(pool.lexical_rank.tolist(), pool.dense_rank.tolist(), strict=True)
    ]
    return [score * count for score, count in zip(plain_combsum(pool, alpha, rrf_k), lists, strict=True)]


def _plain_deviation(values: list[float]) -> list[float]:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return [0.0] * len(values)
    mean, deviation = statistics.fmean(known), statistics.pstdev(known)
    result = []
    for value in values:
        if math.isnan(value):
            result.append(0.0)
        elif deviation <= 1e-12:
            result.append(0.5)
        else:
            low, high = mean - 3 * deviation, mean + 3 * deviation
            result.append(min(max((value - low) / (high - low), 0.0), 1.0))
    return result


def plain_dbsf(pool: Pool, alpha: float, rrf_k: int) -> list[float]:
    words, meaning = _plain_deviation(pool.lexical.tolist()), _plain_deviation(pool.dense.tolist())
    return [2 * (1 - alpha) * w + 2 * alpha * m for w, m in zip(words, meaning, strict=True)]


ORACLES = {
    "convex": plain_convex,
    "rrf": plain_rrf,
    "combsum": plain_combsum,
    "combmnz": plain_combmnz,
    "dbsf": plain_dbsf,
}


def test_every_fusion_has_an_oracle() -> None:
    assert set(ORACLES) == set(FUSIONS)


@pytest.mark.parametrize("name", sorted(ORACLES))
@given(pool=pools(), alpha=st.floats(0, 1), rrf_k=st.integers(1, 100))
@settings(deadline=None, max_examples=60)
def test_agrees_with_the_plain_version(name: str, pool: Pool, alpha: float, rrf_k: int) -> None:
    fused = fuse(name, pool, alpha, rrf_k)
    np.testing.assert_allclose(fused.scores, ORACLES[name](pool, alpha, rrf_k), rtol=1e-6, atol=1e-6)
    assert np.isfinite(fused.words).all()
    assert np.isfinite(fused.meaning).all()


@given(pool=pools(), alpha=st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_a_convex_score_depends_on_nothing_but_its_passage(pool: Pool, alpha: float) -> None:
    whole = fuse("convex", pool, alpha).scores
    alone = Pool(pool.lexical[:1], pool.dense[:1], pool.lexical_rank[:1], pool.dense_rank[:1], pool.bounds)
    assert fuse("convex", alone, alpha).scores[0] == whole[0]


def test_rrf_of_one_half_is_the_published_formula() -> None:
    pool = Pool(np.zeros(1), np.zeros(1), np.array([1]), np.array([3]), Bounds())
    assert fuse("rrf", pool, 0.5, 60).scores[0] == pytest.approx(1 / 61 + 1 / 63)
