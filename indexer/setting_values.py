"""Turn what a TOML file, an environment variable or an option says into a setting's own type."""

from __future__ import annotations

import re
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

NONE = "none"
"""How a setting that may be left without a value says so: TOML has no word for it."""
TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


def from_toml(wanted: Any, value: object) -> object:
    """Return a TOML value as the type wanted; a whole number serves as a float, a list as a tuple.

    Raises:
        ValueError: it is of another type; the message says what was expected.
    """
    kind = get_origin(wanted)
    if kind is UnionType:
        return None if value is None or value == NONE else _from_either(wanted, value)
    if kind is Literal and value in get_args(wanted):
        return value
    if kind is tuple and isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if (
        isinstance(wanted, type)
        and isinstance(value, wanted)
        and not (wanted is int and isinstance(value, bool))
    ):
        return value
    raise ValueError(f"must be {description(wanted)}; found {value!r:.60}")


def from_text(wanted: Any, text: str) -> object:
    """Return an environment variable's text as the type wanted; a list is separated by commas.

    Raises:
        ValueError: it does not read as that type.
    """
    if get_origin(wanted) is UnionType:
        return None if text.lower() == NONE else from_text(_given(wanted), text)
    try:
        if get_origin(wanted) is tuple:
            return tuple(item.strip() for item in text.split(",") if item.strip())
        if wanted is bool and text.lower() in TRUE | FALSE:
            return text.lower() in TRUE
        if wanted is int:
            return int(text)
        if wanted is float:
            return float(text)
    except ValueError:
        raise ValueError(f"must be {description(wanted)}; found {text!r:.60}") from None
    return from_toml(wanted, text)


def description(wanted: Any) -> str:
    """Return in words what a setting of this type takes."""
    if get_origin(wanted) is Literal:
        return f"one of {', '.join(map(str, get_args(wanted)))}"
    if get_origin(wanted) is tuple:
        return "a list of strings"
    if get_origin(wanted) is UnionType:
        return f'{description(_given(wanted))}, or "{NONE}"'
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a string",
        NoneType: "empty",
    }
    return names.get(wanted, str(wanted))


def _from_either(wanted: Any, value: object) -> object:
    try:
        return from_toml(_given(wanted), value)
    except ValueError:
        raise ValueError(f"must be {description(wanted)}; found {value!r:.60}") from None


def _given(wanted: Any) -> Any:
    """Return the type of an optional setting's values."""
    (given,) = (kind for kind in get_args(wanted) if kind is not NoneType)
    return given


def line_of(text: str, section: str, key: str = "") -> int:
    """Return the line, from 1, on which a TOML text names a section, or a key in it; 1 when it does so in no plain way.

    tomllib keeps no places. Sections are looked for as `[section]`, keys as `key =` under it, `section.key =`
    above all sections, and in an inline table.
    """
    bare = r"[\"']?{}[\"']?"
    header = re.compile(rf"\s*\[\s*{bare.format(re.escape(section))}\s*[\].]")
    anywhere = re.compile(rf"\s*{bare.format(re.escape(section))}\s*[.=]")
    wanted = re.compile(rf"\s*{bare.format(re.escape(key))}\s*[.=]")
    inline = re.compile(rf"[\s{{,.]{bare.format(re.escape(key))}\s*=")
    found = 1
    inside = top = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            inside, top = bool(header.match(line)), True
            if inside:
                found = number
                if not key:
                    return number
        elif not top and anywhere.match(line) and (not key or inline.search(line)):
            return number
        elif inside and key and wanted.match(line):
            return number
    return found
