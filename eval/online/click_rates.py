"""Click-through rates as they are: by place, by document; the place's bias is still in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from eval.online.intervals import LEVEL, rate_interval
from eval.online.log import Impression


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something that was shown was clicked.

    Args:
        shown: Times that it was shown.
        clicks: Times that it was clicked.
        low: Lower end of the interval (Wilson).
        high: Upper end.
    """

    shown: int
    clicks: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """Clicks per time shown."""
        return self.clicks / self.shown if self.shown else 0.0


def by_place(impressions: Iterable[Impression], level: float = LEVEL) -> list[Rate]:
    """Return the rate of each place, first place first."""
    shown: defaultdict[int, int] = defaultdict(int)
    clicks: defaultdict[int, int] = defaultdict(int)
    for seen in impressions:
        for place in range(len(seen.shown)):
            shown[place] += 1
        for place in seen.clicks:
            clicks[place] += 1
    return [_rate(shown[place], clicks[place], level) for place in range(len(shown))]


def by_document(impressions: Iterable[Impression], level: float = LEVEL) -> dict[tuple[str, str], Rate]:
    """Return the rate of each (query, document), most shown first, ties in order of name."""
    shown: defaultdict[tuple[str, str], int] = defaultdict(int)
    clicks: defaultdict[tuple[str, str], int] = defaultdict(int)
    for seen in impressions:
        for doc_id in seen.shown:
            shown[seen.query_id, doc_id] += 1
        for place in seen.clicks:
            clicks[seen.query_id, seen.shown[place]] += 1
    return {
        pair: _rate(shown[pair], clicks[pair], level)
        for pair in sorted(shown, key=lambda pair: (-shown[pair], pair))
    }


def _rate(shown: int, clicks: int, level: float) -> Rate:
    return Rate(shown, clicks, *rate_interval(clicks, shown, shown, level))
