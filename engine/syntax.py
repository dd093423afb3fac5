r"""The query language: text in, parts out. Nothing here knows an index.

    query   := item*                         separated by white space
    item    := [sign] [field ":"] value
    sign    := "+"                           some passage of the document must hold it
             | "-"                           no passage of the document may hold it
    value   := '"' words '"' | word          quoted words stand together, in order, and are required
    field   := "title" | "headings" | "body" look only there
             | a metadata field              then the value is a condition:
                 lang:en   author:"Ada Lovelace"   lang:en,de   year:2000..2010   year:>=2000   due:<2024-06

What does not fit is not an error. A word with a colon whose field nobody knows, a quotation mark that is
never closed, a value of the wrong type: they are searched as plain words and a notice says so. Times (12:30),
addresses (https://...), paths (C:\dir), names like `std::vector` and options like `--help` are simply words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, TypeAlias, cast

from engine.conditions import condition
from indexer.filters import Filter, Not
from indexer.protocol import FieldKind, TextField

Sign: TypeAlias = Literal["", "+", "-"]

MAX_OPERATORS = 64
"""Signed, quoted and field items beyond so many are plain words."""

_TEXT_FIELDS = ("title", "headings", "body")
_ITEM = re.compile(
    r"""\s*(?P<all>(?P<sign>[+-]?)(?:(?P<field>[^\W\d][\w.-]*):)?
    (?:"(?P<quoted>[^"]*)"|“(?P<curly>[^”]*)”|(?P<word>\S+)))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """Words that carry an operator: a sign, quotes, or a text field."""

    text: str
    sign: Sign = ""
    quoted: bool = False
    field: TextField = "any"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A query taken apart.

    Args:
        plain: The words without operators, in order.
        parts: The words with operators, in order.
        positive: All words that are wanted, operators left out, in order: what the encoder reads.
        filters: The conditions on metadata.
        notices: What was not understood as it was probably meant.
    """

    plain: str
    parts: tuple[Part, ...]
    positive: str
    filters: tuple[Filter, ...]
    notices: tuple[str, ...]


def plain_words(text: str) -> Parsed:
    """Return a text without operators: all of it is words that are wanted."""
    return Parsed(plain=text, parts=(), positive=text, filters=(), notices=())


@dataclass(slots=True)
class _Reading:
    plain: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    positive: list[str] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def word(self, text: str) -> None:
        self.plain.append(text)
        self.positive.append(text)

    def part(self, part: Part) -> None:
        self.parts.append(part)
        if part.sign != "-":
            self.positive.append(part.text)

    def notice(self, text: str) -> None:
        if text not in self.notices and len(self.notices) < 10:
            self.notices.append(text)


def parse(text: str, fields: Mapping[str, frozenset[FieldKind]]) -> Parsed:
    """Return the parts of a query's text.

    Args:
        text: What the user typed. Any string is a query.
        fields: The metadata fields there are, with the kinds of value that they hold.
    """
    reading = _Reading()
    for match in _ITEM.finditer(text):
        if len(reading.parts) + len(reading.filters) >= MAX_OPERATORS:
            reading.word(text[match.start() :].strip())
            if re.search(r'(?:^|\s)[+-]\w|"', text[match.start() :]):
                reading.notice(
                    f"The query has more than {MAX_OPERATORS} operators; the rest is searched as plain words."
                )
            break
        _read(match, fields, reading)
    return Parsed(
        plain=" ".join(reading.plain),
        parts=tuple(reading.parts),
        positive=" ".join(reading.positive),
        filters=tuple(reading.filters),
        notices=tuple(reading.notices),
    )


def _read(match: re.Match[str], fields: Mapping[str, frozenset[FieldKind]], reading: _Reading) -> None:
    sign = cast(Sign, match["sign"])
    name = match["field"]
    quoted = match["quoted"] if match["quoted"] is not None else match["curly"]
    word = match["word"]
    if word is not None and word[0] in '"“':
        reading.notice(f"A quotation mark is not closed: {match['all']!r:.60} is searched as plain words.")
        reading.word(" ".join(filter(None, (name, word[1:]))))
        return
    if word is not None and (_is_just_a_word(sign, name, word)):
        reading.word(match["all"])
        return
    value = quoted if quoted is not None else word
    if name is None:
        _words(Part(value, sign, quoted is not None), reading)
    elif name in _TEXT_FIELDS:
        reading.part(Part(value, sign, quoted is not None, cast(TextField, name)))
    elif name in fields:
        try:
            found = condition(name, fields[name], value, exact=quoted is not None)
        except ValueError as error:
            reading.notice(f"{error}; {match['all']!r:.60} is searched as plain words.")
            _words(Part(f"{name} {value}", sign), reading)
        else:
            reading.filters.append(Not(found) if sign == "-" else found)
    else:
        reading.notice(_unknown(name, match["all"], fields))
        _words(Part(f"{name} {value}", sign), reading)


def _words(part: Part, reading: _Reading) -> None:
    if part.sign or part.quoted:
        reading.part(part)
    else:
        reading.word(part.text)


def _is_just_a_word(sign: str, name: str | None, word: str) -> bool:
    r"""Whether what looks like an operator is part of a word: `--help`, `https://x`, `C:\x`, `std::vector`."""
    if sign and word[0] in "+-" and name is None:
        return True
    return name is not None and word[0] in "/\\:"


def _unknown(name: str, item: str, fields: Mapping[str, frozenset[FieldKind]]) -> str:
    close = get_close_matches(name, [*fields, *_TEXT_FIELDS], n=1)
    meant = f" Did you mean {close[0]}: ?" if close else ""
    return f"There is no field {name!r:.40}; {item!r:.60} is searched as plain words.{meant}"
