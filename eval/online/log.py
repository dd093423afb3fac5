"""A log of searches: what was shown, and what was clicked. JSON lines, one impression a line.

    {"query_id": "q1", "user_id": "u1", "at": "2026-11-22T10:00:00Z", "shown": ["d4", "d1", "d7"], "clicks": ["d1"]}

A log of randomised rankings has, besides, `propensity`, the chance that the logging system had to show just
this list, or `propensities`, the chance of each document at its place; a log of interleaved rankings has
`teams`, the system that each place came from (`A`, `B`, or `-` for both), or `shares`, how much of it is A's.
What cannot have happened is left out and reported; so is what came twice. One reader's flood is reported.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from eval.errors import FormatError

ProblemKind: TypeAlias = Literal["malformed", "impossible", "duplicate", "flood"]

_MALFORMED_SHARE = 0.01  # more lines than this that cannot be read, and it is no log
_FLOOD_SHARE = 0.05  # of all impressions, by one reader,
_FLOOD_TIMES = 10  # and so many times what a reader in the middle has,
_FLOOD_LEAST = 50  # and not fewer than this
_TEAMS = {"A": 1.0, "B": 0.0, "-": 0.5}


@dataclass(frozen=True, slots=True)
class Impression:
    """One list that one reader saw.

    Args:
        query_id: What was asked: the `query_id` of the record, or else its `query`.
        shown: Documents, best first.
        clicks: Places of `shown` that were clicked, from 0, ascending, each once.
        user_id: Who asked; None where the log does not say.
        at: When; None where the log does not say.
        propensity: The chance that the logging system had to show exactly this list; None where unknown.
        propensities: The chance of each document to be at its place; empty where unknown.
        target: The chance that the system to be judged has to show this list; None where unknown.
        targets: The same for each document at its place; empty where unknown.
        shares: How much of each place's credit is system A's, 0 to 1; empty outside interleaving.
        line: Where it is in the file; 0 where it comes from none.
    """

    query_id: str
    shown: tuple[str, ...]
    clicks: tuple[int, ...] = ()
    user_id: str | None = None
    at: datetime | None = None
    propensity: float | None = None
    propensities: tuple[float, ...] = ()
    target: float | None = None
    targets: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a log: what kind, on which line (0: the whole file), and what was found."""

    kind: ProblemKind
    line: int
    found: str


@dataclass(frozen=True, slots=True)
class Log:
    """What a file holds: the impressions that can have happened, and what was wrong with it."""

    impressions: tuple[Impression, ...]
    problems: tuple[Problem, ...] = ()
    floods: frozenset[str] = frozenset()

    def without_floods(self) -> tuple[Impression, ...]:
        """Return the impressions of all readers but those who flood the log."""
        return tuple(seen for seen in self.impressions if seen.user_id not in self.floods)


class _Unusable(Exception):
    """A record that is left out."""

    def __init__(self, kind: ProblemKind, found: str) -> None:
        self.kind = kind
        super().__init__(found)


def read_log(path: str | Path) -> Log:
    """Read a log of impressions, gzipped where its name ends in .gz.

    Raises:
        FormatError: more than one line in a hundred cannot be read, or the file holds no impression.
    """
    path = Path(path)
    impressions: list[Impression] = []
    problems: list[Problem] = []
    seen: dict[object, int] = {}
    lines = 0
    for number, line in _lines(path):
        lines += 1
        try:
            record = _record(line)
            impression = _impression(record, number)
            _check_first(record, impression, seen)
        except _Unusable as problem:
            problems.append(Problem(problem.kind, number, str(problem)))
        else:
            impressions.append(impression)
    malformed = [problem for problem in problems if problem.kind == "malformed"]
    if malformed and (not impressions or len(malformed) > _MALFORMED_SHARE * lines):
        first = malformed[0]
        raise FormatError(
            path, first.line, f"{first.found} ({len(malformed):,} of {lines:,} lines cannot be read)"
        )
    if not impressions:
        why = f"; the first of {len(problems):,} problems: {problems[0].found}" if problems else ""
        raise FormatError(
            path, 0, f"no impression was found{why}; a line is a JSON object with shown and clicks"
        )
    floods = _floods(impressions)
    problems += [
        Problem("flood", 0, f"{count:,} of {len(impressions):,} impressions are of reader {user!r}")
        for user, count in floods.items()
    ]
    return Log(tuple(impressions), tuple(problems), frozenset(floods))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig") as file
        ):
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise FormatError(path, number + 1, f"not UTF-8 text, or cut short ({error})") from error


