"""What is given out is known again, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.access.seals import Seals

OLD, NEW = b"o" * 32, b"n" * 32


def _seals(*secrets: bytes) -> Seals:
    return Seals(lambda: secrets)


@given(st.text(st.characters(max_codepoint=127)))
def test_what_was_sealed_is_opened(text: str) -> None:
    assert _seals(NEW).opened(_seals(NEW).sealed(text)) == text


@given(st.text(min_size=1), st.integers(0, 200))
def test_what_was_changed_is_not(other: str, at: int) -> None:
    sealed = _seals(NEW).sealed("50.abcdef")
    changed = sealed[:at] + other + sealed[at + len(other) :]
    assert _seals(NEW).opened(changed) == ("50.abcdef" if changed == sealed else None)


def test_a_secret_that_is_being_retired_still_opens() -> None:
    sealed = _seals(OLD).sealed("a")
    assert _seals(NEW, OLD).opened(sealed) == "a"
    assert _seals(NEW).opened(sealed) is None
    assert _seals(OLD).opened(_seals(NEW, OLD).sealed("a")) is None


@pytest.mark.parametrize("sealed", ["", ".", "a", "a.", "é.é", "a." + "0" * 24])
def test_what_has_no_seal_is_not_opened(sealed: str) -> None:
    assert _seals(NEW).opened(sealed) is None
