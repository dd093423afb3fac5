"""What readers say of themselves: interests in their own words, and interests turned off.

Each function works inside its caller's transaction.
"""

from __future__ import annotations

import math
import sqlite3
from datetime import datetime

from engine.errors import InvalidProfileChange
from engine.event import in_utc, microseconds, name_fault
from engine.personal.admission import is_ahead
from engine.personal.erasing import removed
from engine.personal.recording import known_reader, next_change, reader_number, touch

MOST_DECLARED = 100
LONGEST_DECLARED = 1_000


def checked_words(text: str) -> str:
    """Return the words of an interest, with single spaces between them.

    Raises:
        InvalidProfileChange: there are none, or too many.
    """
    words = " ".join(text.split()) if isinstance(text, str) else text
    fault = name_fault(words, LONGEST_DECLARED)
    if fault:
        raise InvalidProfileChange(f"the text of an interest {fault}")
    return words


def check_interest(weight: float, at: datetime | None) -> None:
    """Raise what keeps an interest from being declared.

    Raises:
        InvalidProfileChange: the weight is not finite and over 0, or the time is over a day ahead.
    """
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise InvalidProfileChange(f"the weight of an interest is a number over 0, found {weight!r:.40}")
    if at is not None and is_ahead(in_utc(at)):
        raise InvalidProfileChange(f"an interest is declared now or earlier, found {at.isoformat()}")


def declare(
    connection: sqlite3.Connection, user_id: str, words: str, weight: float, at: datetime | None
) -> None:
    """Add an interest, or change its weight and time.

    Raises:
        InvalidProfileChange: there are 100 already.
    """
    change = next_change(connection)
    number = known_reader(connection, user_id, change)
    connection.execute(
        "INSERT INTO declared VALUES (?, ?, ?, ?)"
        " ON CONFLICT (reader, text) DO UPDATE SET at = excluded.at, weight = excluded.weight",
        (number, words, microseconds(at), float(weight)),
    )
    [count] = connection.execute("SELECT count(*) FROM declared WHERE reader = ?", (number,)).fetchone()
    if count > MOST_DECLARED:
        raise too_many(user_id)
    touch(connection, number, change)


def undeclare(connection: sqlite3.Connection, user_id: str, words: str) -> bool:
    """Take an interest back; return whether there was one of these words."""
    number = reader_number(connection, user_id)
    connection.execute("DELETE FROM muted WHERE reader = ? AND name = ?", (number, words))
    return _taken(connection, number, "DELETE FROM declared WHERE reader = ? AND text = ?", words)


def mute(connection: sqlite3.Connection, user_id: str, name: str) -> bool:
    """Turn an interest off; return whether it was on.

    Raises:
        InvalidProfileChange: the reader neither met a document of that id nor declared these words.
    """
    number = reader_number(connection, user_id)
    if not _has(connection, number, name):
        raise no_such_interest(user_id, name)
    off = connection.execute("INSERT OR IGNORE INTO muted VALUES (?, ?)", (number, name)).rowcount > 0
    if off:
        touch(connection, number, next_change(connection))
    return off


def unmute(connection: sqlite3.Connection, user_id: str, name: str) -> bool:
    """Turn an interest on again; return whether it was off."""
    number = reader_number(connection, user_id)
    return _taken(connection, number, "DELETE FROM muted WHERE reader = ? AND name = ?", name)


def no_such_interest(user_id: str, name: str) -> InvalidProfileChange:
    """Return the error of muting what is not there."""
    return InvalidProfileChange(
        f"reader {user_id!r:.80} has met no document and declared no interest {name!r:.80}; name one that the "
        "reader's profile lists"
    )


def too_many(user_id: str) -> InvalidProfileChange:
    """Return the error of declaring more than there may be."""
    return InvalidProfileChange(
        f"{user_id!r:.80} has declared {MOST_DECLARED} interests already; take one back first"
    )


def _taken(connection: sqlite3.Connection, number: int, statement: str, name: str) -> bool:
    taken = connection.execute(statement, (number, name)).rowcount > 0
    if taken:
        removed(connection, number)
    return taken


def _has(connection: sqlite3.Connection, number: int, name: str) -> bool:
    declared = connection.execute(
        "SELECT 1 FROM declared WHERE reader = ? AND text = ?", (number, name)
    ).fetchone()
    met = connection.execute(
        "SELECT 1 FROM events e JOIN documents d ON d.number = e.document WHERE d.doc_id = ? AND e.reader = ? LIMIT 1",
        (name, number),
    ).fetchone()
    return declared is not None or met is not None
