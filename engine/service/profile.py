"""A reader's profile as it is shown: interests by name, with the titles and phrases that say what each is about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.personal.history import NOBODY, History

if TYPE_CHECKING:
    from engine.personal.interests import Interests
    from engine.search_engine import SearchEngine
    from engine.service.engines import Engines

PHRASES = 4
"""So many name an interest."""
READ = 12
"""Documents of an interest that phrases are taken from."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What there is to show of a reader.

    Args:
        history: What the reader did.
        interests: What was made of it; None where nothing is known.
        titles: Document to title, of those in the profile that the index has.
        phrases: Name of an interest to the phrases that its documents have in common.
    """

    history: History
    interests: Interests | None
    titles: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return it as plain values for JSON."""
        history, interests = self.history, self.interests
        return {
            "events": len(history),
            "documents": len(set(history.doc_ids)),
            "flooding": history.flooding,
            "evidence": round(interests.evidence, 6) if interests else 0.0,
            "interests": [
                {
                    "name": one.name,
                    "title": "" if one.declared else self.titles.get(one.name, ""),
                    "declared": one.declared,
                    "muted": one.muted,
                    "weight": round(one.weight, 6),
                    "session": round(one.session, 6),
                    "last": None if math.isnan(one.at) else datetime.fromtimestamp(one.at, UTC).isoformat(),
                    "keyphrases": list(self.phrases.get(one.name, ())),
                    "documents": list(one.documents),
                }
                for one in (interests.likes if interests else ())
            ],
            "disliked": list(interests.disliked.names) if interests else [],
            "hidden": sorted(interests.hidden) if interests else [],
            "muted": sorted(history.muted),
        }


def profile_of(engines: Engines, engine: SearchEngine, user_id: str) -> Profile:
    """Return what there is to show of a reader; an empty profile of somebody of whom nothing is kept.

    Args:
        engines: Has the index.
        engine: The reader's tenant's.
        user_id: Who.

    Raises:
        SearchError: the readers, or the index, cannot be read.
    """
    readers = engine.readers
    if not readers.exists or not readers.version(user_id):
        return Profile(NOBODY, None)
    history, interests = readers.history(user_id), engine.interests(user_id)
    if interests is None:  # erased just now
        return Profile(NOBODY, None)
    names = {doc_id for one in interests.likes for doc_id in (one.name, *one.documents[:READ])}
    titles = engines.titles(sorted(names | set(interests.disliked.names)))
    phrases = {}
    for one in interests.likes:
        known = [doc_id for doc_id in one.documents[:READ] if doc_id in titles]
        if known:
            phrases[one.name] = [phrase.text for phrase in engine.keyphrases(known, PHRASES)]
    return Profile(history, interests, titles, phrases)
