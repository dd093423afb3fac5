"""Where the lists are that an encoder is fitted to: `ImpressionSource`, checked when made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from reranker.errors import InvalidTrainingSettings


@dataclass(frozen=True, slots=True)
class ImpressionSource:
    """Where lists come from, and what is made of them.

    Args:
        index: The index whose documents were shown.
        log: What was shown and clicked, as `eval.online.read_log` reads it.
        topics: The queries' texts by their ids, as `eval.formats.read_topics` reads them; empty where the log has the
            texts itself.
        events: What readers did, as `eval.personal.read_events` reads it; none for the readers of the index itself.
        tenant: Whose readers of the index.
        history: At most so many documents of a reader's history, those that count most.
        negatives: Documents drawn from the index by chance for each list, beside those that were shown.
        eta: How much less lower places are looked at, as `reranker.data.PositionCurve` takes it; 0 for no less.
        dev: The share of the readers to choose the best weights by.
        test: The share of the readers to measure on in the end.
        seed: Of which readers those are, and of what is drawn.

    Raises:
        InvalidTrainingSettings: a value is outside its range.
    """

    index: str
    log: str
    topics: str = ""
    events: tuple[str, ...] = ()
    tenant: str = "default"
    history: int = 50
    negatives: int = 0
    eta: float = 1.0
    dev: float = 0.1
    test: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("index", "log"):
            if not getattr(self, name):
                raise InvalidTrainingSettings(f"{name} must be given; found nothing")
        if not (self.dev >= 0 and self.test >= 0 and self.dev + self.test < 1):
            raise InvalidTrainingSettings(
                f"dev and test are shares of the readers, together under 1; found {self.dev} and {self.test}"
            )
        if not (1 <= self.history <= 1000 and 0 <= self.negatives <= 1000 and 0 <= self.eta < math.inf):
            raise InvalidTrainingSettings(
                "history must be from 1 to 1000, negatives from 0 to 1000, eta at least 0; found "
                f"{self.history}, {self.negatives}, {self.eta}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return a mapping of the arguments."""
        return asdict(self)
