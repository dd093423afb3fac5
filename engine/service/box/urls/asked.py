"""`Asked`: what the URL of a search page asks for, and the URL of everything that is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, TypeAlias
from urllib.parse import quote, urlencode

from engine.query import Query
from indexer.filters import And, Filter, In, Range

Order: TypeAlias = Literal["", "-date", "date"]
ORDERS: tuple[Order, ...] = ("", "-date", "date")
PER_PAGE = 10
STRONGEST = 3.0
_FIELD = "f."
_MOST_CHOSEN = 50
_YES_NO = {"on": True, "off": False}
_OPERATORS = re.compile(r"""["“”]|(?<!\S)[+-](?=\w)|(?<!\S)[^\W\d][\w.-]*:(?=\S)""")


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as a URL holds it.

    What a URL says that makes no sense is left out, so that a link that somebody mangled still finds something.

    Args:
        text: What is searched for.
        chosen: Values of metadata fields that were chosen, each with its field, in the order in which they were.
        since: The first day that may answer.
        until: The last day that may answer.
        order: By relevance, from the newest, or from the oldest.
        page: Which page of results, from 1.
        personal: Whether the reader's interests count.
        strength: How much they do: 1 as the settings say.
        language: The language that the URL names; empty where it names none.
        usual: What `personal` and `strength` are where a URL does not say.
    """

    text: str = ""
    chosen: tuple[tuple[str, str], ...] = ()
    since: date | None = None
    until: date | None = None
    order: Order = ""
    page: int = 1
    personal: bool = True
    strength: float = 1.0
    language: str = ""
    usual: tuple[bool, float] = (True, 1.0)

    @classmethod
    def of(cls, parameters: Iterable[tuple[str, str]], usual: tuple[bool, float] = (True, 1.0)) -> Asked:
        """Return what the parameters of a URL ask for.

        Args:
            parameters: The URL's.
            usual: Whether interests count, and how much, where the URL does not say.
        """
        pairs = list(parameters)
        last = dict(pairs)
        chosen = dict.fromkeys(
            (name.removeprefix(_FIELD), value) for name, value in pairs if _is_choice(name, value)
        )
        order = last.get("sort", "")
        return cls(
            text=" ".join(last.get("q", "").split()),
            chosen=tuple(chosen)[:_MOST_CHOSEN],
            since=_day(last.get("from", "")),
            until=_day(last.get("to", "")),
            order=order if order in ORDERS else "",
            page=max(1, int(_number(last.get("page", ""), 1, 1_000_000))),
            personal=_YES_NO.get(last.get("personal", ""), usual[0]),
            strength=round(_number(last.get("strength", ""), usual[1], STRONGEST), 2),
            language=last.get("lang", ""),
            usual=usual,
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of the URL that asks for this; what is as it is without being said is not among them."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [(_FIELD + field, value) for field, value in self.chosen]
        pairs += [(name, day.isoformat()) for name, day in (("from", self.since), ("to", self.until)) if day]
        if self.order:
            pairs.append(("sort", self.order))
        if self.personal != self.usual[0]:
            pairs.append(("personal", "on" if self.personal else "off"))
        if self.strength != self.usual[1]:
            pairs.append(("strength", f"{self.strength:g}"))
        if self.page > 1:
            pairs.append(("page", str(self.page)))
        if self.language:
            pairs.append(("lang", self.language))
        return pairs

    @property
    def url(self) -> str:
        """The URL that asks for this."""
        pairs = self.pairs
        return f"/?{urlencode(pairs, quote_via=quote)}" if pairs else "/"

    def other_pairs(self, *names: str) -> list[tuple[str, str]]:
        """Return the parameters that a form carries along: all but the page and those that it asks for itself."""
        return [(name, value) for name, value in self.pairs if name not in (*names, "page")]

    def but(self, **changes: object) -> Asked:
        """Return this with something changed, on its first page unless that is what changes."""
        return replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]

    def with_choice(self, field: str, value: str) -> Asked:
        """Return this with a value of a field chosen besides."""
        return self.but(chosen=(*self.chosen, (field, value)))

    def without_choice(self, field: str, value: str) -> Asked:
        """Return this with a value of a field no longer chosen."""
        return self.but(chosen=tuple(pair for pair in self.chosen if pair != (field, value)))

    def without_field(self, field: str) -> Asked:
        """Return this with no value of a field chosen."""
        return self.but(chosen=tuple(pair for pair in self.chosen if pair[0] != field))

    @property
    def bare(self) -> Asked:
        """This without any filter."""
        return self.but(chosen=(), since=None, until=None)

    @property
    def strict(self) -> bool:
        """Whether the text has operators in it, which leave out what is merely near."""
        return bool(_OPERATORS.search(self.text))

    @property
    def plain(self) -> Asked:
        """This with the operators taken out of the text."""
        return self.but(text=" ".join(_OPERATORS.sub(" ", self.text).split()))

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered out."""
        return bool(self.chosen or self.since or self.until)

    def query(self, user_id: str | None, date_field: str) -> Query:
        """Return what the engine is asked.

        Args:
            user_id: Who asks; None for nobody in particular.
            date_field: The field that dates are of; empty where no field holds any, and dates then have no effect.
        """
        return Query(
            self.text,
            user_id=user_id,
            filters=self._filter(date_field),
            strength=self.strength if self.personal else 0.0,
            sort=self.order.replace("date", date_field) if date_field else "",
        )

    def _filter(self, date_field: str) -> Filter | None:
        fields: dict[str, list[str]] = {}
        for field, value in self.chosen:
            fields.setdefault(field, []).append(value)
        parts: list[Filter] = [In(field, tuple(values)) for field, values in fields.items()]
        if date_field and self.since:
            parts.append(Range(date_field, gte=self.since))
        if date_field and self.until:  # the whole of that day, where the field holds times
            after = self.until + timedelta(days=1) if self.until < date.max else None
            parts.append(Range(date_field, lt=after) if after else Range(date_field, lte=self.until))
        if len(parts) > 1:
            return And(tuple(parts))
        return parts[0] if parts else None


def _is_choice(name: str, value: str) -> bool:
    return name.startswith(_FIELD) and len(name) > len(_FIELD) and bool(value)


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _number(written: str, usual: float, most: float) -> float:
    try:
        number = float(written)
    except ValueError:
        return usual
    return min(max(number, 0.0), most) if number == number else usual
