"""A reader's profile as a person reads it: the interests by name, what each rests on, what is turned off."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from quire.progress import plural
from quire.terminal import Screen, cut, harmless

if TYPE_CHECKING:
    from engine.personal.history import History
    from engine.personal.interests import Interest, Interests

SHOWN = 5  # documents and ids that are named, of however many there are
_INDENT = "     "


@dataclass(frozen=True, slots=True)
class ShownProfile:
    """What there is to show of a reader.

    Args:
        user_id: Who.
        history: What the reader did.
        interests: What was made of it.
        titles: Document to title, of those that the index has.
        phrases: Name of an interest to the phrases that its documents have in common.
    """

    user_id: str
    history: History
    interests: Interests
    titles: Mapping[str, str]
    phrases: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def unknown(self) -> list[str]:
        """The documents of the history that the index lacks."""
        return sorted(set(self.history.doc_ids) - self.titles.keys())

    @property
    def lapsed(self) -> list[str]:
        """What is turned off, and no interest at present."""
        return sorted(self.history.muted - {one.name for one in self.interests.likes})

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "user_id": self.user_id,
            "events": len(self.history),
            "documents": len(set(self.history.doc_ids)),
            "flooding": self.history.flooding,
            "evidence": round(self.interests.evidence, 6),
            "interests": [
                {
                    "name": one.name,
                    "title": self.titles.get(one.name, ""),
                    "declared": one.declared,
                    "muted": one.muted,
                    "weight": round(one.weight, 6),
                    "session": round(one.session, 6),
                    "last": _moment(one.at),
                    "keyphrases": list(self.phrases.get(one.name, ())),
                    "documents": list(one.documents),
                }
                for one in self.interests.likes
            ],
            "disliked": list(self.interests.disliked.names),
            "muted": sorted(self.history.muted),
            "unknown_documents": self.unknown,
        }


def profile_lines(profile: ShownProfile, screen: Screen) -> Iterator[str]:
    """Yield the lines of a profile."""
    history = profile.history
    met = f"{plural(len(history), 'event')} with {plural(len(set(history.doc_ids)), 'document')}"
    last = _day(max((at for at in history.at.tolist() if not math.isnan(at)), default=math.nan))
    yield screen.style(harmless(profile.user_id), "bold") + f": {met}{f', last on {last}' if last else ''}"
    if history.flooding:
        yield "More events than a person makes: each document counts once, and nothing is learnt from them for others."
    for number, interest in enumerate(profile.interests.likes, 1):
        yield ""
        yield from _interest(number, interest, profile, screen)
    if not profile.interests.likes:
        yield "Nothing of this makes an interest."
    yield from _rest(profile, screen)


def _interest(number: int, interest: Interest, profile: ShownProfile, screen: Screen) -> Iterator[str]:
    share = " off" if interest.muted else f"{interest.weight:4.0%}"
    title = f"“{interest.name}”" if interest.declared else profile.titles.get(interest.name) or interest.name
    head = f"{number:2}. {share}  "
    yield screen.style(head, "dim") + screen.style(cut(harmless(title), screen.width - len(head)), "bold")
    facts = ["declared" if interest.declared else interest.name]
    if interest.muted:
        facts.append("turned off")
    day = _day(interest.at)
    if day:
        facts.append(f"last on {day}")
    if interest.session >= 0.005:
        facts.append(f"{interest.session:.0%} of it just now")
    yield from screen.wrap([(harmless(" · ".join(facts)), False)], _INDENT)
    phrases = profile.phrases.get(interest.name, ())
    if phrases:
        yield from screen.wrap([(harmless(", ".join(phrases)), False)], _INDENT)
    others = [doc_id for doc_id in interest.documents if doc_id != interest.name]
    if others:
        yield from screen.wrap([(harmless(f"with {listed(others)}"), False)], _INDENT)


def _rest(profile: ShownProfile, screen: Screen) -> Iterator[str]:
    """Yield what is no interest: what was disliked, what is turned off and not there, what the index lacks."""
    parts = (
        ("Disliked", profile.interests.disliked.names),
        ("Turned off, and no interest now", profile.lapsed),
        ("Not in the index, so without a part in this", profile.unknown),
    )
    if any(names for _, names in parts):
        yield ""
    for says, names in parts:
        if names:
            yield from screen.wrap([(harmless(f"{says}: {listed(names)}"), False)])


def listed(names: Sequence[str], most: int = SHOWN) -> str:
    """Return the first few of some names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def _day(at: float) -> str:
    return "" if math.isnan(at) else datetime.fromtimestamp(at, UTC).date().isoformat()


def _moment(at: float) -> str | None:
    return None if math.isnan(at) else datetime.fromtimestamp(at, UTC).isoformat()
