"""The pool: what is refused, what is given up, and what work is told of the load."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import SearchSettings
from engine.service.pool import LESS, NONE, Pool, Pressure
from engine.service.problems import Problem


class Gate:
    """Work that begins, says so, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let = threading.Event()
        self.seen: list[Pressure] = []
        self.gave_up = threading.Event()

    def __call__(self, pressure: Pressure) -> str:
        self.seen.append(pressure)
        self.begun.set()
        assert self.let.wait(30)
        if pressure.cancelled():
            self.gave_up.set()
        return "done"


class Told:
    """Stands for the metrics."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.waits = 0
        self.counts: tuple[int, int] = (0, 0)

    def pool(self, *, waiting: int, working: int) -> None:
        self.counts = (waiting, working)

    def waited(self, seconds: float) -> None:
        assert seconds >= 0
        self.waits += 1

    def refused(self, reason: str) -> None:
        self.reasons.append(reason)


async def begun(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.begun.wait, 30)


def with_pool(test: Callable[[Pool, Told], object], threads: int, queue: int, seconds: float = 30) -> None:
    """Run a coroutine function with a pool; all that it counts is at nothing in the end."""
    told = Told()
    pool = Pool(threads, queue, seconds, told)
    try:
        asyncio.run(test(pool, told))  # type: ignore[arg-type]
    finally:
        pool.close()
    assert (pool.waiting, pool.working) == (0, 0)
    assert told.counts == (0, 0)


def test_beyond_the_queue_it_is_refused_at_once() -> None:
    async def test(pool: Pool, told: Told) -> None:
        gate = Gate()
        first = asyncio.create_task(pool.run(gate))
        await begun(gate)
        waiting = [asyncio.create_task(pool.run(lambda pressure: "later")) for _ in range(2)]
        await asyncio.sleep(0)
        assert (pool.waiting, pool.working) == (2, 1)
        with pytest.raises(Problem) as refused:
            await pool.run(lambda pressure: "never")
        assert refused.value.status == 503
        assert refused.value.kind == "overloaded"
        assert int(refused.value.headers["Retry-After"]) >= 1
        gate.let.set()
        assert await first == "done"
        assert await asyncio.gather(*waiting) == ["later", "later"]
        assert told.reasons == ["full"]
        assert told.waits == 3

    with_pool(test, 1, 2)


def test_without_a_queue_there_is_still_a_thread() -> None:
    async def test(pool: Pool, told: Told) -> None:
        assert await pool.run(lambda pressure: 5) == 5

    with_pool(test, 1, 0)


def test_what_begins_is_told_how_much_waits() -> None:
    """With one thread, each that begins has those behind it that came after."""

    async def test(pool: Pool, told: Told) -> None:
        gate = Gate()
        first = asyncio.create_task(pool.run(gate))
        await begun(gate)
        later = [asyncio.create_task(pool.run(lambda pressure: pressure.level)) for _ in range(NONE + 4)]
        await asyncio.sleep(0)
        gate.let.set()
        await first
        levels = await asyncio.gather(*later)
        behind = range(NONE + 3, -1, -1)
        assert levels == [2 if n >= NONE else 1 if n >= LESS else 0 for n in behind]
        assert gate.seen[0].level == 0

    with_pool(test, 1, 20)


@pytest.mark.parametrize("threads", [1, 2, 4, 8, 32, 128])
@pytest.mark.parametrize("queue", [4, 8, 64, 1000])
def test_searches_become_lighter_in_two_steps_before_any_is_refused(threads: int, queue: int) -> None:
    """However many threads there are: three, and twelve, waiting for each of 8 would be more than the queue takes."""

    async def test(pool: Pool, told: Told) -> None:
        gate = Gate()
        running = [asyncio.create_task(pool.run(gate)) for _ in range(threads)]
        await asyncio.sleep(0)
        while pool.working < threads:
            await asyncio.sleep(0.001)
        levels = [pool.level]
        waiting = []
        for _ in range(queue):
            waiting.append(asyncio.create_task(pool.run(lambda pressure: None)))
            await asyncio.sleep(0)
            levels.append(pool.level)
        assert not told.reasons
        assert levels == sorted(levels)
        assert set(levels) == {0, 1, 2}
        gate.let.set()
        await asyncio.gather(*running, *waiting)

    with_pool(test, threads, queue)


def test_cancelled_work_stops_and_waiting_work_never_begins() -> None:
    async def test(pool: Pool, told: Told) -> None:
        gate, second = Gate(), Gate()
        working = asyncio.create_task(pool.run(gate))
        await begun(gate)
        waiting = asyncio.create_task(pool.run(second))
        await asyncio.sleep(0)
        for task in (waiting, working):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert pool.waiting == 0
        assert gate.seen[0].cancelled()
        gate.let.set()
        assert await asyncio.to_thread(gate.gave_up.wait, 30)
        assert await pool.run(lambda pressure: "next") == "next"
        assert not second.begun.is_set()

    with_pool(test, 1, 5)


def test_what_takes_too_long_is_given_up() -> None:
    async def test(pool: Pool, told: Told) -> None:
        gate = Gate()
        with pytest.raises(Problem) as late:
            await pool.run(gate)
        assert late.value.status == 503
        assert late.value.kind == "timed-out"
        assert "Retry-After" in late.value.headers
        gate.let.set()
        assert await asyncio.to_thread(gate.gave_up.wait, 30)
        assert told.reasons == ["late"]

    with_pool(test, 1, 5, seconds=0.01)


def test_an_error_of_the_work_is_the_works_own() -> None:
    class Own(Exception):
        pass

    async def test(pool: Pool, told: Told) -> None:
        for kind in (Own, TimeoutError, KeyError):

            def fail(pressure: Pressure, kind: type[Exception] = kind) -> None:
                raise kind("said")

            with pytest.raises(kind, match="said"):
                await pool.run(fail)

    with_pool(test, 2, 5)


def test_a_closed_pool_says_so() -> None:
    async def test(pool: Pool, told: Told) -> None:
        pool.close()
        with pytest.raises(Problem) as stopping:
            await pool.run(lambda pressure: 1)
        assert stopping.value.kind == "stopping"

    with_pool(test, 1, 1)


def test_what_waits_when_it_closes_is_told() -> None:
    async def test(pool: Pool, told: Told) -> None:
        gate = Gate()
        first = asyncio.create_task(pool.run(gate))
        await begun(gate)
        second = asyncio.create_task(pool.run(lambda pressure: 1))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(pool.close))
        with pytest.raises(Problem) as stopping:
            await second
        assert stopping.value.kind == "stopping"
        gate.let.set()
        assert await first == "done"
        await closing

    with_pool(test, 1, 1)


@given(
    st.lists(st.sampled_from(["run", "fail", "cancel"]), max_size=25), st.integers(1, 3), st.integers(0, 4)
)
@settings(max_examples=25)
def test_nothing_is_ever_lost(kinds: list[str], threads: int, queue: int) -> None:
    """Whatever happens, each caller has an outcome, and in the end nothing waits."""

    async def test(pool: Pool, told: Told) -> None:
        def fail(pressure: Pressure) -> None:
            raise KeyError

        tasks = []
        for kind in kinds:
            tasks.append(asyncio.create_task(pool.run(fail if kind == "fail" else lambda pressure: 1)))
            if kind == "cancel":
                await asyncio.sleep(0)
                tasks[-1].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for kind, outcome in zip(kinds, outcomes, strict=True):
            if isinstance(outcome, Problem):
                assert outcome.kind == "overloaded"
            elif kind == "fail":
                assert isinstance(outcome, KeyError)
            else:
                assert outcome == 1 or kind == "cancel"

    with_pool(test, threads, queue)


@given(st.integers(0, 1000))
def test_pressure_leaves_a_quarter_or_nothing_to_rerank(depth: int) -> None:
    wanted = SearchSettings(rerank_depth=depth)
    assert Pressure(0).settings(wanted) == wanted
    less = Pressure(1).settings(wanted).rerank_depth
    assert less == (0 if depth == 0 else max(1, depth // 4))
    assert Pressure(2).settings(wanted).rerank_depth == 0
