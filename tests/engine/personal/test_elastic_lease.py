"""Leases, with an index that loses answers: no server is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.errors import ReaderStoreBusy
from engine.personal.elastic import lease
from engine.personal.elastic.access import Held, Write
from engine.personal.elastic.lease import Lease


class Lossy:
    """One document under optimistic concurrency. Of some writes the answer is lost: sent again, they are refused."""

    place = "the readers"

    def __init__(self, *lost: int) -> None:
        self.held: Held | None = None
        self._count = 0
        self._lost = lost

    def get(self, doc_id: str, routing: str) -> Held | None:
        return self.held

    def write(self, writes: Sequence[Write]) -> list[Held | None]:
        [one] = writes
        now = None if self.held is None else self.held.seq_no
        if now != (None if one.held is None else one.held.seq_no):
            return [None]
        self._count += 1
        self.held = (
            None if one.source is None else Held(one.id, one.routing, self._count, 1, dict(one.source))
        )
        return [None] if self._count in self._lost else [self.held]


def lease_on(index: Any, wait: float = 0.0) -> Lease:
    return Lease(index, "erasing", wait)


@pytest.fixture(autouse=True)
def _no_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEWED", 3600.0)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_an_answer_that_was_lost_is_no_other_holder(lost: int) -> None:
    """It was taken for one: the holder gave up, and who came in waited for itself."""
    index = Lossy(lost)
    with lease_on(index) as held:
        held.check()
        held.check()
    assert index.held is None


def test_a_holder_that_was_passed_by_gives_up_and_leaves_the_others_lease_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lease, "SILENT", 0.0)  # whoever stands still is gone
    monkeypatch.setattr(lease, "_LOOK", 0.0)
    index = Lossy()
    with lease_on(index) as first:
        with lease_on(index, wait=60.0) as second:
            with pytest.raises(ReaderStoreBusy, match="another process took over at erasing"):
                first.check()
            second.check()
        assert index.held is None
    assert index.held is None


def test_who_finds_it_taken_waits_no_longer_than_asked() -> None:
    index = Lossy()
    with lease_on(index) as first:
        with pytest.raises(ReaderStoreBusy, match="another process is at erasing all the while"):
            lease_on(index).__enter__()
        first.check()
