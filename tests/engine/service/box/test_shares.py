"""A bar shows a ledger: widths in proportion to the terms, what speaks against a document left of zero."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.ledger import Ledger, Term
from engine.service.box.page.shares import WIDTH, bar_of, scale_of

_VALUES = st.lists(st.floats(-3, 3).map(lambda value: round(value, 4)), min_size=1, max_size=8)


def ledger(*values: float) -> Ledger:
    return cast(
        Ledger, SimpleNamespace(terms=tuple(Term(f"t{at}", value, "") for at, value in enumerate(values)))
    )


@settings(deadline=None, max_examples=200)
@given(_VALUES, _VALUES)
def test_bars_of_a_list_have_one_scale(first: list[float], second: list[float]) -> None:
    ledgers = [ledger(*first), ledger(*second)]
    scale = scale_of(ledgers)
    unit = WIDTH / sum(scale) if sum(scale) else 0.0
    for one in ledgers:
        bar = bar_of(one, scale)
        assert bar.zero == pytest.approx(scale[0] * unit, abs=0.01)
        for share, term in zip(bar.shares, one.terms, strict=True):
            assert share.width == pytest.approx(abs(term.value) * unit, abs=0.01)
            inside = (0, bar.zero) if term.value < 0 else (bar.zero, WIDTH)
            assert inside[0] - 0.05 <= share.x
            assert share.x + share.width <= inside[1] + 0.05
        edges = [(one.x, one.x + one.width) for one in bar.segments]
        assert all(high <= low + 0.05 for (_, high), (low, _) in pairwise(edges))


def test_shares_are_of_what_speaks_for_a_document() -> None:
    bar = bar_of(ledger(3.0, 1.0, -2.0, 0.0))
    assert [share.percent for share in bar.shares] == [75, 25, -50, 0]
    assert len(bar.segments) == 3


def test_a_score_of_nothing_has_an_empty_bar() -> None:
    bar = bar_of(ledger(0.0, 0.0))
    assert bar.segments == ()
    assert bar.zero == 0
