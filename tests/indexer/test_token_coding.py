"""The coding of token vectors against plain arithmetic in double precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import InvalidSettings
from indexer.token_coding import TokenCoding


def like_tokens(count: int, width: int = 96, seed: int = 0) -> np.ndarray:
    """Unit vectors whose spread falls off from direction to direction, around a mean, as real tokens' does."""
    rng = np.random.default_rng(seed)
    spread = np.linspace(1, 0.05, width) ** 3
    vectors = rng.normal(0, 1, (count, width)) * spread + 0.1
    turned = vectors @ np.linalg.qr(np.random.default_rng(99).normal(size=(width, width)))[0]
    return (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def coding() -> TokenCoding:
    return TokenCoding.fitted(like_tokens(4000))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_token_takes_24_bytes_and_comes_back_nearly_as_it_was(coding: TokenCoding) -> None:
    tokens = like_tokens(500, seed=1)
    codes = coding.encode(tokens)
    assert codes.shape == (500, 24)
    assert codes.dtype == np.uint8
    exact = unit(tokens.astype(np.float64) @ coding.axes.T)
    assert (unit(coding.decode(codes)) * exact).sum(axis=1).min() > 0.97
    # Of 16 levels 0.335 deviations apart: half a step at most within their reach, and 0.01154 of the variance on
    # average for a normal distribution (Max 1960, table II).
    errors = ((coding.decode(codes) - exact) / exact.std(axis=0)) ** 2
    assert errors.mean() < 0.02


def test_levels_are_those_of_plain_rounding(coding: TokenCoding) -> None:
    tokens = like_tokens(50, seed=2)
    projected = unit(tokens.astype(np.float64) @ coding.axes.T)
    nearest = np.empty_like(projected)
    for dim, (centre, step) in enumerate(zip(coding.centre, coding.steps, strict=True)):
        levels = centre + (np.arange(16) - 7.5) * step
        nearest[:, dim] = levels[np.abs(projected[:, dim, None] - levels).argmin(axis=1)]
    found = coding.decode(coding.encode(tokens))
    assert np.mean(np.abs(found - nearest) < 1e-5) > 0.999  # the others lie half way between two levels


def test_a_coding_survives_its_text(coding: TokenCoding) -> None:
    again = TokenCoding.from_text(coding.to_text())
    for part in ("axes", "centre", "steps"):
        assert np.array_equal(getattr(again, part), getattr(coding, part))
    tokens = like_tokens(30, seed=3)
    assert np.array_equal(again.encode(tokens), coding.encode(tokens))
    assert (again.width, again.token_bytes) == (96, 24)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.integers(1, 700), min_size=1, max_size=12),
    st.integers(1, 9),
    st.integers(0, 1000),
)
def test_best_cosines_are_those_of_plain_maxsim(
    coding: TokenCoding, lengths: list[int], asked: int, seed: int
) -> None:
    """The query's rounding to whole numbers is within a ten-thousandth; lengths reach over several chunks."""
    query = like_tokens(asked, seed=seed)
    passages = [coding.encode(like_tokens(length, seed=seed + n + 1)) for n, length in enumerate(lengths)]
    projected = unit(query.astype(np.float64) @ coding.axes.T)
    expected = [(projected @ coding.decode(codes).astype(np.float64).T).max(axis=1) for codes in passages]
    assert np.abs(coding.best_cosines(query, passages) - expected).max() < 2e-4


def test_a_passage_scores_the_same_to_the_last_bit_whatever_stands_beside_it(coding: TokenCoding) -> None:
    query = like_tokens(7, seed=5)
    passages = [coding.encode(like_tokens(1 + n * 37 % 400, seed=n)) for n in range(90)]
    together = coding.best_cosines(query, passages)
    alone = np.concatenate([coding.best_cosines(query, [codes]) for codes in passages])
    assert np.array_equal(together, alone)
    assert np.array_equal(coding.best_cosines(query, passages[::-1]), together[::-1])


def test_the_order_is_nearly_that_of_whole_vectors(coding: TokenCoding) -> None:
    query = like_tokens(8, seed=6)
    tokens = [like_tokens(60, seed=100 + n) for n in range(80)]
    whole = np.array([(query @ item.T).max(axis=1).mean() for item in tokens])
    coded = coding.best_cosines(query, [coding.encode(item) for item in tokens]).mean(axis=1)
    assert np.corrcoef(whole, coded)[0, 1] > 0.95


def test_narrow_vectors_keep_all_their_directions() -> None:
    coding = TokenCoding.fitted(like_tokens(300, width=10))
    assert (coding.width, coding.token_bytes) == (10, 5)
    assert TokenCoding.fitted(like_tokens(300, width=64)).token_bytes == 32
    odd = TokenCoding.fitted(like_tokens(300, width=7))
    assert odd.token_bytes == 3
    one = TokenCoding.fitted(np.ones((1, 4), dtype=np.float32) / 2)  # no spread at all: still finite
    assert np.isfinite(one.decode(one.encode(np.ones((2, 4), dtype=np.float32)))).all()


def test_words_as_single_places_of_a_vector_are_told_apart() -> None:
    """As HashingEncoder has them: the projection must not lose a place, nor the levels cut off what is not normal."""
    places = np.eye(64, dtype=np.float32)
    coding = TokenCoding.fitted(np.repeat(places, 5, axis=0))
    codes = coding.encode(places)
    cosines = np.concatenate([coding.best_cosines(places, [code[None]]) for code in codes])
    assert np.diag(cosines).min() > 0.9
    assert cosines[~np.eye(64, dtype=bool)].max() < 0.2


@pytest.mark.parametrize("shape", [(0, 8), (5, 1)])
def test_a_sample_of_nothing_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(InvalidSettings, match="2 numbers or more"):
        TokenCoding.fitted(np.ones(shape, dtype=np.float32))
