"""What would another system have got? Inverse propensity scoring of a log whose rankings had a known chance.

A record counts for the system to be judged (the target) with weight

    target's chance to show this / logging system's chance to show this

- `rankings_estimate`: *this* is the whole list. No assumption about readers; long lists seldom agree.
- `places_estimate`: *this* is one document at one place, place by place (Li, Abbasi-Yadkori, Kveton, Muthukrishnan,
  Vinay and Wen, KDD 2018, the item-position model). A click may depend on document and place, not on neighbours.

IPS (Horvitz and Thompson, JASA 1952) is the mean of weight x reward: right on average, and wild where weights are
large. SNIPS (Swaminathan and Joachims, NIPS 2015) divides by the mean weight instead of by 1: a little wrong on
average, and far calmer; at each place by itself where places are weighed. Clipping weights at M (Ionides, JCGS 2008)
calms too, and errs towards 0 for what is cut: look at the estimate for several M before believing one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.errors import InvalidEvaluation
from eval.online.intervals import LEVEL, clustered_error, t_quantile
from eval.online.log import Impression
from eval.run import Run

Floats: TypeAlias = NDArray[np.float64]
Reward: TypeAlias = Literal["clicks", "dcg"]

_FEW = 100  # effective records below this are few
_FEW_SHARE = 0.01
_HEAVIEST = 0.01
_HEAVY = 0.5
_CLIPS = (math.inf, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the target would have got for each impression.

    Args:
        unit: What was weighed: `rankings` or `places`.
        records: Impressions of the log.
        readers: Readers, whose impressions go together in the intervals; each impression one where none is named.
        clip: The largest weight allowed; infinite for none.
        clipped: Share of the records with a weight that was cut.
        ips: The estimate by IPS; rewards an impression.
        ips_interval: Its interval: t over readers.
        snips: The estimate by SNIPS; NaN where no record has weight.
        snips_interval: Its interval: t over readers, by linearisation.
        logged: What the logging system got.
        logged_interval: Its interval.
        gain: SNIPS less what the logging system got.
        gain_interval: Its interval, from the same readers.
        mean_weight: Near 1 where propensities are right and the log shows what the target would.
        mean_weight_interval: Its interval.
        effective: So many equally weighted records would be as much to go by (Kish); the least of all places.
        heaviest: The share of all weight that the heaviest hundredth of the records carries.
        unsupported: Share of the records' queries where nothing that was shown has weight.
    """

    unit: Literal["rankings", "places"]
    records: int
    readers: int
    clip: float
    clipped: float
    ips: float
    ips_interval: tuple[float, float]
    snips: float
    snips_interval: tuple[float, float]
    logged: float
    logged_interval: tuple[float, float]
    gain: float
    gain_interval: tuple[float, float]
    mean_weight: float
    mean_weight_interval: tuple[float, float]
    effective: float
    heaviest: float
    unsupported: float

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why the estimate should not be believed, in sentences."""
        said = []
        if self.effective < max(_FEW, _FEW_SHARE * self.records):
            said.append(
                f"{self.records:,} records are worth {self.effective:,.1f} here: too few. Judge a system closer to "
                "the one that logged, weigh places in place of rankings, or log more chance."
            )
        if self.heaviest > _HEAVY:
            said.append(
                f"The heaviest hundredth of the records carries {self.heaviest:.0%} of the weight: the estimate is "
                "theirs."
            )
        low, high = self.mean_weight_interval
        if math.isinf(self.clip) and not low <= 1.0 <= high:
            said.append(
                f"The mean weight is {self.mean_weight:.3f} ({low:.3f} to {high:.3f}), and 1 was expected: "
                "propensities are wrong, or the log never shows some of what the target would show. IPS is "
                f"then {'too low' if high < 1 else 'too high'}; SNIPS speaks only of what was shown."
            )
        if self.unsupported > 0:
            said.append(
                f"For {self.unsupported:.1%} of the queries nothing in the log agrees with the target; they do "
                "not count."
            )
        return tuple(said)


def rankings_estimate(
    impressions: Sequence[Impression],
    run: Run | None = None,
    *,
    clip: float = math.inf,
    reward: Reward = "clicks",
    level: float = LEVEL,
) -> Estimate:
    """Return the estimate that weighs whole lists.

    Args:
        impressions: With `propensity`.
        run: What the target would show: its first documents, as many as were shown. None where the impressions
            have `target`, the target's chance.
        clip: The largest weight.
        reward: `clicks`, or `dcg`: each click discounted by its place, 1 / log2(1 + place).
        level: Of the intervals.

    Raises:
        InvalidEvaluation: a record lacks its propensity, or its target and the run its query.
        MissingDependency: scipy is not installed.
    """

    def weight(seen: Impression) -> tuple[float, ...]:
        if seen.propensity is None:
            raise _lacking(seen, "propensity", "the chance that the logging system had to show this list")
        if run is None:
            if seen.target is None:
                raise _lacking(
                    seen, "target", "the target's chance to show this list; or give the target's run"
                )
            return (seen.target / seen.propensity,)
        wanted = _ranking(run, seen)
        return (float(wanted[: len(seen.shown)] == list(seen.shown)) / seen.propensity,)

    return _estimate("rankings", impressions, weight, clip, reward, level)


def places_estimate(
    impressions: Sequence[Impression],
    run: Run | None = None,
    *,
    clip: float = math.inf,
    reward: Reward = "clicks",
    level: float = LEVEL,
) -> Estimate:
    """Return the estimate that weighs each document at its place.

    Args:
        impressions: With `propensities`.
        run: What the target would show. None where the impressions have `targets`, the target's chances.
        clip: The largest weight.
        reward: As for `rankings_estimate`.
        level: Of the intervals.

    Raises:
        InvalidEvaluation: a record lacks its propensities, or its targets and the run its query.
        MissingDependency: scipy is not installed.
    """

    def weight(seen: Impression) -> tuple[float, ...]:
        if not seen.propensities:
            raise _lacking(seen, "propensities", "the chance of each document to be at its place")
        if run is None:
            if not seen.targets:
                raise _lacking(seen, "targets", "the target's chance of each; or give the target's run")
            chances: Sequence[float] = seen.targets
        else:
            wanted = _ranking(run, seen)
            chances = [
                float(place < len(wanted) and wanted[place] == doc_id)
                for place, doc_id in enumerate(seen.shown)
            ]
        return tuple(chance / logged for chance, logged in zip(chances, seen.propensities, strict=True))

    return _estimate("places", impressions, weight, clip, reward, level)


def clipping(estimate: Callable[[float], Estimate], clips: Sequence[float] = _CLIPS) -> list[Estimate]:
    """Return an estimate at several clips, loosest first.

    `clipping(lambda clip: rankings_estimate(impressions, run, clip=clip))`
    """
    return [estimate(clip) for clip in sorted(clips, reverse=True)]


def _lacking(seen: Impression, key: str, meaning: str) -> InvalidEvaluation:
    return InvalidEvaluation(f"line {seen.line}: the impression has no {key}: {meaning}")


def _ranking(run: Run, seen: Impression) -> list[str]:
    ranking = run.rankings.get(seen.query_id)
    if ranking is None:
        raise InvalidEvaluation(
            f"line {seen.line}: run {run.name!r} has no query {seen.query_id!r}; a run to be judged answers every "
            "query of the log"
        )
    return list(ranking)


def _estimate(
    unit: Literal["rankings", "places"],
    impressions: Sequence[Impression],
    weight: Callable[[Impression], tuple[float, ...]],
    clip: float,
    reward: Reward,
    level: float,
) -> Estimate:
    if not impressions:
        raise InvalidEvaluation("the log has no impression")
    if not clip > 0 or reward not in ("clicks", "dcg"):
        raise InvalidEvaluation(f"clip is above 0 and reward is clicks or dcg; found {clip!r} and {reward!r}")
    raw = [weight(seen) for seen in impressions]
    width = max(map(len, raw))
    weights, there = np.zeros((len(raw), width)), np.zeros((len(raw), width), dtype=np.bool_)
    for row, values in enumerate(raw):
        weights[row, : len(values)] = values
        there[row, : len(values)] = True
    rewards = _rewards(impressions, width, reward)
    readers: list[Hashable] = [
        ("record", row) if seen.user_id is None else seen.user_id for row, seen in enumerate(impressions)
    ]
    cut = (weights > clip).any(axis=1)
    weights = np.minimum(weights, clip)

    def around(value: float, influence: Floats) -> tuple[float, float]:
        error, clusters = clustered_error(influence, readers)
        reach = t_quantile(level, clusters - 1) * error
        return value - reach, value + reach

    gained = (weights * rewards).sum(axis=1)
    ips, per_record = float(gained.mean()), rewards.sum(axis=1)
    logged = float(per_record.mean())
    snips, influence = _self_normalised(weights, rewards, there)
    gain = snips - logged
    slots = there.sum(axis=1)
    mean_weight = float(weights.sum() / slots.sum())
    drift = (weights.sum(axis=1) - mean_weight * slots) / slots.mean()
    total = weights.sum(axis=1)
    heavy = np.sort(total)[::-1][: max(1, math.ceil(_HEAVIEST * len(total)))]
    queries: dict[str, float] = {}
    for seen, carried in zip(impressions, total.tolist(), strict=True):
        queries[seen.query_id] = queries.get(seen.query_id, 0.0) + carried
    return Estimate(
        unit=unit,
        records=len(impressions),
        readers=len(set(readers)),
        clip=clip,
        clipped=float(cut.mean()),
        ips=ips,
        ips_interval=around(ips, gained - ips),
        snips=snips,
        snips_interval=around(snips, influence),
        logged=logged,
        logged_interval=around(logged, per_record - logged),
        gain=gain,
        gain_interval=around(gain, influence - (per_record - logged)),
        mean_weight=mean_weight,
        mean_weight_interval=around(mean_weight, drift),
        effective=_effective(weights),
        heaviest=float(heavy.sum() / total.sum()) if total.sum() > 0 else 0.0,
        unsupported=sum(carried == 0 for carried in queries.values()) / len(queries),
    )


def _rewards(impressions: Sequence[Impression], width: int, reward: Reward) -> Floats:
    """Return what each place of each record got; in one column where lists are weighed as a whole."""
    rewards = np.zeros((len(impressions), width))
    for row, seen in enumerate(impressions):
        for place in seen.clicks:
            worth = 1.0 if reward == "clicks" else 1.0 / math.log2(place + 2)
            rewards[row, place if width > 1 else 0] += worth
    return rewards


def _self_normalised(weights: Floats, rewards: Floats, there: NDArray[np.bool_]) -> tuple[float, Floats]:
    """Return the SNIPS estimate, a sum over columns, and what each record adds to its error, by linearisation."""
    totals = weights.sum(axis=0)
    if not totals.any():
        return math.nan, np.full(len(weights), math.nan)
    carried = totals > 0
    weights, rewards, totals = weights[:, carried], rewards[:, carried], totals[carried]
    # A place that not every list has counts with the share of lists that have it.
    shares = there[:, carried].mean(axis=0)
    values = shares * (weights * rewards).sum(axis=0) / totals
    influence = (len(weights) * weights * (shares * rewards - values) / totals).sum(axis=1)
    return float(values.sum()), influence


def _effective(weights: Floats) -> float:
    """Return the least effective sample size of the columns that carry weight."""
    sums, squares = weights.sum(axis=0), np.square(weights).sum(axis=0)
    carried = sums > 0
    return float((sums[carried] ** 2 / squares[carried]).min()) if carried.any() else 0.0