def _record(line: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _Unusable("malformed", f"not JSON: {error}") from error
    if not isinstance(record, dict):
        raise _Unusable("malformed", f"a JSON object was expected, found {line.strip():.60}")
    return record


def _impression(record: Mapping[str, Any], number: int) -> Impression:
    shown = _names(record, "shown")
    clicked = _names(record, "clicks")
    places = {doc_id: place for place, doc_id in enumerate(shown)}
    if len(places) != len(shown):
        twice = next(doc_id for doc_id, count in Counter(shown).items() if count > 1)
        raise _Unusable("impossible", f"document {twice!r} is shown twice in one list")
    strange = [doc_id for doc_id in clicked if doc_id not in places]
    if strange:
        raise _Unusable("impossible", f"a click on {strange[0]!r}, which was not shown")
    if not shown:
        raise _Unusable("impossible", "an impression that shows nothing")
    user, size = record.get("user_id"), len(shown)
    if user is not None and (isinstance(user, bool) or not isinstance(user, str | int)):
        raise _Unusable("malformed", f"user_id is a string, found {user!r:.60}")
    return Impression(
        query_id=_query(record),
        shown=shown,
        clicks=tuple(sorted({places[doc_id] for doc_id in clicked})),
        user_id=None if user is None else str(user),
        at=_time(record.get("at")),
        propensity=_chance(record, "propensity", 0.0),
        propensities=_chances(record, "propensities", size, 0.0),
        target=_chance(record, "target"),
        targets=_chances(record, "targets", size),
        shares=_chances(record, "shares", size) or _teams(record, size),
        line=number,
    )


def _names(record: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = record.get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _Unusable("malformed", f"{key} is a list of document ids, found {names!r:.60}")
    return tuple(names)


def _query(record: Mapping[str, Any]) -> str:
    query = record.get("query_id", record.get("query"))
    if isinstance(query, bool) or not isinstance(query, str | int):
        raise _Unusable("malformed", f"query_id (or query) is a string, found {query!r:.60}")
    return str(query)


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else _epoch(value)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise _Unusable(
            "malformed", f"at is a time (ISO 8601, or seconds since 1970), found {value!r:.60}"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _epoch(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    return datetime.fromtimestamp(value, UTC)


def _chance(record: Mapping[str, Any], key: str, above: float = -1.0) -> float | None:
    value = record.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unusable("malformed", f"{key} is a number, found {value!r:.60}")
    if not (max(above, 0.0) <= value <= 1.0 and value > above):
        least = "more than 0" if above == 0 else "at least 0"
        raise _Unusable("impossible", f"{key} is {value:g}; a chance is {least} and at most 1")
    return float(value)


def _chances(record: Mapping[str, Any], key: str, size: int, above: float = -1.0) -> tuple[float, ...]:
    values = record.get(key)
    if values is None:
        return ()
    if not isinstance(values, list):
        raise _Unusable("malformed", f"{key} is a list of numbers, found {values!r:.60}")
    _check_length(key, values, size)
    found = tuple(_chance({key: value}, key, above) for value in values)
    if any(value is None for value in found):
        raise _Unusable("malformed", f"{key} has a null among its numbers")
    return tuple(value for value in found if value is not None)


def _teams(record: Mapping[str, Any], size: int) -> tuple[float, ...]:
    teams = record.get("teams")
    if teams is None:
        return ()
    if not isinstance(teams, list) or not all(isinstance(team, str) and team in _TEAMS for team in teams):
        raise _Unusable("malformed", f"teams is a list of 'A', 'B' and '-', found {teams!r:.60}")
    _check_length("teams", teams, size)
    return tuple(_TEAMS[team] for team in teams)


def _check_length(key: str, values: Sequence[object], size: int) -> None:
    if len(values) != size:
        raise _Unusable("impossible", f"{key} has {len(values)} values for {size} documents shown")


def _check_first(record: Mapping[str, Any], impression: Impression, seen: dict[object, int]) -> None:
    """Refuse what came before: the same impression_id, or the same reader, query, list and moment."""
    name = record.get("impression_id")
    key: object
    if isinstance(name, str | int):
        key = name
    elif impression.user_id is not None and impression.at is not None:
        key = (impression.user_id, impression.query_id, impression.at, impression.shown)
    else:
        return  # without a name or a moment, the same again may be another search
    first = seen.setdefault(key, impression.line)
    if first != impression.line:
        raise _Unusable("duplicate", f"the same impression as line {first}")


def _floods(impressions: Sequence[Impression]) -> dict[str, int]:
    counts = Counter(seen.user_id for seen in impressions if seen.user_id is not None)
    if len(counts) < 2:
        return {}
    ordered = sorted(counts.values())
    least = max(_FLOOD_LEAST, _FLOOD_SHARE * len(impressions), _FLOOD_TIMES * ordered[len(ordered) // 2])
    return {user: count for user, count in counts.most_common() if count > least}
