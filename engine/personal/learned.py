"""Weights that were learnt from a tenant's clicks: kept beside that tenant's readers, and heeded by searches.

It holds sums over all readers and names none of them.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from engine.errors import ReaderStoreError
from engine.personal.settings import PersonalSettings
from indexer.local.durable import replace_atomically

FORMAT = 1
_MOST = 100.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Learned:
    """What clicks say that interests should count.

    Args:
        weight: In place of `PersonalSettings.weight`.
        together: In place of `PersonalSettings.together`.
        facts: What they were learnt from and what they gain, as it was measured; plain values.
    """

    weight: float
    together: float
    facts: Mapping[str, object] = field(default_factory=dict)

    def applied(self, settings: PersonalSettings) -> PersonalSettings:
        """Return the settings with these weights."""
        return replace(settings, weight=self.weight, together=self.together)


def as_learned(score: float, near: float, together: float) -> Learned | None:
    """Return weights of the three terms as settings; None where the clicks do not follow the score at all.

    Only ratios count for an order, and the score keeps the weight of 1.
    """
    if score <= 0:
        return None
    near, together = near / score, together / score
    if near <= 0 < together:
        near = together / _MOST
    return Learned(min(near, _MOST), min(together / near, _MOST) if near > 0 else 0.0)


def over(settings: PersonalSettings, learned: Learned | None) -> PersonalSettings:
    """Return settings with what was learnt in the place of what was set, unless they say that it does not count."""
    return learned.applied(settings) if learned is not None and settings.learned else settings


class LearnedWeights:
    """The weights in a tenant's file as they stand now: it is read again when it has changed.

    Args:
        path: The file, which need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[int, Learned | None] = (0, None)

    def in_use(self) -> Learned | None:
        """Return the weights; None where there are none, or none that can be read (the log says so)."""
        try:
            changed = self.path.stat().st_mtime_ns
        except OSError:
            return None
        stamp, learned = self._known
        if stamp != changed:
            try:
                learned = read_learned(self.path)
            except ReaderStoreError as error:
                _log.warning("%s", error)
                learned = None
            self._known = (changed, learned)
        return learned


def path_of(folder: Path, tenant: str) -> Path:
    """Return where the weights of a tenant are kept, in the folder of readers."""
    return folder / f"{tenant}.weights.json"


def read_learned(path: Path) -> Learned | None:
    """Return the weights in a file; None where there is none.

    Raises:
        ReaderStoreError: it cannot be read, or is not one of these files.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReaderStoreError(f"{path} cannot be read: {error}; delete it, and learn again") from error
    return learned_from_json(content, str(path))


def learned_from_json(content: bytes | str, place: str) -> Learned:
    """Return the weights that `learned_to_json` wrote.

    Raises:
        ReaderStoreError: it is something else.
    """
    try:
        found = json.loads(content)
    except ValueError as error:
        raise ReaderStoreError(f"{place} cannot be read: {error}; delete it, and learn again") from error
    values = [found.get(name) if isinstance(found, dict) else None for name in ("weight", "together")]
    if not isinstance(found, dict) or found.get("format") != FORMAT or not all(map(_usable, values)):
        raise ReaderStoreError(
            f"{place} holds no weights: expected format {FORMAT} with a weight and together from 0 to {_MOST:g}; "
            "delete it, and learn again"
        )
    return Learned(float(found["weight"]), float(found["together"]), found.get("facts", {}))


def learned_to_json(learned: Learned) -> str:
    """Return weights as they are kept."""
    return json.dumps({"format": FORMAT, **asdict(learned)}, indent=1, sort_keys=True)


def write_learned(learned: Learned, path: Path) -> None:
    """Write weights, whole or not at all."""
    replace_atomically(path, learned_to_json(learned).encode() + b"\n")


def _usable(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and 0 <= value <= _MOST
