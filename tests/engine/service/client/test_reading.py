"""JSON becomes frozen values; what does not fit is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from engine.service.client.errors import NoAnswer
from engine.service.client.reading import read


@dataclass(frozen=True, slots=True)
class Inner:
    at: tuple[int, int]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    score: float
    inner: tuple[Inner, ...]
    shares: Mapping[str, float | str | tuple[str, ...]]
    best: Inner | None = None


def test_all_of_it() -> None:
    body = {
        "score": 1,
        "inner": [{"at": [3, 5]}, {"at": [0, 1], "name": "x"}],
        "shares": {"a": 1, "b": "text", "c": ["p", "q"]},
        "of a newer service": {"anything": []},
    }
    value = read(Outer, body)
    assert value == Outer(1.0, (Inner((3, 5)), Inner((0, 1), "x")), {"a": 1.0, "b": "text", "c": ("p", "q")})
    assert isinstance(value.score, float)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ([], "expected an object (Outer)"),
        ({"inner": [], "shares": {}}, "no member 'score'"),
        ({"score": "1", "inner": [], "shares": {}}, "the answer.score is '1', expected float"),
        ({"score": True, "inner": [], "shares": {}}, "the answer.score is True"),
        ({"score": 1, "inner": {}, "shares": {}}, "the answer.inner is {}, expected a list"),
        (
            {"score": 1, "inner": [{"at": [1]}], "shares": {}},
            "the answer.inner[0].at has 1 items, expected 2",
        ),
        (
            {"score": 1, "inner": [{"at": [1, 2.5]}], "shares": {}},
            "the answer.inner[0].at[1] is 2.5, expected int",
        ),
        ({"score": 1, "inner": [], "shares": []}, "the answer.shares is [], expected an object"),
        (
            {"score": 1, "inner": [], "shares": {}, "best": 3},
            "the answer.best is 3, expected an object (Inner)",
        ),
    ],
)
def test_what_does_not_fit_is_named(body: object, where: str) -> None:
    with pytest.raises(NoAnswer) as caught:
        read(Outer, body)
    assert where in caught.value.detail


def test_plain_values() -> None:
    assert read(object, {"a": [1]}) == {"a": [1]}
    assert read(int, 3) == 3
    assert read(type(None), None) is None
    with pytest.raises(NoAnswer):
        read(int, True)
    with pytest.raises(TypeError, match="cannot be read from JSON"):
        read(set, [])
