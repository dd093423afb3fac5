"""What can be tuned: `Parameter`s, in groups that pass the gate together or not at all, the `Stage`s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Literal, TypeAlias

from engine.settings import SearchSettings
from eval.errors import InvalidEvaluation

Setting: TypeAlias = float | int | str
Values: TypeAlias = Mapping[str, Setting]
"""A parameter's name to its value."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value to choose.

    Args:
        name: Its name, for a search setting the field's.
        choices: The values to choose from; ascending where they are numbers.
    """

    name: str
    choices: tuple[Setting, ...]

    @property
    def ordered(self) -> bool:
        """Whether values that stand side by side are alike: numbers, not names."""
        return not any(isinstance(choice, str) for choice in self.choices)

    def including(self, value: Setting) -> Parameter:
        """Return the parameter with one more choice, where it is not there yet."""
        if value in self.choices:
            return self
        if self.ordered:
            numbers = [choice for choice in (*self.choices, value) if not isinstance(choice, str)]
            return replace(self, choices=tuple(sorted(numbers)))
        return replace(self, choices=(*self.choices, value))


@dataclass(frozen=True, slots=True)
class Stage:
    """Parameters that are tuned, tested and kept together.

    Args:
        name: For people.
        parameters: What is chosen.
        without: The values that leave the stage out; empty for one that cannot be.
        aim: `gain` looks for the highest measure; `thrift` for the first choice that costs no more than half of the
            margin.
    """

    name: str
    parameters: tuple[Parameter, ...]
    without: Values = field(default_factory=dict)
    aim: Literal["gain", "thrift"] = "gain"


_WEIGHTS: tuple[Setting, ...] = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)

_SEARCH = (
    Stage("meaning", (Parameter("alpha", tuple(n / 20 for n in range(21))),), {"alpha": 0.0}),
    Stage(
        "whole documents",
        (Parameter("document_share", tuple(n / 8 for n in range(9))),),
        {"document_share": 0.0},
    ),
    Stage(
        "title and headings",
        (Parameter("title_weight", _WEIGHTS), Parameter("headings_weight", _WEIGHTS)),
        {"title_weight": 0.0, "headings_weight": 0.0},
    ),
    Stage(
        "fusion",
        (
            Parameter("fusion", ("convex", "rrf", "combsum", "combmnz", "dbsf")),
            Parameter("rrf_k", (5, 10, 20, 40, 60, 100)),
        ),
        {"fusion": "convex"},
    ),
    Stage(
        "grouping",
        (Parameter("grouping", ("max", "mean", "sum")), Parameter("group_top", (2, 3, 5))),
        {"grouping": "max"},
    ),
    Stage("depth", (Parameter("depth", (50, 100, 200, 400, 800)),), aim="thrift"),
    Stage(
        "second look",
        (
            Parameter("late_weight", (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)),
            Parameter("gist_weight", (0.0, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)),
            Parameter("neighbours_weight", (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)),
        ),
        {"late_weight": 0.0, "gist_weight": 0.0, "neighbours_weight": 0.0},
    ),
    Stage(
        "cross-encoder",
        (Parameter("rerank_weight", (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 1.0)),),
        {"rerank_weight": 0.0},
    ),
    Stage("rerank depth", (Parameter("rerank_depth", (10, 20, 30, 50, 75, 100)),), aim="thrift"),
    Stage(
        "diversity",
        (Parameter("diversity", (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),),
        {"diversity": 0.0},
    ),
)

DEFAULT_PARAMETERS = ("alpha", "title_weight", "headings_weight")


def search_stages(
    names: Sequence[str] = DEFAULT_PARAMETERS, baseline: SearchSettings | None = None
) -> tuple[Stage, ...]:
    """Return the stages of `engine.settings.SearchSettings` that these parameters belong to, in a fixed order.

    Args:
        names: The parameters to tune; a stage holds those of its own that are named.
        baseline: The settings in use; their values are among the choices.

    Raises:
        InvalidEvaluation: a name is not one that can be tuned.
    """
    baseline = baseline or SearchSettings()
    known = {parameter.name: parameter for stage in _SEARCH for parameter in stage.parameters}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise InvalidEvaluation(f"{name!r} is no parameter that can be tuned; {hint}")
    stages = []
    for stage in _SEARCH:
        chosen = tuple(
            parameter.including(getattr(baseline, parameter.name))
            for parameter in stage.parameters
            if parameter.name in names
        )
        if chosen:
            left = {parameter.name for parameter in chosen} & set(stage.without)
            without = {name: stage.without[name] for name in stage.without if name in left}
            stages.append(replace(stage, parameters=chosen, without=without))
    return tuple(stages)
