"""How much of a system's gain does a preference for a shortcut explain?

The definition. Let the exposure of a run be the mean, over queries and the first `top` documents of each, of the
shortcut's place (0 to 1 among all documents of the collection). A tilt by t moves a run towards the shortcut without
looking at the query: its documents are sorted anew by -ln(rank) + t · place. Exposure never falls as t grows, so two
tilts are found by halving:

    B⁺: the baseline, tilted until its exposure is the system's.   added = M(B⁺) - M(B)
    S⁻: the system, tilted until its exposure is the baseline's.   missed = M(S) - M(S⁻)

`added` is what the preference alone would have brought the baseline; `missed` is what the system loses when the
preference is taken from it. What the shortcut explains is the mean of the two, which is the shortcut's Shapley value in
the game of two players, preference and everything else; what it does not explain is the rest of the gain M(S) - M(B).

The tilt is one number for all queries. That is the point: with it goes only what can be had without reading the
query. (Were documents matched query by query, the places that a good system prefers would already tell which documents
are relevant, and every gain would look like a shortcut.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eval.audit.shortcut import Shortcut
from eval.collection import Judgements
from eval.measures import Measure, evaluate
from eval.run import Run
from eval.statistics import bootstrap_intervals
from eval.statistics.pairs import Floats

STEEPEST = 64.0
"""A tilt by so much sorts by the shortcut alone, but for places that differ by less than a tenth."""
_HALVINGS = 30
_NEUTRAL = 0.5  # the place of a document without a value


@dataclass(frozen=True, slots=True)
class Explained:
    """What one shortcut explains of one system's gain.

    Args:
        system: The system.
        shortcut: The shortcut.
        prefers: Which documents the system ranks higher than the baseline does, such as `newest first`.
        exposure: The system's mean place, 0 to 1.
        baseline_exposure: The baseline's.
        gain: The mean of the system less that of the baseline, over all judged queries.
        gain_interval: Its bootstrap interval, 95%.
        added: What the same preference adds to the baseline.
        missed: What the system loses without it.
        explained: The mean of the two.
        interval: Its bootstrap interval, 95%, with the tilts as they are.
    """

    system: str
    shortcut: str
    prefers: str
    exposure: float
    baseline_exposure: float
    gain: float
    gain_interval: tuple[float, float]
    added: float
    missed: float
    explained: float
    interval: tuple[float, float]

    @property
    def share(self) -> float | None:
        """The share of the gain that is explained; None where the gain's interval has 0 in it."""
        low, high = self.gain_interval
        return None if low <= 0.0 <= high else self.explained / self.gain


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A run's documents as arrays, a row a query, in the run's order; rows are filled up with rank infinity.

    Args:
        documents: Query to its documents.
        merit: -ln(rank), shape (queries, most documents).
        place: The shortcut's place of each, same shape.
        counted: How many of the first `top` there are, shape (queries, 1).
        top: How many documents exposure looks at.
    """

    documents: Mapping[str, Sequence[str]]
    merit: Floats
    place: Floats
    counted: Floats
    top: int

    @classmethod
    def of(cls, documents: Mapping[str, Sequence[str]], shortcut: Shortcut, top: int) -> _Ranked:
        most = max(map(len, documents.values()))
        merit = np.full((len(documents), most), -np.inf)
        place = np.zeros((len(documents), most))
        for row, ranked in enumerate(documents.values()):
            merit[row, : len(ranked)] = -np.log(np.arange(1, len(ranked) + 1))
            place[row, : len(ranked)] = [shortcut.place.get(doc, _NEUTRAL) for doc in ranked]
        counted = np.array([[min(top, len(ranked))] for ranked in documents.values()], dtype=np.float64)
        return cls(documents, merit, place, counted, top)

    def order(self, tilt: float) -> np.ndarray:
        return np.argsort(-(self.merit + tilt * self.place), axis=1, kind="stable")

    def exposure(self, tilt: float = 0.0) -> float:
        first = np.take_along_axis(self.place, self.order(tilt)[:, : self.top], axis=1)
        return float((first.sum(axis=1, keepdims=True) / self.counted).mean())

    def tilt_to(self, exposure: float) -> float:
        """Return the tilt whose exposure is nearest; the steepest there is where it cannot be reached."""
        start = self.exposure()
        if start == exposure:
            return 0.0
        near, far = 0.0, STEEPEST if exposure > start else -STEEPEST
        for _ in range(_HALVINGS):
            middle = (near + far) / 2.0
            if (self.exposure(middle) < exposure) == (exposure > start):
                near = middle
            else:
                far = middle
        return min(near, far, key=lambda tilt: abs(self.exposure(tilt) - exposure))

    def tilted(self, tilt: float) -> dict[str, dict[str, float]]:
        order = self.order(tilt)
        rankings = {}
        for row, (query, ranked) in enumerate(self.documents.items()):
            best = [ranked[at] for at in order[row, : len(ranked)].tolist()]
            rankings[query] = {doc: float(len(best) - rank) for rank, doc in enumerate(best)}
        return rankings


def explained(
    system: Run,
    baseline: Run,
    found: Sequence[Shortcut],
    judgements: Judgements,
    measure: Measure,
    *,
    depth: int = 100,
    top: int = 10,
    seed: int = 0,
) -> list[Explained]:
    """Return what each shortcut explains of a system's gain over the baseline, by the definition above.

    Both runs are given the same documents to order: what either has among its first `depth`, each run's own first and
    then what it lacks, in the other's order. So where a measure looks deeper than a run goes, its values here differ.

    Args:
        system: The system.
        baseline: The baseline.
        found: The shortcuts.
        judgements: What is right; all of its queries count.
        measure: By what.
        depth: How many documents of each run.
        top: How many of them exposure looks at; the measure's cutoff is a good choice.
        seed: Of the bootstrap.
    """
    ours, theirs = _joined(system, baseline, judgements, depth)
    if not ours:
        return []

    def values(rankings: Mapping[str, Mapping[str, float]]) -> Floats:
        measured = evaluate(Run("tilted", rankings), judgements, [measure]).values[measure]
        return np.array([measured[query] for query in judgements.qrels])

    rows: list[Explained] = []
    for shortcut in found:
        we, they = _Ranked.of(ours, shortcut, top), _Ranked.of(theirs, shortcut, top)
        if not rows:
            our_values, their_values = values(we.tilted(0.0)), values(they.tilted(0.0))
        added = values(they.tilted(they.tilt_to(we.exposure()))) - their_values
        missed = our_values - values(we.tilted(we.tilt_to(they.exposure())))
        gain = our_values - their_values
        ends = bootstrap_intervals(np.stack([gain, (added + missed) / 2.0], axis=1), seed=seed)
        rows.append(
            Explained(
                system=system.name,
                shortcut=shortcut.name,
                prefers=shortcut.directions[0 if we.exposure() >= they.exposure() else 1],
                exposure=we.exposure(),
                baseline_exposure=they.exposure(),
                gain=float(gain.mean()),
                gain_interval=(float(ends[0, 0]), float(ends[0, 1])),
                added=float(added.mean()),
                missed=float(missed.mean()),
                explained=float((added + missed).mean() / 2.0),
                interval=(float(ends[1, 0]), float(ends[1, 1])),
            )
        )
    return rows


def _joined(
    system: Run, baseline: Run, judgements: Judgements, depth: int
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    ours: dict[str, list[str]] = {}
    theirs: dict[str, list[str]] = {}
    for query in judgements.qrels:
        first = list(system.rankings.get(query, ()))[:depth]
        second = list(baseline.rankings.get(query, ()))[:depth]
        if first or second:
            ours[query] = list(dict.fromkeys((*first, *second)))
            theirs[query] = list(dict.fromkeys((*second, *first)))
    return ours, theirs
