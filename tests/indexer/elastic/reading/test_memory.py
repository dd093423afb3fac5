"""What a reader remembers: never more than there is room for, and what was kept is what is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.elastic.reading.memory import Kept

batches = st.lists(st.dictionaries(st.integers(0, 30), st.text("ab", max_size=6), max_size=8), max_size=12)


@given(batches, st.integers(1, 20), st.booleans())
def test_no_more_than_there_is_room_for(added: list[dict[int, str]], room: int, weighed: bool) -> None:
    kept: Kept[int, str] = Kept(room, len if weighed else None)
    latest: dict[int, str] = {}
    for batch in added:
        kept.keep(batch)
        latest |= batch
        known = kept.known(range(31))
        assert (sum(map(len, known.values())) if weighed else len(known)) <= room
        assert all(latest[name] == value for name, value in known.items())
        weight = sum(map(len, batch.values())) if weighed else len(batch)
        if weight <= room:
            assert kept.known(batch) == batch


def test_all_is_known_while_there_is_room() -> None:
    kept: Kept[str, int] = Kept(3)
    for number, name in enumerate("abc"):
        kept.keep({name: number})
    assert kept.known("abcd") == {"a": 0, "b": 1, "c": 2}
    kept.keep({"d": 3})
    assert kept.known("abcd") == {"d": 3}
