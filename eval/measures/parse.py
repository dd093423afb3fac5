"""From a measure's name to the measure.

    measure    = base [ "(" [ argument { "," argument } ] ")" ] [ "@" number ]
    argument   = name "=" value        value: a number, a quoted string, True, False, a dictionary of numbers

`Latency(p95)` alone has an argument without a name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from eval.errors import UnknownMeasure
from eval.measures.cascade import ERR, RBP
from eval.measures.counted import SUBTOPICS, Counted, ir_measures
from eval.measures.diversity import ILD, AlphaNDCG
from eval.measures.latency import Latency
from eval.measures.measure import Measure
from eval.measures.names import canonical, suggestion
from eval.measures.passages import SpanIoU, SpanRecall, SpanRR

Arguments: TypeAlias = dict[str, Any]

OWN: Mapping[str, tuple[type, Mapping[str, type]]] = {
    "SpanRecall": (SpanRecall, {"cutoff": int}),
    "SpanIoU": (SpanIoU, {"cutoff": int}),
    "SpanRR": (SpanRR, {"cutoff": int}),
    "alpha_nDCG": (AlphaNDCG, {"cutoff": int, "alpha": float, "rel": int}),
    "ILD": (ILD, {"cutoff": int}),
    "ERR": (ERR, {"cutoff": int, "max_rel": int}),
    "RBP": (RBP, {"cutoff": int, "p": float, "rel": int}),
}
"""The measures that are counted here: base name to the class and its parameters."""

_LATENCY = re.compile(r"latency(?:\(\s*p?(\d{1,3}(?:\.\d+)?)\s*\))?", re.IGNORECASE)
_KINDS = {int: "a whole number", float: "a number", bool: "True or False", str: "a quoted string"}
_SHARES = frozenset(("alpha", "beta", "p", "recall"))
_CUT = SUBTOPICS - {"NRBP", "nNRBP", "AP_IA"}


def parse_measure(name: str) -> Measure:
    """Return the measure of a name: `nDCG@10`, `R@100`, `AP(rel=2)`, `SpanRecall@5`, `Latency(p95)`.

    trec_eval's names (`ndcg_cut_10`, `map`, `recip_rank`) are understood too, and any mixture of capitals. What is
    returned prints in one form, whatever was typed.

    Raises:
        UnknownMeasure: there is no such measure, or its parameters are not right; with a suggestion where one is near.
        MissingDependency: ir_measures is not installed.
    """
    latency = _LATENCY.fullmatch(name.strip())
    if latency is not None:
        return Latency(_within(name, "the percentile", float(latency[1] or 50), 0, 100))
    registry = ir_measures().measures.registry
    known = {*registry, *OWN}
    spelled = canonical(name, known)
    try:
        base, arguments, at = _taken_apart(spelled)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UnknownMeasure(
            f"{name!r} cannot be read as a measure; expected a name such as nDCG@10 or RBP(p=0.9)",
            _meant(name, known),
        ) from None
    if base in OWN:
        return _own(name, base, arguments, at)
    if base in registry:
        return _counted(name, registry[base], arguments, at)
    raise UnknownMeasure(f"there is no measure {name!r}; docs/measures.md lists them", _meant(name, known))


def _meant(name: str, known: set[str]) -> str:
    """Return the name that was probably meant, in the form that measures print in, or the empty string."""
    near = suggestion(name, known)
    if near in ("", name):
        return ""
    try:
        return str(parse_measure(near))
    except UnknownMeasure:
        return near


def _taken_apart(text: str) -> tuple[str, Arguments, Any]:
    """Return base name, arguments, and what stands behind the @ (None for nothing).

    Raises:
        SyntaxError, ValueError: it does not have that form.
    """
    tree: ast.expr = ast.parse(text, mode="eval").body
    at = None
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
        at = ast.literal_eval(tree.right)
        tree = tree.left
    arguments: Arguments = {}
    if isinstance(tree, ast.Call):
        if tree.args:
            raise ValueError("an argument without a name")
        for keyword in tree.keywords:
            if keyword.arg is None or keyword.arg in arguments:
                raise ValueError("an argument without a name, or twice")
            arguments[keyword.arg] = ast.literal_eval(keyword.value)
        tree = tree.func
    if not isinstance(tree, ast.Name):
        raise ValueError("no name")
    return tree.id, arguments, at


def _own(name: str, base: str, arguments: Arguments, at: Any) -> Measure:
    build, parameters = OWN[base]
    if at is not None:
        arguments["cutoff"] = at
    for key, value in arguments.items():
        if key not in parameters:
            raise UnknownMeasure(f"{name!r}: {base} has no parameter {key!r}; it has {', '.join(parameters)}")
        arguments[key] = _typed(name, key, value, parameters[key])
    measure: Measure = build(**arguments)
    return measure


def _counted(name: str, measure: Any, arguments: Arguments, at: Any) -> Measure:
    parameters = measure.SUPPORTED_PARAMS
    given = dict(measure.params) | arguments
    if at is not None:
        given[measure.AT_PARAM] = at
    for key in given:
        if key not in parameters:
            known = ", ".join(parameters) or "none"
            raise UnknownMeasure(f"{name!r}: {measure.NAME} has no parameter {key!r}; it has {known}")
    kept: Arguments = {}
    for key, parameter in parameters.items():
        if key not in given:
            if parameter.required or (key == "cutoff" and measure.NAME in _CUT):
                example = 0.1 if key == "recall" else 10
                form = f"{measure.NAME}@{example}" if key == measure.AT_PARAM else f"{measure.NAME}({key}=3)"
                raise UnknownMeasure(f"{name!r}: {measure.NAME} needs its {key}, as in {form}")
            continue
        value = _typed(name, key, given[key], parameter.dtype)
        if isinstance(value, dict):
            value = {grade: gain for grade, gain in sorted(value.items()) if grade != gain}
        if not parameter.validate(value):
            raise UnknownMeasure(f"{name!r}: {key}={value!r} is not possible; expected {_choices(parameter)}")
        if value not in ({}, parameter.default) or key == measure.AT_PARAM:
            kept[key] = value
    return Counted(type(measure)(**kept))


def _choices(parameter: Any) -> str:
    return (
        " or ".join(map(repr, parameter.choices))
        if isinstance(parameter.choices, list | tuple)
        else _KINDS[parameter.dtype]
    )


def _typed(name: str, key: str, value: Any, kind: type | None) -> Any:
    """Return a parameter's value as its type, in its bounds."""
    if kind is float and type(value) is int:
        value = float(value)
    if kind is dict:
        if isinstance(value, dict) and all(type(each) is int for pair in value.items() for each in pair):
            return value
        raise UnknownMeasure(
            f"{name!r}: {key}={value!r} is not possible; expected grades and gains, as {{1:1,2:3}}"
        )
    if kind is not None and type(value) is not kind:
        raise UnknownMeasure(f"{name!r}: {key}={value!r} is not possible; expected {_KINDS[kind]}")
    if key == "cutoff" and value < 1:
        raise UnknownMeasure(f"{name!r}: a cutoff is 1 or more, found {value}")
    return _within(name, key, value, 0, 1) if key in _SHARES and kind is float and key != "beta" else value


def _within(name: str, key: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise UnknownMeasure(f"{name!r}: {key} is {value:g}; expected {low:g} to {high:g}")
    return value
