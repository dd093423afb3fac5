"""What a cross-encoder does around its network: with a network whose logits are known and a clock that it turns."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoder.scripts import Scripts
from indexer.encoder.tokens import Tokens
from reranker.cache import ScoreCache
from reranker.cross_encoder import CrossEncoder
from reranker.errors import RerankerModelError
from reranker.pairs import PassageText
from reranker.scorer import PairScorer, Remembering, Scores
from reranker.windows import Framing, Window

MAX_TOKENS = 40


class Counting:
    """A network whose logit is the largest token id of the window, and whose clock runs by the token."""

    def __init__(self, workers: int = 1, budget: int = 100, step: int = 1, per_token: float = 0.001) -> None:
        self.workers, self.budget, self.step = workers, budget, step
        self.now = 0.0
        self.per_token = per_token
        self.batches: list[list[Window]] = []
        self.lock = threading.Lock()

    def run(self, batch: Sequence[Window]) -> Scores:
        with self.lock:
            self.batches.append(list(batch))
            longest = max(len(window.ids) for window in batch)
            self.now += self.per_token * longest * len(batch)
        return np.array([logit(window) for window in batch], np.float32)


def logit(window: Window) -> float:
    return float(max(window.ids[window.second :], default=0)) + sum(window.ids) / 1e5


@pytest.fixture
def tokens(tiny: Any) -> Tokens:
    made = tiny.small_tokenizer()
    made.no_truncation()
    made.no_padding()
    return Tokens(made, MAX_TOKENS)


Make = Callable[..., CrossEncoder]


@pytest.fixture
def make(tokens: Tokens) -> Make:
    def made(network: Any, cache: int = 0, scale: float = 1.0) -> CrossEncoder:
        clock = (lambda: network.now) if isinstance(network, Counting) else None
        scorer = CrossEncoder(
            "tiny",
            "tiny:0",
            Framing(tokens, MAX_TOKENS),
            Scripts(tokens),
            network,
            ScoreCache(cache, "tiny:0"),
            scale=scale,
            **({"clock": clock} if clock else {}),
        )
        if isinstance(network, Counting):
            network.batches.clear()
        return scorer

    return made


def plain(tokens: Tokens, query: str, passages: Sequence[str | PassageText]) -> list[float]:
    """The highest logit of each passage's windows, one by one."""
    framing = Framing(tokens, MAX_TOKENS)
    texts = [PassageText(one) if isinstance(one, str) else one for one in passages]
    readings = framing.passages(framing.query(query), texts)
    return [max(map(logit, reading.windows)) for reading in readings]


ANY = st.text(alphabet="abc xyz.猫\x00\ud800\n", max_size=120)
PASSAGES = st.one_of(ANY, st.builds(PassageText, ANY, ANY, st.lists(ANY, max_size=2).map(tuple)))


@settings(max_examples=60)
@given(
    query=ANY,
    passages=st.lists(PASSAGES, max_size=12),
    workers=st.integers(1, 3),
    budget=st.sampled_from([1, 60, 1000]),
    cache=st.sampled_from([0, 3, 100]),
)
def test_scores_are_the_highest_of_each_passage_s_windows(
    tokens: Tokens, make: Make, query: str, passages: list[Any], workers: int, budget: int, cache: int
) -> None:
    network = Counting(workers, budget)
    scorer = make(network, cache)
    expected = np.array(plain(tokens, query, passages), np.float32)
    for deadline in (None, 1e9):
        for _ in range(2):
            judgement = scorer.judge(query, passages, deadline=deadline)
            assert judgement.scores.tolist() == expected.tolist()
            assert judgement.scored.all()
            assert judgement.scores.dtype == np.float32
            assert judgement.tokens_cut.dtype == np.int64
    assert scorer.score(query, passages).tolist() == expected.tolist()
    assert scorer.score(query, passages).shape == (len(passages),)


