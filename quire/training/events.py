"""What a run tells while it goes on: `Doing`, `Noted`, and the `Progressed` of `reranker.training`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from reranker.training import Progressed


@dataclass(frozen=True, slots=True)
class Doing:
    """How far a step before training has come.

    Args:
        what: The step, in words.
        done: How much of it is done.
        total: How much there is; 0 where nobody knows.
    """

    what: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Noted:
    """Something to be kept on the screen.

    Args:
        text: A sentence or more.
        warning: Whether it is something that may be wrong.
    """

    text: str
    warning: bool = False


Tell: TypeAlias = "Callable[[Doing | Noted | Progressed], None]"


def silent(event: Doing | Noted | Progressed) -> None:
    """Tell nobody."""
