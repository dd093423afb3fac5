"""Histories read lately, so that after one event more only that one is read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.personal.history import Row

KEPT_ROWS = 100_000
"""So many events are kept in all, those of readers asked for last."""


@dataclass(slots=True)
class Recent:
    """The events of readers asked for lately. Safe to share between threads."""

    _kept: OrderedDict[str, tuple[int | str, int, list[Row]]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rows(
        self,
        user_id: str,
        key: int | str,
        version: int,
        removed: int,
        since: Callable[[int], list[Row]],
    ) -> list[Row]:
        """Return a reader's events, sorted.

        Args:
            user_id: Who.
            key: What tells the reader from one of the same id who was erased.
            version: Of the history.
            removed: The last version that took something out of it.
            since: Reads the events that later versions than one have added, unsorted; all of them after 0.
        """
        with self._lock:
            known = self._kept.get(user_id)
        if known and known[0] == key and removed <= known[1] <= version:
            new = since(known[1]) if known[1] < version else []
            rows = sorted(known[2] + new) if new else known[2]
        else:
            rows = sorted(since(0))
        with self._lock:
            self._kept[user_id] = (key, version, rows)
            self._kept.move_to_end(user_id)
            in_all = sum(len(rows) for _, _, rows in self._kept.values())
            while in_all > KEPT_ROWS and self._kept:
                in_all -= len(self._kept.popitem(last=False)[1][2])
        return rows

    def drop(self, user_id: str) -> None:
        """Keep nothing of a reader in memory."""
        with self._lock:
            self._kept.pop(user_id, None)
