"""What runs a cross-encoder's network, whatever the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reranker.scorer import Scores
from reranker.windows import Window


class Network(Protocol):
    """Windows in, logits out. Safe to share between threads."""

    @property
    def workers(self) -> int:
        """How many batches it can run at the same time."""
        ...

    @property
    def budget(self) -> int:
        """Tokens of the batch that it runs fastest on, padding included."""
        ...

    @property
    def step(self) -> int:
        """Tokens of a small batch, which is nearly as fast: what is run before the clock is looked at again."""
        ...

    def run(self, batch: Sequence[Window]) -> Scores:
        """Return the logits of a batch, float32, shape (windows,).

        Raises:
            RerankerModelError: it cannot be run.
        """
        ...