@settings(max_examples=100)
@given(
    lengths=st.lists(st.integers(0, 90), min_size=1, max_size=15),
    budget=st.floats(-0.01, 0.6),
    step=st.sampled_from([1, 50, 90]),
)
def test_a_deadline_is_kept_but_for_the_first_batch(
    tokens: Tokens, make: Make, lengths: list[int], budget: float, step: int
) -> None:
    network = Counting(step=step)
    scorer = make(network)
    passages = [
        PassageText(" ".join("abcdefghij"[place % 10] for place in range(length)), headings=("",) * number)
        for number, length in enumerate(lengths)  # alike to the network, and yet no two the same
    ]
    start = network.now
    judgement = scorer.judge("cat", passages, deadline=start + budget)
    spent = [0.001 * len(batch) * max(len(window.ids) for window in batch) for batch in network.batches]
    # the time of a token is known from the first batch on, so only that one may come too late
    assert sum(spent) <= max(budget, spent[0] if spent else 0) + 1e-9
    assert bool(spent) == (start + budget > start)
    done = judgement.scored.tolist()
    assert done == sorted(done, reverse=True)  # in the order given: a beginning is scored, the rest is not
    assert np.isnan(judgement.scores).tolist() == [not one for one in done]
    left = sum(spent) + 0.001 * MAX_TOKENS * max(1, step // MAX_TOKENS + 1)
    assert all(done) or not spent or left > budget  # time for one more would have been used


def test_at_the_deadline_a_long_passage_keeps_what_was_read(tokens: Tokens, make: Make) -> None:
    network = Counting()
    scorer = make(network, cache=10)
    passage = " ".join("abcdefghij"[place % 10] for place in range(200))
    framing = Framing(tokens, MAX_TOKENS)
    windows = framing.passages(framing.query("cat"), [PassageText(passage)])[0].windows
    judgement = scorer.judge("cat", [passage, "dog"], deadline=network.now + 0.001 * MAX_TOKENS * 2.5)
    assert judgement.scored.tolist() == [True, False]
    assert judgement.scores[0] == np.float32(max(map(logit, windows[:2])))
    assert judgement.tokens_cut.tolist() == [windows[1].unread, 0]
    whole = scorer.judge("cat", [passage, "dog"])  # what was half read was not remembered
    assert whole.scores.tolist() == np.array(plain(tokens, "cat", [passage, "dog"]), np.float32).tolist()
    assert whole.tokens_cut.tolist() == [0, 0]
    late = scorer.judge("cat", [passage, "new", "dog"], deadline=network.now - 1)
    assert late.scored.tolist() == [True, False, True]  # what is remembered costs no time
    assert late.scores[[0, 2]].tolist() == whole.scores.tolist()


def test_a_passage_too_long_for_the_deadline_is_not_even_tokenised(make: Make, tokens: Tokens) -> None:
    network = Counting()
    scorer = make(network, cache=10)
    text = "cat " * 100_000
    tokenised = 0
    original = tokens.bodies

    def counted(texts: Sequence[str]) -> list[list[int]]:
        nonlocal tokenised
        tokenised += sum(map(len, texts))
        return original(texts)

    tokens.bodies = counted  # type: ignore[method-assign]
    judgement = scorer.judge("cat", [text, "dog"], deadline=network.now + 0.06)
    assert tokenised < 70_000
    assert judgement.scored.tolist() == [True, False]
    read = len(network.batches)
    framing = Framing(tokens, MAX_TOKENS)
    windows = framing.passages(framing.query("cat"), [PassageText("cat " * 1_000)])[0].windows
    expected = 100_000 - 1_000 + windows[read - 1].unread
    assert judgement.tokens_cut[0] == pytest.approx(expected, abs=2)
    assert not any(scorer._cache.get(scorer._cache.keys("cat", [PassageText(text)])))


def test_what_is_cut_is_counted_for_each_passage(make: Make) -> None:
    scorer = make(Counting())
    room = MAX_TOKENS - 3
    query = " ".join("q" * 30)
    judgement = scorer.judge(query, ["", "a", " ".join("a" * 30), PassageText("b " * 40, " ".join("t" * 30))])
    third, quarter = room // 3, room // 4
    assert judgement.tokens_cut.tolist() == [0, 0, 30 - third, 30 - third + 30 - quarter]


def test_a_query_asked_again_reads_nothing_and_its_scores_are_the_same_bits(make: Make) -> None:
    network = Counting()
    scorer = make(network, cache=100)
    passages = ["cat", "dog", "cat", PassageText("dog", "t"), "mat " * 50]
    first = scorer.judge("x", passages)
    assert sum(map(len, network.batches)) == 3 + _windows("mat " * 50, scorer)
    network.batches.clear()
    again = scorer.judge("x", [*reversed(passages)])
    assert network.batches == []
    assert first.scores[::-1].tobytes() == again.scores.tobytes()
    assert first.tokens_cut[::-1].tolist() == again.tokens_cut.tolist()
    assert scorer.lookups == (5, 5)
    scorer.score("y", ["cat"])
    assert len(network.batches) == 1
    assert scorer.lookups == (5, 6)
    assert isinstance(scorer, Remembering)


def _windows(text: str, scorer: CrossEncoder) -> int:
    framing = scorer._framing
    return len(framing.passages(framing.query("x"), [PassageText(text)])[0].windows)


@pytest.mark.parametrize("deadline", [None, 1e9])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_call_that_is_cancelled_begins_no_batch_more(
    make: Make, deadline: float | None, workers: int
) -> None:
    network = Counting(workers, budget=1, step=1)  # each window is a batch
    scorer = make(network, cache=100)
    passages = [f"cat {word}" for word in ("dog", "mat", "on", "a", "b", "c", "x", "y")]
    judgement = scorer.judge("x", passages, deadline=deadline, cancelled=lambda: len(network.batches) >= 3)
    read = len(network.batches)
    assert 3 <= read < 3 + workers
    assert judgement.scored.sum() == read
    assert np.isnan(judgement.scores[~judgement.scored]).all()
    again = scorer.judge("x", passages)
    assert again.scored.all()
    assert scorer.lookups == (read, 2 * len(passages) - read), "what was read whole is remembered"
    assert not scorer.judge("y", passages, cancelled=lambda: True).scored.any()


def test_the_scale_is_a_factor_of_the_score(make: Make) -> None:
    one, three = (make(Counting(), scale=scale).score("x", ["cat", "dog"]) for scale in (1.0, 3.0))
    assert three.tolist() == pytest.approx((3 * one).tolist())


class Broken(Counting):
    """A network whose weights are damaged: it works for the first pair and then gives no numbers."""

    def __init__(self, value: float, workers: int = 1) -> None:
        super().__init__(workers)
        self.value = value
        self.calls = 0

    def run(self, batch: Sequence[Window]) -> Scores:
        self.calls += 1
        return super().run(batch) + np.float32(0 if self.calls == 1 else self.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("deadline", [None, 1e9])
def test_what_is_no_number_is_an_error(
    make: Make, value: float, workers: int, deadline: float | None
) -> None:
    scorer = make(Broken(value, workers), cache=10)
    with pytest.raises(RerankerModelError, match="gave a score that is no number"):
        scorer.judge("x", ["cat", "dog", "mat"] * 5, deadline=deadline)
    assert len(scorer._cache) == 0


def test_a_model_that_gives_no_number_is_refused_when_it_is_loaded(make: Make) -> None:
    class Damaged(Counting):
        def run(self, batch: Sequence[Window]) -> Scores:
            return np.full(len(batch), np.nan, np.float32)

    with pytest.raises(RerankerModelError, match="fetch or train the model again"):
        make(Damaged())


def test_batches_run_at_the_same_time(make: Make) -> None:
    meeting = threading.Barrier(3, timeout=20)

    class Meeting(Counting):
        def run(self, batch: Sequence[Window]) -> Scores:
            if self.armed:
                meeting.wait()
            return super().run(batch)

        armed = False

    network = Meeting(workers=3, budget=1)
    scorer = make(network)
    network.armed = True
    for deadline in (None, 1e9):
        passages = [f"{letter} cat" for letter in "abcdef"]
        assert scorer.judge("x", passages, deadline=deadline).scored.all()
    assert len(network.batches) == 12


def test_threads_may_share_it(tokens: Tokens, make: Make) -> None:
    scorer = make(Counting(workers=2), cache=5)
    wrong: list[object] = []

    def work(seed: int) -> None:
        for step in range(20):
            passages = [" ".join("abcdefgh"[(seed + step + place) % 8] * 3) for place in range(seed % 4)]
            expected = np.array(plain(tokens, "cat", passages), np.float32).tolist()
            found = scorer.score("cat", passages).tolist()
            if found != expected:
                wrong.append((found, expected))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_it_is_a_pair_scorer_and_knows_its_scripts(make: Make) -> None:
    scorer = make(Counting())
    assert isinstance(scorer, PairScorer)
    assert (scorer.name, scorer.fingerprint, scorer.max_tokens) == ("tiny", "tiny:0", MAX_TOKENS)
    assert scorer.reads("猫 猫 ") == 0.0
    assert scorer.reads("") == 1.0
