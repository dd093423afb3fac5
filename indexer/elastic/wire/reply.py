"""What comes back from a server: an answer, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered.

    Args:
        status: Of HTTP.
        body: Read as JSON where it is some; otherwise text; None where there is none.
        retry_after: In how many seconds the server wants to be asked again, where it says so.
    """

    status: int
    body: Any
    retry_after: float | None = None


class Lost(Exception):
    """No answer came; never leaves `indexer.elastic`.

    Args:
        reason: Why, in a few words.
        sent: Whether the request may have arrived.
        again: Whether the reason may pass.
        slow: Whether it took all the time there was.
    """

    def __init__(self, reason: str, *, sent: bool, again: bool = True, slow: bool = False) -> None:
        self.reason, self.sent, self.again, self.slow = reason, sent, again, slow
        super().__init__(reason)
