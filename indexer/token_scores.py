"""Late interaction of a query's tokens with those of passages, wherever these are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from indexer.encoding import Vectors
from indexer.errors import InvalidSettings
from indexer.protocol import Numbers, Scores
from indexer.token_coding import Codes, TokenCoding


def token_scores(
    coding: TokenCoding,
    tokens: Vectors,
    weights: Scores,
    passages: Numbers,
    codes_of: Callable[[Numbers], Mapping[int, Codes]],
) -> Scores:
    """Return the weighted mean of the tokens' best cosines in each passage; NaN where it has no tokens.

    Args:
        coding: How the passages' tokens were written down.
        tokens: The query's, shape (t, width).
        weights: Of these, shape (t,).
        passages: Which ones.
        codes_of: Gives the codes of passages, by number, of those that have any.

    Raises:
        InvalidSettings: the shapes do not fit each other or the index.
    """
    count = len(tokens)
    if tokens.shape != (count, coding.width) or weights.shape != (count,) or not _weights(weights):
        raise InvalidSettings(
            f"{count} tokens of the query must have the shape ({count}, {coding.width}) and as many "
            f"weights of 0 or more; found shapes {tokens.shape} and {weights.shape}"
        )
    result = np.full(len(passages), np.nan, dtype=np.float32)
    if not count or not len(passages):
        return result
    shares = np.asarray(weights, dtype=np.float64)
    shares = shares / shares.sum() if shares.any() else np.full(count, 1 / count)
    codes = codes_of(passages)
    having = [at for at, number in enumerate(passages.tolist()) if len(codes.get(number, ()))]
    best = coding.best_cosines(tokens, [codes[int(passages[at])] for at in having])
    # Summed token by token, so that a passage's sum is made in the same order whatever stands beside it.
    result[having] = (best.T * shares[:, None]).sum(axis=0)
    return result


def _weights(weights: Scores) -> bool:
    return bool((np.isfinite(weights) & (weights >= 0)).all())
