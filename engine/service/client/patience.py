"""`Patience`: whether a request that failed is sent again, and after how long."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from engine.service.client.errors import Busy, NoAnswer, ServiceProblem, TooMany


@dataclass(frozen=True)
class Patience:
    """How often, and how long.

    Args:
        retries: How many times at most a request is sent again.
        longest: Seconds to wait for one of them at most; where the service asks for more, its error is raised at once.
        first: Seconds to wait before the first, where the service does not say; twice as many before each later one.
        chance: Spreads the waits, so that those who were refused together do not come back together.
    """

    retries: int = 3
    longest: float = 30.0
    first: float = 0.25
    chance: random.Random = field(default_factory=random.Random, repr=False, compare=False)

    def wait(self, attempt: int, problem: ServiceProblem, repeatable: bool) -> float | None:
        """Return in how many seconds to ask again; None for not at all.

        Args:
            attempt: How many times it was sent again already.
            problem: What came of it the last time.
            repeatable: Whether being sent twice does no more than being sent once.
        """
        if not repeatable or attempt >= self.retries or not isinstance(problem, TooMany | Busy | NoAnswer):
            return None
        if isinstance(problem, NoAnswer) and problem.kind != "unreachable":
            return None
        spread = self.chance.random()
        if problem.retry_after is not None:
            # Never sooner than it was asked to, and at most a quarter later.
            least = problem.retry_after
            return None if least > self.longest else min(least * (1 + spread / 4), max(least, self.longest))
        return min(self.first * float(2**attempt) * (0.5 + spread), self.longest)
