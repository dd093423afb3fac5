"""The dependent click model: readers go from the top down, and after a click go on or are content.

    P(click at k | looked at) = attraction[q, document at k]
    P(looks at k + 1 | looked at k, no click) = 1;  P(looks at k + 1 | clicked at k) = going_on[k]

Guo, Liu and Wang (WSDM 2009); with `going_on` 0 everywhere it is the cascade model of Craswell et al. (WSDM 2008).
The usual shortcut takes the last click for the end of reading; here expectation maximisation weighs the two
reasons for the silence after it: the reader left, or read on and found nothing.

What can be known: everything above the last place; also from rankings that never move, for whoever clicks
nothing has seen all. After a click at the last place there is nothing left to skip, so it has no `going_on`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.errors import InvalidEvaluation
from eval.online.log import Impression

_ROUNDS = 1000
_SETTLED = 1e-7


@dataclass(frozen=True, slots=True)
class DependentClicks:
    """What the model makes of a log.

    Args:
        attraction: The chance of a click on (query, document) when it is looked at; highest first.
        going_on: For each place the chance to read on after a click there; NaN where nobody can know.
        log_likelihood: Of the clicks, in natural units, for each impression.
    """

    attraction: dict[tuple[str, str], float]
    going_on: tuple[float, ...]
    log_likelihood: float

    @property
    def satisfaction(self) -> tuple[float, ...]:
        """For each place the chance that a click there ends the search."""
        return tuple(1.0 - value for value in self.going_on)


def dependent_clicks(impressions: Sequence[Impression]) -> DependentClicks:
    """Fit the model by expectation maximisation.

    Raises:
        InvalidEvaluation: there is no click.
    """
    pairs: dict[tuple[str, str], int] = {}
    width = max((len(seen.shown) for seen in impressions), default=0)
    which = np.full((len(impressions), width), -1, dtype=np.int64)
    clicked = np.zeros((len(impressions), width), dtype=np.bool_)
    for row, seen in enumerate(impressions):
        for place, doc_id in enumerate(seen.shown):
            which[row, place] = pairs.setdefault((seen.query_id, doc_id), len(pairs))
        clicked[row, list(seen.clicks)] = True
    if not clicked.any():
        raise InvalidEvaluation("the log has no click, and without clicks there is nothing to estimate")
    there = which >= 0
    places = np.arange(width)
    last = np.where(clicked.any(axis=1), width - 1 - clicked[:, ::-1].argmax(axis=1), -1)
    after = there & (places[None, :] > last[:, None]) & (last >= 0)[:, None]
    before = there & ~after
    more = after.any(axis=1)  # something is shown below the last click
    # A click with another below it: the reader went on for certain.
    went_on = (clicked & (places[None, :] < last[:, None])).sum(axis=0).astype(np.float64)
    chances = went_on + np.bincount(last[more], minlength=width)
    clicks_of = np.bincount(which[clicked], minlength=len(pairs)).astype(np.float64)
    sure = np.bincount(which[before], minlength=len(pairs)).astype(np.float64)
    attraction = np.clip(clicks_of / np.maximum(sure, 1.0), 1e-6, 1 - 1e-6)
    going_on = np.full(width, 0.5)
    rows, columns = np.nonzero(after)
    for _ in range(_ROUNDS):
        silence = np.zeros(len(impressions))
        np.add.at(silence, rows, np.log1p(-attraction[which[rows, columns]]))
        on = going_on[last] * np.exp(silence)
        read_on = np.where(more, on / np.maximum(1.0 - going_on[last] + on, 1e-300), 0.0)
        maybe = np.bincount(which[rows, columns], weights=read_on[rows], minlength=len(pairs))
        new_attraction = np.clip(clicks_of / (sure + maybe), 1e-9, 1 - 1e-9)
        stayed = went_on + np.bincount(last[more], weights=read_on[more], minlength=width)
        new_going_on = np.where(chances > 0, stayed / np.maximum(chances, 1.0), 0.5)
        change = max(np.abs(new_attraction - attraction).max(), np.abs(new_going_on - going_on).max())
        attraction, going_on = new_attraction, new_going_on
        if change < _SETTLED:
            break
    likelihood = _log_likelihood(which, clicked, before, after, last, went_on, attraction, going_on)
    ordered = sorted(pairs, key=lambda pair: (-attraction[pairs[pair]], pair))
    return DependentClicks(
        {pair: float(attraction[pairs[pair]]) for pair in ordered},
        tuple(float(value) if chances[place] > 0 else float("nan") for place, value in enumerate(going_on)),
        likelihood,
    )


def _log_likelihood(
    which: np.ndarray,
    clicked: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    last: np.ndarray,
    went_on: np.ndarray,
    attraction: np.ndarray,
    going_on: np.ndarray,
) -> float:
    chance = attraction[which]
    known = np.where(before, np.where(clicked, np.log(chance), np.log1p(-chance)), 0.0).sum()
    known += float((went_on * np.log(np.maximum(going_on, 1e-300))).sum())
    silence = np.where(after, np.log1p(-chance), 0.0).sum(axis=1)
    ended = after.any(axis=1)
    stay = going_on[last[ended]]
    known += float(np.log(np.maximum(1.0 - stay + stay * np.exp(silence[ended]), 1e-300)).sum())
    return float(known) / len(which)
