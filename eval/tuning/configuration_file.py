"""Put values into a configuration file, and leave everything else in it as it was, comments too."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.configuration import ConfigurationError, load
from eval.errors import InvalidEvaluation
from indexer.local.durable import replace_atomically

_HEADER = re.compile(r"\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(#.*)?")
_VALUE = re.compile(r"(?P<before>\s*=\s*)(?P<value>\"[^\"]*\"|'[^']*'|[^#\s]+)(?P<after>\s*(#.*)?)")


def write_settings(path: str | Path, section: str, values: Mapping[str, float | int | str]) -> None:
    """Set keys of one section of a configuration file, which is made if it is not there.

    Lines that set one of the keys get the new value, the other keys go to the section's end, and every other line
    stays. The result is read back before it takes the file's place, and takes it whole.

    Args:
        path: The file.
        section: The section, `search`.
        values: Key to value.

    Raises:
        InvalidEvaluation: the file is no configuration, or is laid out in a way that cannot be edited safely, such
            as an inline table; names the lines to write by hand.
        OSError: it cannot be read or written.
    """
    path = Path(path)
    data = path.read_bytes() if path.exists() else b""
    try:
        old = data.decode("utf-8-sig")
        before = tomllib.loads(old)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidEvaluation(f"{path}: not TOML ({error}); correct it, or name another file") from error
    new = edited(old, section, values)
    wanted: dict[str, Any] = {**before, section: {**before.get(section, {}), **values}}
    by_hand = "; ".join(f"{key} = {literal(value)}" for key, value in values.items())
    try:
        same = tomllib.loads(new) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise InvalidEvaluation(
            f"{path}: [{section}] is laid out in a way that cannot be edited safely; "
            f"write there by hand: {by_hand}"
        )
    beside = path.with_name(f".{path.name}.checked")
    try:
        beside.write_text(new, encoding="utf-8", newline="")
        load(beside, environ={})
    except ConfigurationError as error:
        problem = str(error).replace(str(beside), str(path))
        raise InvalidEvaluation(f"{problem}; correct the file, or name another one") from error
    finally:
        beside.unlink(missing_ok=True)
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    replace_atomically(path.resolve(), mark + new.encode("utf-8"))


def edited(text: str, section: str, values: Mapping[str, float | int | str]) -> str:
    """Return a TOML text with keys of a section set, as well as editing by lines can do it."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith(("\n", "\r")):
        lines[-1] += ending
    left = dict(values)
    inside, end = False, -1
    for at, line in enumerate(lines):
        header = _HEADER.fullmatch(line.rstrip("\r\n"))
        if header:
            inside = header["name"].strip("\"'") == section
        if not inside:
            continue
        if line.strip() and (header or not line.lstrip().startswith("#")):
            end = at
        for key in list(left):
            name = re.match(rf"\s*[\"']?{re.escape(key)}[\"']?(?=\s*=)", line)
            match = name and _VALUE.fullmatch(line.rstrip("\r\n")[name.end() :])
            if name and match:
                lines[at] = f"{name[0]}{match['before']}{literal(left.pop(key))}{match['after']}{ending}"
    added = [f"{key} = {literal(value)}{ending}" for key, value in left.items()]
    if end >= 0:
        lines[end + 1 : end + 1] = added
    elif added:
        lines += [ending] * bool(lines) + [f"[{section}]{ending}", *added]
    return "".join(lines)


def literal(value: float | int | str) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return repr(value)
