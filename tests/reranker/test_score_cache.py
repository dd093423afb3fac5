"""The score cache against a plain list of what was used last."""

import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.cache import ScoreCache
from reranker.pairs import PassageText

KEYS = st.integers(0, 7).map(lambda number: bytes([number]))


@settings(max_examples=100)
@given(st.integers(0, 5), st.lists(st.tuples(st.booleans(), st.lists(KEYS, max_size=4)), max_size=20))
def test_it_forgets_what_was_not_used_for_longest(
    capacity: int, steps: list[tuple[bool, list[bytes]]]
) -> None:
    cache = ScoreCache(capacity, "m")
    kept: list[bytes] = []  # used last at the end
    for number, (put, keys) in enumerate(steps):
        if put:
            cache.put((key, (float(number), key[0])) for key in keys)
        else:
            found = [known is not None for known in cache.get(keys)]
            assert found == [key in kept for key in keys]
        for key in keys:
            if key in kept:
                kept.remove(key)
                kept.append(key)
            elif put:
                kept.append(key)
        kept = kept[len(kept) - capacity :] if len(kept) > capacity else kept
        assert len(cache) == len(kept)


PARTS = st.text(alphabet="ab\x00\ud800", max_size=3)
PASSAGES = st.builds(PassageText, PARTS, PARTS, st.lists(PARTS, max_size=2).map(tuple))


@settings(max_examples=300)
@given(st.tuples(PARTS, PASSAGES, PARTS), st.tuples(PARTS, PASSAGES, PARTS))
def test_two_keys_are_the_same_only_for_the_same_query_passage_and_model(
    one: tuple[str, PassageText, str], other: tuple[str, PassageText, str]
) -> None:
    def key(query: str, passage: PassageText, model: str) -> bytes:
        return ScoreCache(1, model.encode("ascii", "ignore").hex()).keys(query, [passage])[0]

    def model(text: str) -> bytes:
        return text.encode("ascii", "ignore")

    same = one[:2] == other[:2] and model(one[2]) == model(other[2])
    assert (key(*one) == key(*other)) == same


def test_threads_may_share_it() -> None:
    cache = ScoreCache(50, "m")
    wrong: list[object] = []

    def work(seed: int) -> None:
        for step in range(300):
            number = (seed * 31 + step * 17) % 120
            key = number.to_bytes(2, "big")
            cache.put([(key, (float(number), number))])
            for known in cache.get([key]):
                if known not in (None, (float(number), number)):
                    wrong.append(known)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(cache) == 50
