"""What readers had met before a list was shown, and how much each document of it counts."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import translated
from engine.personal.history import UNTIMED, History, Row, history_of
from engine.personal.settings import PersonalSettings
from engine.personal.weighing import weigh
from quire.training.events import Doing, Tell

if TYPE_CHECKING:
    from quire.training.impression_source import ImpressionSource


class Pasts:
    """Histories by reader.

    Args:
        histories: What each reader did.
        settings: What each kind of event counts, and how it fades: as in a search.
    """

    def __init__(self, histories: Mapping[str, History], settings: PersonalSettings | None = None) -> None:
        self._histories = histories
        self._settings = settings or PersonalSettings()
        self._untimed: set[str] = set()
        self._late: set[str] = set()

    @classmethod
    def read(cls, source: ImpressionSource, readers: Set[str], tell: Tell) -> Pasts:
        """Return the histories of some readers: from files of events, or from what the index knows of its readers.

        Raises:
            EvalError: a file cannot be read.
            SearchError: what the index knows cannot be read.
        """
        tell(Doing("reading what readers did"))
        if source.events:
            return cls(_from_files(source.events, readers))
        from indexer.opening import place_of
        from quire.readers_option import open_readers

        store = open_readers(place_of(source.index), source.tenant)
        with translated(), store:
            return cls({reader: store.history(reader) for reader in sorted(readers)})

    def before(self, reader: str | None, at: datetime | None) -> Mapping[str, float]:
        """Return what each document counts that a reader had met before a moment; below 0 for one that was disliked.

        Without a moment everything counts. With one, events without a time do not: nobody knows whether they were
        earlier.
        """
        history = self._histories.get(reader) if reader is not None else None
        if reader is None or history is None or not len(history):
            return {}
        timed = ~np.isnan(history.at)
        if at is None:
            if timed.any():
                self._late.add(reader)
            moment, until = float(history.at[timed].max(initial=0.0)), None
        else:
            moment = until = at.timestamp()
            if not timed.all():
                self._untimed.add(reader)
                history = _only(history, timed)
        weighed = weigh(history, self._settings, moment, until)
        return dict(zip(weighed.doc_ids, weighed.weights.tolist(), strict=True))

    def notes(self) -> list[str]:
        """Return what is odd about the histories, in sentences."""
        found = []
        if self._untimed:
            found.append(
                f"events without a time are left out ({len(self._untimed):,} readers): nobody knows whether they were "
                "earlier than the lists, which have a time"
            )
        if self._late:
            found.append(
                f"lists without a time are given all that their readers ever did ({len(self._late):,} readers), also "
                "what came after; give the log times (at)"
            )
        return found


def _from_files(paths: tuple[str, ...], readers: Set[str]) -> dict[str, History]:
    from eval.personal import read_events

    rows: dict[str, set[tuple[Row, str]]] = {}
    for path in paths:
        for number, event in enumerate(read_events(path)):
            if event.user_id in readers:
                ticks = UNTIMED if event.at is None else round(event.at.timestamp() * 1e6)
                same = getattr(event, "identity", "") or f"{path}:{number}"
                rows.setdefault(event.user_id, set()).add(
                    ((ticks, event.doc_id, event.kind, event.weight), same)
                )
    return {user: history_of(1, sorted(row for row, _ in own)) for user, own in rows.items()}


def _only(history: History, kept: np.ndarray) -> History:
    places = np.flatnonzero(kept).tolist()
    return replace(
        history,
        doc_ids=tuple(history.doc_ids[n] for n in places),
        kinds=tuple(history.kinds[n] for n in places),
        at=history.at[kept],
        weights=history.weights[kept],
    )
