"""Words that the index does not know: what was perhaps meant."""

from __future__ import annotations

import re

from engine.snapshot import Snapshot

MAX_WORDS = 5
"""So many unknown words of a query are looked into."""

MAX_SUGGESTIONS = 3


def suggestions(text: str, wanted: str, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the query with its unknown words replaced by near ones that the index has, most likely first.

    Args:
        text: The query as it was typed.
        wanted: Its words that are to be found.
        snapshot: The index.

    Returns:
        At most `MAX_SUGGESTIONS` queries: first each word's nearest, then other readings of a single unknown
        word. Nothing when every word is known, or none has anything near it.
    """
    words = [(word, term) for word, term in snapshot.reader.analyser.words(wanted) if len(word) > 1]
    frequency = snapshot.frequencies(term for _, term in words)
    unknown = list(dict.fromkeys(word for word, term in words if not frequency[term]))[:MAX_WORDS]
    near = {
        word: [other for other, _ in snapshot.reader.spellings(word, MAX_SUGGESTIONS)] for word in unknown
    }
    near = {word: others for word, others in near.items() if others}
    if not near:
        return ()
    readings = [_replaced(text, {word: others[0] for word, others in near.items()})]
    if len(near) == 1:
        word, others = next(iter(near.items()))
        readings += [_replaced(text, {word: other}) for other in others[1:]]
    return tuple(dict.fromkeys(reading for reading in readings if reading != text))


def _replaced(text: str, replacements: dict[str, str]) -> str:
    # A word right after - or : is left alone: it is excluded, or a field's value.
    either = "|".join(re.escape(word) for word in replacements)
    return re.sub(
        rf"(?<![\w:\-])(?:{either})(?!\w)",
        lambda match: replacements.get(match.group().casefold(), match.group()),
        text,
        flags=re.IGNORECASE,
    )
