"""How a reader's past counts: `PersonalSettings`, checked when made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import blake2b
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from engine.errors import InvalidSearchSettings
from engine.settings import check_number, check_whole

Read: TypeAlias = Literal["keep", "lower", "hide"]
Model: TypeAlias = Literal["several", "mean"]

KINDS = ("read=1", "click=0.5", "dwell=1", "like=2", "save=2", "dislike=-1", "hide=-1")


@dataclass(frozen=True)
class PersonalSettings:
    """How interests are made of what a reader did, and what they add to a score.

    Args:
        weight: What the interest in a document is multiplied by; 0 leaves it out.
        depth: How many documents of a list get an interest of their own; the others get the lowest.
        proposals: How many documents a reader's interests may add to a list; 0 for none.
        kinds: What an event of each kind counts, as `kind=weight`; below 0 for what the reader did not like. Kinds that
            are not named count nothing.
        half_life_days: After so many days an event counts half; None for never.
        session_minutes: Events of the last so many minutes are what the reader is after just now.
        session_share: How much of all interest, from 0 to 1, goes to those, where there are any.
        interests: `several`, each around a document of the history, or `mean`: one vector, the plain weighted mean.
        most_interests: At most so many interests are made of a history.
        together: How much it counts that other readers met a document together with those of the history.
        dislikes: How much likeness to a disliked document takes, beside what likeness to a liked one gives.
        read: What becomes of documents that the reader has met: `keep` them like any other, `lower` them to the lowest
            interest, or `hide` them.
        learned: Whether `weight` and `together` are those that `quire learn-weights` found, where it found better ones.

    Raises:
        InvalidSearchSettings: a value is of the wrong type or outside its range.
    """

    weight: float = 7.5
    depth: int = 200
    proposals: int = 50
    kinds: tuple[str, ...] = KINDS
    half_life_days: float | None = 365.0
    session_minutes: float = 120.0
    session_share: float = 0.3
    interests: Model = "several"
    most_interests: int = 12
    together: float = 1.4
    dislikes: float = 0.5
    read: Read = "keep"
    learned: bool = True

    def __post_init__(self) -> None:
        for name, low, high in (
            ("weight", 0.0, 100.0),
            ("session_minutes", 0.0, 1e6),
            ("session_share", 0.0, 1.0),
            ("together", 0.0, 100.0),
            ("dislikes", 0.0, 100.0),
        ):
            check_number(name, getattr(self, name), low, high)
        if self.half_life_days is not None:
            check_number("half_life_days", self.half_life_days, 0.001, 1e6)
        for name, low, high in (("depth", 1, 1000), ("proposals", 0, 200), ("most_interests", 1, 64)):
            check_whole(name, getattr(self, name), low, high)
        for name, choices in (("interests", get_args(Model)), ("read", get_args(Read))):
            if getattr(self, name) not in choices:
                raise InvalidSearchSettings(
                    f"{name} is one of {', '.join(choices)}; found {getattr(self, name)!r:.40}"
                )
        if not isinstance(self.learned, bool):
            raise InvalidSearchSettings(f"learned is true or false, found {self.learned!r:.40}")
        kinds: object = self.kinds
        if not isinstance(kinds, list | tuple):
            raise InvalidSearchSettings(
                f'kinds is a list such as ["read=1", "dislike=-1"], found {kinds!r:.80}'
            )
        object.__setattr__(self, "kinds", tuple(kinds))
        dict(map(_kind, self.kinds))

    @cached_property
    def kind_weights(self) -> Mapping[str, float]:
        """What an event of each kind counts."""
        return MappingProxyType(dict(map(_kind, self.kinds)))

    @cached_property
    def fingerprint(self) -> str:
        """A short hash that changes with any value."""
        return blake2b(json.dumps(asdict(self), sort_keys=True).encode(), digest_size=8).hexdigest()


def _kind(text: object) -> tuple[str, float]:
    name, _, weight = text.partition("=") if isinstance(text, str) else ("", "", "")
    try:
        value = float(weight)
    except ValueError:
        value = float("nan")
    if not name.strip() or not -1000 <= value <= 1000:
        raise InvalidSearchSettings(
            f"kinds holds kind=weight, such as read=1 or dislike=-1; found {text!r:.60}"
        )
    return name.strip(), value
