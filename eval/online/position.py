"""The position-based model: a click is a place that was looked at, times a document that was worth it.

    P(click on d at place k, for query q) = examination[k] x relevance[q, d]

Craswell, Zoeter, Taylor and Ramsey (WSDM 2008) propose it; the estimate by expectation maximisation is that of
Chuklin, Markov and de Rijke ("Click Models for Web Search", 2015, section 4.1). The estimate by moves compares
the clicks on the same document at two places, as interventions do (Joachims, Swaminathan and Schnabel, WSDM
2017; harvested from logs, Agarwal et al., WSDM 2019); here by the risk ratio of Mantel and Haenszel with the
variance of Greenland and Robins (Biometrics 1985), which holds however few clicks each document has.

What can be known: only ratios, so the first place is 1, and a relevance is the chance of a click there. And only
where documents move: two places are compared by what was shown at both and clicked at least once. A place that no
chain of such documents links to the first has no value here, and its clicks say nothing of relevance. It is
assumed that a document is as relevant when it is shown high as when it is shown low.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eval.errors import InvalidEvaluation
from eval.online.intervals import LEVEL, normal_quantile, rate_interval
from eval.online.log import Impression

Floats = NDArray[np.float64]

_ROUNDS = 2000
_SETTLED = 1e-7  # the largest change of an examination in a round at which EM stops
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Examination:
    """How much each place is looked at, the first place being 1.

    Args:
        method: `em`, or `moves`.
        values: One a place; NaN for places that nothing links to the first.
        low: Lower ends of the intervals; empty where the method gives none.
        high: Upper ends.
        groups: Places, from 0, that can be compared with each other; all of them in one group is what one wants.
    """

    method: Literal["em", "moves"]
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    groups: tuple[tuple[int, ...], ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What cannot be known from this log, in sentences."""
        lost = [place + 1 for place, value in enumerate(self.values) if math.isnan(value)]
        if not lost:
            return ()
        listed = ", ".join(map(str, lost[:12])) + (", ..." if len(lost) > 12 else "")
        return (
            f"No clicked document was seen both at place {listed} and at a place linked to the first, so how much "
            "it is looked at cannot be told from how relevant its documents are. Log some rankings with "
            "neighbours swapped at random.",
        )


@dataclass(frozen=True, slots=True)
class Relevance:
    """The chance that a document is clicked where it is shown first, and its interval.

    Args:
        value: Clicks over exposure, at most 1.
        low: Lower end of the interval, given the examination.
        high: Upper end.
        clicks: How many clicks.
        exposure: Sum of the examinations of the places where it was shown: as if shown so often at the top.
    """

    value: float
    low: float
    high: float
    clicks: int
    exposure: float


