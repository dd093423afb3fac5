"""What is around a list of hits: facets, chosen filters, orders, pages, and who reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from engine.ranking import FacetCounts
from engine.service.access.caller import Caller
from engine.service.box.page.naming import LONGEST_LABEL, is_seen, shortened
from engine.service.box.page.scripts import FIELDS
from engine.service.box.search.views import Choice, FacetView, Pager, Reader
from engine.service.box.urls.asked import ORDERS, PER_PAGE, Asked
from engine.service.box.words.words import Words
from indexer.document import Scalar

if TYPE_CHECKING:
    from engine.service.settings import ServiceSettings

SHOWN, LISTED = 6, 40
"""So many values of a facet are seen at once, and so many there are behind the fold."""
_LONGEST_VALUE = 400  # a longer one makes no URL


def written(value: Scalar) -> str:
    """Return a metadata value as a URL holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def shown(value: str, words: Words, field: str = "") -> str:
    """Return a value of a metadata field as it is read; an empty one, and a language's tag, by a name."""
    if value in ("true", "false"):
        return words(f"value.{value}")
    if field.lower() in FIELDS:
        return words.or_else(f"lang.{value.partition('-')[0].lower()}", shortened(value, LONGEST_LABEL))
    return shortened(value, LONGEST_LABEL) if is_seen(value) else words("value.empty")


def field_name(field: str, words: Words) -> str:
    """Return the name of a metadata field as it is read."""
    said = " ".join(field.replace("_", " ").replace(".", " ").split()) or field
    return words.or_else(f"field.{field.lower()}", shortened(said[:1].upper() + said[1:], 60))


def facets(
    counts: Mapping[str, FacetCounts], asked: Asked, words: Words, others: Mapping[str, FacetCounts]
) -> tuple[FacetView, ...]:
    """Return facets with the URL that each value leads to: chosen besides, or not any more. Empty ones are left out.

    Args:
        counts: Each field's values over what was found.
        asked: What was asked.
        words: The page's.
        others: For fields that are filtered by, their values without that filter.
    """
    views = []
    for field, values in counts.items():
        found = {written(value): count for value, count in values}
        more = {written(value): count for value, count in others.get(field, ())}
        chosen = [value for name, value in asked.chosen if name == field]
        others_of_it = dict.fromkeys(value for value in (*found, *more) if value not in chosen)
        listed = [*chosen, *_in_order(others_of_it)]
        choices = [
            Choice(
                shown(value, words, field),
                (asked.without_choice if value in chosen else asked.with_choice)(field, value).url,
                value in chosen,
                found.get(value, more.get(value, 0)),
            )
            for value in listed
            if value and len(value) <= _LONGEST_VALUE
        ]
        if len(choices) > 1 or chosen:
            most = max(SHOWN, len(chosen))
            views.append(
                FacetView(field_name(field, words), tuple(choices[:most]), tuple(choices[most:LISTED]))
            )
    return tuple(views)


def _in_order(values: Iterable[str]) -> list[str]:
    """Return values as they are; years and other whole numbers from the greatest on, where all of them are listed."""
    wanted = list(values)
    if len(wanted) <= LISTED and all(value.removeprefix("-").isdecimal() for value in wanted):
        return sorted(wanted, key=int, reverse=True)
    return wanted


def chips(asked: Asked, words: Words) -> tuple[Choice, ...]:
    """Return the chosen filters, each with the URL without it."""
    found = [
        Choice(
            f"{field_name(field, words)}: {shown(value, words, field)}",
            asked.without_choice(field, value).url,
        )
        for field, value in asked.chosen
    ]
    if asked.since:
        found.append(Choice(words("chip.from", day=day(asked.since, words)), asked.but(since=None).url))
    if asked.until:
        found.append(Choice(words("chip.to", day=day(asked.until, words)), asked.but(until=None).url))
    return tuple(found)


def day(value: date, words: Words) -> str:
    """Return a day as it is read."""
    if isinstance(value, datetime):
        value = value.date()
    month = words(f"month.{value.month}")
    return words("day", year=value.year, month=month, day=value.day)


def orders(asked: Asked, words: Words) -> tuple[Choice, ...]:
    """Return the orders that the list may be in."""
    return tuple(
        Choice(words(f"order.{order or 'relevance'}"), asked.but(order=order).url, order == asked.order)
        for order in ORDERS
    )


def pager(asked: Asked, found: int, most: int) -> Pager | None:
    """Return the pages of a list; None where there is one.

    Args:
        asked: What was asked.
        found: How many documents there are.
        most: How many of them can be paged through.
    """
    last = -(-min(found, most) // PER_PAGE)
    if last <= 1:
        return None
    near = {1, last, *range(asked.page - 1, asked.page + 2)}
    numbers = sorted(number for number in near if 1 <= number <= last)
    pages: list[Choice] = []
    for number in numbers:
        if pages and number - int(pages[-1].label) > 1:
            pages.append(Choice(str(number - 1), ""))
        pages.append(Choice(str(number), asked.but(page=number).url, number == asked.page))
    before = asked.but(page=min(asked.page - 1, last)).url if asked.page > 1 else ""
    after = asked.but(page=asked.page + 1).url if asked.page < last else ""
    return Pager(tuple(pages), before, after)


def reader_of(caller: Caller, asked: Asked, settings: ServiceSettings) -> Reader:
    """Return who reads, as the page tells it."""
    return Reader(
        name=shortened(caller.user_id or "", 60),
        guest=caller.guest,
        known=caller.user_id is not None,
        may_be_guest=settings.guests and settings.box == "open",
        personal=asked.personal,
        strength=asked.strength,
        switch=asked.but(personal=not asked.personal).url,
    )


def meant(suggestions: Sequence[str], asked: Asked) -> tuple[Choice, ...]:
    """Return queries that were perhaps meant."""
    return tuple(Choice(shortened(said, 200), asked.but(text=said).url) for said in suggestions[:2])
