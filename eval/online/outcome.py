"""Who won an interleaving experiment: credit of clicks, impressions won, readers won, and what that proves."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from eval.errors import InvalidEvaluation
from eval.online.intervals import LEVEL, rate_interval, sign_p_value, t_p_value, t_quantile
from eval.online.log import Impression

_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class InterleavingOutcome:
    """What the clicks on interleaved lists say of systems A and B.

    An impression is won by the system with more credit for its clicks. A reader's share is the mean over their
    impressions with clicks, a win counting 1 for A, a tie one half; a reader with many searches counts as one.

    Args:
        impressions: Lists shown.
        clicked: Of these, with a click.
        wins_a: Impressions that A won.
        wins_b: Impressions that B won.
        credit_a: A's share of the credit of all clicks.
        readers: Readers with a click; where the log names no reader, each impression counts as one.
        readers_a: Of these, those with more wins of A than of B.
        readers_b: Of these, those with more wins of B.
        share_a: The mean over readers of A's share of wins; one half is a draw.
        low: Lower end of its interval (t over readers).
        high: Upper end.
        p_value: Of no difference, by t over readers; by the binomial test where all have the same share.
        p_sign: Of no difference, by the exact binomial test over readers who prefer one.
        level: Of the interval, and 1 - level is where p is taken for proof.
    """

    impressions: int
    clicked: int
    wins_a: int
    wins_b: int
    credit_a: float
    readers: int
    readers_a: int
    readers_b: int
    share_a: float
    low: float
    high: float
    p_value: float
    p_sign: float
    level: float = LEVEL

    @property
    def ties(self) -> int:
        """Impressions with clicks that neither won."""
        return self.clicked - self.wins_a - self.wins_b

    @property
    def winner(self) -> str:
        """`A` or `B`; empty where neither is shown to be better."""
        if self.p_value >= 1.0 - self.level:
            return ""
        return "A" if self.share_a > 0.5 else "B"

    def words(self, a: str = "A", b: str = "B") -> str:
        """Return the outcome in one or two sentences."""
        span = f"{self.level:.0%} interval {self.low:.1%} to {self.high:.1%}"
        won = f"{a} wins {self.share_a:.1%} of a reader's searches, ties counting half"
        said = f"{won} ({span}, p = {self.p_value:.3g})."
        if self.winner:
            better, worse = (a, b) if self.winner == "A" else (b, a)
            return f"{better} is better than {worse}: {said}"
        if self.readers < 2:
            return f"One reader alone proves nothing: {a} wins {self.share_a:.1%}. Collect clicks of more readers."
        reach = max(self.high - 0.5, 0.5 - self.low)
        return f"No difference is shown: {said} A difference of up to {reach:.1%} either way is not excluded."


def analyse_interleaving(impressions: Iterable[Impression], level: float = LEVEL) -> InterleavingOutcome:
    """Return which system the clicks prefer.

    Credit, wins and ties as Radlinski, Kurup and Joachims (CIKM 2008) count them; impressions without a click are
    left out, for they say nothing of either.

    Raises:
        InvalidEvaluation: an impression has neither teams nor shares, or there is no click.
        MissingDependency: scipy is not installed.
    """
    total = clicked = clicks = 0
    credit = 0.0
    wins: defaultdict[Hashable, list[float]] = defaultdict(list)
    for seen in impressions:
        total += 1
        if not seen.shares:
            raise InvalidEvaluation(
                f"line {seen.line}: an impression without teams; a log of interleaving says of each place which "
                "system it came from (teams: A, B or -) or how much of it is A's (shares)"
            )
        if not seen.clicks:
            continue
        clicked += 1
        clicks += len(seen.clicks)
        ours = math.fsum(seen.shares[place] for place in seen.clicks)
        credit += ours
        lead = 2 * ours - len(seen.clicks)
        reader: Hashable = ("line", total) if seen.user_id is None else seen.user_id
        wins[reader].append(0.5 if abs(lead) < _TIE else float(lead > 0))
    if not clicked:
        raise InvalidEvaluation("the log has no click, and without clicks neither system can win")
    everything = [score for scores in wins.values() for score in scores]
    shares = np.array([math.fsum(scores) / len(scores) for scores in wins.values()])
    mean, readers = float(shares.mean()), len(shares)
    readers_a, readers_b = int((shares > 0.5 + _TIE).sum()), int((shares < 0.5 - _TIE).sum())
    p_sign = sign_p_value(readers_a, readers_b)
    error = float(shares.std(ddof=1)) / math.sqrt(readers) if readers > 1 else math.inf
    if error > 0:
        reach = t_quantile(level, readers - 1) * error
        low, high = max(0.0, mean - reach), min(1.0, mean + reach)
        p_value = t_p_value((mean - 0.5) / error, readers - 1)
    else:  # all readers alike: t knows no doubt then, the binomial does
        low, high = rate_interval(mean * readers, readers, readers, level)
        p_value = p_sign
    return InterleavingOutcome(
        impressions=total,
        clicked=clicked,
        wins_a=sum(score == 1.0 for score in everything),
        wins_b=sum(score == 0.0 for score in everything),
        credit_a=credit / clicks,
        readers=readers,
        readers_a=readers_a,
        readers_b=readers_b,
        share_a=mean,
        low=low,
        high=high,
        p_value=p_value,
        p_sign=p_sign,
        level=level,
    )