@dataclass(frozen=True, slots=True)
class _Counts:
    """How often each (query, document) was shown and clicked at each place: matrices of shape (pairs, places)."""

    pairs: list[tuple[str, str]]
    shown: Floats
    clicks: Floats

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Return the places that documents link, each group ascending, by first place."""
        places = self.shown.shape[1]
        clicked = (self.shown > 0) & (self.clicks.sum(axis=1, keepdims=True) > 0)
        linked = clicked.T.astype(np.float64) @ clicked.astype(np.float64) > 0
        left, groups = set(range(places)), []
        while left:
            group, frontier = set(), {min(left)}
            while frontier:
                group |= frontier
                near = {int(other) for place in frontier for other in np.flatnonzero(linked[place])}
                frontier = near - group
            left -= group
            groups.append(tuple(sorted(group)))
        return tuple(groups)


def examination(impressions: Iterable[Impression]) -> Examination:
    """Return how much each place is looked at, by expectation maximisation over all clicks.

    It uses all of the log, but leans on documents shown often: with few impressions of each it is a little off,
    and `examination_from_moves` is not.

    Raises:
        InvalidEvaluation: there is no click.
    """
    counts = _count(impressions)
    groups = counts.groups()
    first = np.array(groups[0])
    shown, clicks = counts.shown[:, first], counts.clicks[:, first]
    used = (shown.sum(axis=1) > 0) & (clicks.sum(axis=1) > 0)
    shown, clicks = shown[used], clicks[used]
    values = np.full(counts.shown.shape[1], np.nan)
    values[first] = _by_em(shown, clicks) if len(first) > 1 and len(shown) else 1.0
    return Examination("em", tuple(values.tolist()), (), (), groups)


def _by_em(shown: Floats, clicks: Floats) -> Floats:
    """Return the examination of each column, the first being 1.

    Documents that were never clicked are left out: their relevance is 0, whatever the examination is.
    """
    skipped = shown - clicks
    clicked, total = clicks.sum(axis=1), shown.sum(axis=1)
    seen = shown.sum(axis=0)
    looked = np.clip(clicks.sum(axis=0) / seen, _LEAST, None)
    looked = looked / looked.max()
    worth = np.full(len(shown), 0.5)
    for _ in range(_ROUNDS):
        neither = np.maximum(1.0 - worth[:, None] * looked[None, :], _LEAST)
        missed = skipped / neither
        new_worth = (clicked + worth * (missed @ (1.0 - looked))) / total
        new_looked = (clicks.sum(axis=0) + looked * ((1.0 - worth) @ missed)) / seen
        new_looked = np.clip(new_looked, _LEAST, 1.0)
        settled = float(np.abs(new_looked / new_looked[0] - looked / looked[0]).max()) < _SETTLED
        worth, looked = np.clip(new_worth, _LEAST, 1.0), new_looked
        if settled:
            break
    result: Floats = looked / looked[0]
    return result


def examination_from_moves(impressions: Iterable[Impression], level: float = LEVEL) -> Examination:
    """Return how much each place is looked at, from documents that were seen at several places.

    Whether a document stood high or low must not depend on anything but chance and the query: swaps at random,
    interleaving, several systems under test.

    Raises:
        InvalidEvaluation: there is no click.
    """
    counts = _count(impressions)
    places = counts.shown.shape[1]
    pairs = [(one, other) for one in range(places) for other in range(one + 1, places)]
    edges = {pair: ratio for pair in pairs if (ratio := _risk_ratio(counts, *pair)) is not None}
    groups = _linked(places, list(edges))
    values, errors = np.full(places, np.nan), np.full(places, np.nan)
    values[0], errors[0] = 0.0, 0.0
    rest = [place for place in groups[0] if place]
    if rest:
        used = {pair: ratio for pair, ratio in edges.items() if pair[0] in groups[0]}
        design = np.zeros((len(used), places))
        for row, (one, other) in enumerate(used):
            design[row, one], design[row, other] = 1.0, -1.0
        design = design[:, rest]
        weights = np.array([1.0 / ratio.variance for ratio in used.values()])
        solve = np.linalg.inv(design.T @ (weights[:, None] * design)) @ (design.T * weights)
        values[rest] = solve @ np.array([ratio.log for ratio in used.values()])
        errors[rest] = _errors(counts, used, solve, np.exp(values))
    reach = normal_quantile(level) * errors
    return Examination(
        "moves",
        tuple(np.exp(values).tolist()),
        tuple(np.exp(values - reach).tolist()),
        tuple(np.exp(values + reach).tolist()),
        groups,
    )


@dataclass(frozen=True, slots=True)
class _Ratio:
    """The logarithm of examination[one] / examination[other], its variance, and the sums that it is made of."""

    log: float
    variance: float
    above: float
    below: float


def _risk_ratio(counts: _Counts, one: int, other: int) -> _Ratio | None:
    """Return the ratio of two places by Mantel and Haenszel; None where one has no click to compare."""
    both = (counts.shown[:, one] > 0) & (counts.shown[:, other] > 0)
    n1, n0 = counts.shown[both, one], counts.shown[both, other]
    x1, x0 = counts.clicks[both, one], counts.clicks[both, other]
    size = n1 + n0
    above, below = float((x1 * n0 / size).sum()), float((x0 * n1 / size).sum())
    if above <= 0 or below <= 0:
        return None
    spread = float(((n1 * n0 * (x1 + x0) - x1 * x0 * size) / size**2).sum())
    return _Ratio(math.log(above / below), max(spread / (above * below), _LEAST), above, below)


def _errors(counts: _Counts, edges: dict[tuple[int, int], _Ratio], solve: Floats, looked: Floats) -> Floats:
    """Return the standard errors of the logarithms that `solve` makes of the edges' ratios, by the delta method.

    The same clicks are in several comparisons, so their variances do not just add up. Clicks of one document at one
    place vary as the model says, with the document's relevance from all of its clicks.
    """
    there = np.where(np.isfinite(looked), looked, 0.0)
    times = np.where(there > 0, counts.shown, 0.0)
    clicks = np.where(there > 0, counts.clicks, 0.0).sum(axis=1)
    worth = clicks / np.maximum(times @ there, _LEAST)
    seen = times.sum(axis=1)
    correction = seen / np.maximum(seen - 1.0, 1.0)  # a rate of few trials looks surer than it is
    covariance = np.zeros((len(solve), len(solve)))
    for place in np.flatnonzero(there > 0).tolist():
        slopes = np.zeros((len(times), len(solve)))
        for column, ((one, other), ratio) in enumerate(edges.items()):
            if place in (one, other):
                mine, theirs = times[:, place], times[:, other if place == one else one]
                slope = np.where((mine > 0) & (theirs > 0), theirs / np.maximum(mine + theirs, 1.0), 0.0)
                slope = slope / ratio.above if place == one else -slope / ratio.below
                slopes += slope[:, None] * solve[:, column]
        rate = np.clip(worth * there[place], 0.0, 1.0)
        variance = times[:, place] * rate * (1.0 - rate) * correction
        covariance += slopes.T @ (variance[:, None] * slopes)
    errors: Floats = np.sqrt(np.diag(covariance))
    return errors


def _linked(places: int, edges: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    group = list(range(places))
    for one, other in edges:
        old, new = max(group[one], group[other]), min(group[one], group[other])
        group = [new if name == old else name for name in group]
    return tuple(tuple(p for p in range(places) if group[p] == name) for name in sorted(set(group)))


def relevance(
    impressions: Iterable[Impression], looked: Examination, level: float = LEVEL
) -> dict[tuple[str, str], Relevance]:
    """Return the relevance of each (query, document) that was shown where examination is known.

    In order of the intervals' lower ends, so that what was lucky once does not lead.
    The intervals hold given the examination: they do not know how uncertain that is itself.
    """
    counts = _count(impressions)
    known = np.array(looked.values[: counts.shown.shape[1]])
    there = np.isfinite(known)
    weights = np.where(there, known, 0.0)
    exposure, squares = counts.shown @ weights, counts.shown @ weights**2
    clicks = counts.clicks[:, there].sum(axis=1)
    found = {}
    for number, pair in enumerate(counts.pairs):
        if exposure[number] > 0:
            seen, got = float(exposure[number]), float(clicks[number])
            low, high = rate_interval(got, seen, float(squares[number]), level)
            found[pair] = Relevance(min(1.0, got / seen), low, high, int(got), seen)
    return dict(sorted(found.items(), key=lambda item: (-item[1].low, item[0])))


def _count(impressions: Iterable[Impression]) -> _Counts:
    pairs: dict[tuple[str, str], int] = {}
    rows: list[int] = []
    columns: list[int] = []
    clicked: list[bool] = []
    for seen in impressions:
        hits = set(seen.clicks)
        for place, doc_id in enumerate(seen.shown):
            rows.append(pairs.setdefault((seen.query_id, doc_id), len(pairs)))
            columns.append(place)
            clicked.append(place in hits)
    if not any(clicked):
        raise InvalidEvaluation("the log has no click, and without clicks there is nothing to estimate")
    shape = (len(pairs), max(columns) + 1)
    shown, clicks = np.zeros(shape), np.zeros(shape)
    np.add.at(shown, (rows, columns), 1.0)
    np.add.at(clicks, (rows, columns), np.array(clicked, dtype=np.float64))
    return _Counts(list(pairs), shown, clicks)
