"""What two generations differ in, against sets; and how documents' numbers are divided among threads."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from indexer.elastic.rebuilding.differences import END, Difference, Seen, differences, ranges

Kept = st.dictionaries(st.integers(0, 20), st.tuples(st.sampled_from("abc"), st.integers(1, 3)))


@given(Kept, Kept)
def test_differences_are_those_of_sets(
    old: dict[int, tuple[str, int]], new: dict[int, tuple[str, int]]
) -> None:
    sides = [iter([Seen(number, *kept[number]) for number in sorted(kept)]) for kept in (old, new)]
    found = list(differences(*sides))
    assert found == [
        Difference(number, number in old, number in new)
        for number in sorted(old.keys() | new.keys())
        if old.get(number) != new.get(number)
    ]


@given(st.integers(1, 200))
def test_ranges_hold_every_number_once(parts: int) -> None:
    found = ranges(parts)
    assert found[0][0] == 0
    assert found[-1][1] == END
    assert all(end == first for (_, end), (first, _) in pairwise(found))
    sizes = [end - first for first, end in found]
    assert max(sizes) - min(sizes) <= 1
