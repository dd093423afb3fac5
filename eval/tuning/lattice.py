"""The search: one parameter after another, coarse steps first, then finer ones around the best.

Measures over a hundred queries are steps and noise on a broad hill. So values are looked for on a lattice that is no
finer than the measure can tell apart, and a parameter costs a number of trials that grows with the logarithm of its
choices. The coarse points are fixed, so that the searches of different folds mostly share their trials, and both
neighbours of what is in use are always among them: the test of the choice (`repeated_choice`) draws its luck from the
settings that were tried, and would find too little of it where they all lie on one side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from eval.tuning.stages import Parameter, Values

_LEAST_GAIN = 1e-12


@dataclass(frozen=True, slots=True)
class Pick:
    """The outcome of a search.

    Args:
        best: The values chosen.
        tried: All settings that were scored, the start first.
    """

    best: Values
    tried: tuple[Values, ...]


class _Budget:
    """Scores settings, counts the different ones, and stops when there were enough."""

    def __init__(self, score: Callable[[Values], float], trials: int) -> None:
        self._score = score
        self._left = trials
        self._known: dict[tuple[tuple[str, object], ...], float] = {}
        self.tried: list[Values] = []

    def score(self, setting: Values) -> float | None:
        """Return the score; None where it would be one trial too many."""
        key = tuple(sorted(setting.items()))
        if key not in self._known:
            if self._left <= 0:
                return None
            self._left -= 1
            self._known[key] = self._score(setting)
            self.tried.append(dict(setting))
        return self._known[key]


def climb(
    start: Values, parameters: Sequence[Parameter], score: Callable[[Values], float], trials: int
) -> Pick:
    """Search for the highest score.

    The best of all that is tried is chosen; what does not score higher than what is there never replaces it.

    Args:
        start: Values of all parameters, also of those that are not searched.
        parameters: Those that are.
        score: Higher is better.
        trials: The most different settings to score, the start included; at least 1.
    """
    budget = _Budget(score, trials)
    best = dict(start)
    reached = budget.score(best)

    def improve(parameter: Parameter, places: Iterable[int]) -> bool:
        nonlocal best, reached
        before = reached
        choices = parameter.choices
        here = choices.index(best[parameter.name])
        for place in sorted({p for p in places if 0 <= p < len(choices)}, key=lambda p: (abs(p - here), p)):
            candidate = {**best, parameter.name: choices[place]}
            found = budget.score(candidate)
            if found is not None and reached is not None and found > reached + _LEAST_GAIN:
                best, reached = candidate, found
        return reached != before

    lattice = [parameter.including(best[parameter.name]) for parameter in parameters]
    for parameter in lattice:
        last = len(parameter.choices) - 1
        step = _first_step(last) if parameter.ordered else 1
        here = parameter.choices.index(best[parameter.name])
        improve(parameter, [*range(0, last, step), last, here - 1, here + 1])
        while parameter.ordered and step > 1:
            step = (step + 1) // 2
            here = parameter.choices.index(best[parameter.name])
            improve(parameter, (here - step, here + step))
    moved = True
    while moved:
        moved = False
        for parameter in lattice:
            here = parameter.choices.index(best[parameter.name])
            near = (here - 1, here + 1) if parameter.ordered else range(len(parameter.choices))
            moved = improve(parameter, near) or moved
    return Pick(best, tuple(budget.tried))


def thriftiest(
    start: Values,
    parameters: Sequence[Parameter],
    score: Callable[[Values], float],
    slack: float,
    trials: int,
) -> Pick:
    """Choose for each parameter the first choice that scores at most `slack` below the start.

    Args:
        start: Values of all parameters.
        parameters: Those that are searched; their choices stand in order of cost.
        score: Higher is better.
        slack: How much of the score may be given up, in all.
        trials: The most different settings to score, the start included; at least 1.
    """
    budget = _Budget(score, trials)
    best = dict(start)
    goal = budget.score(best)
    for parameter in parameters:
        lattice = parameter.including(best[parameter.name])
        for choice in lattice.choices[: lattice.choices.index(best[parameter.name])]:
            found = budget.score({**best, parameter.name: choice})
            if found is not None and goal is not None and found >= goal - slack:
                best[parameter.name] = choice
                break
    return Pick(best, tuple(budget.tried))


def _first_step(last: int) -> int:
    """Return a step that makes about five points of 0 to `last`."""
    return max(1, last // 4)
