"""What stands at the head of a Markdown file about it: YAML between two lines of `---`, or TOML between `+++`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime

from indexer.document import MetadataValue, Scalar
from indexer.readers.dates import to_date

_FRONT = re.compile(
    r"(---|\+\+\+)[ \t]*(?:\r\n|\n|\r)(?:(.*?)(?:\r\n|\n|\r))??(?:\1|\.\.\.)[ \t]*(?:\r\n|\n|\r|\Z)",
    re.DOTALL,
)
_FIELD = re.compile(r"([^\W\d][\w .-]{0,63}):(?:[ \t]+(.*))?")
_MAX_CHARS = 1 << 16


def front_matter(text: str) -> tuple[dict[str, MetadataValue], int]:
    """Return the fields of the front matter, and the offset where the document's body begins.

    What holds no fields is no front matter: the body then begins at 0. Values that are neither scalars nor
    lists of scalars are left out; anchors and aliases, which can be made to grow without end, are refused. Of YAML that
    is wrong (a title with a colon in it, most often) the lines `name: value` are taken as they are written.
    """
    if not text.startswith(("---", "+++")):
        return {}, 0
    match = _FRONT.match(text, 0, _MAX_CHARS)
    if match is None:
        return {}, 0
    source = match.group(2) or ""
    loaded = (_toml(source) if match.group(1) == "+++" else _yaml(source)) if source.strip() else {}
    if not isinstance(loaded, Mapping):
        return {}, 0
    fields = {str(name): _value(value) for name, value in loaded.items()}
    metadata = {name: value for name, value in fields.items() if name and value is not None}
    if "date" in metadata and (day := _day(metadata.pop("date"))):
        metadata["date"] = day
    return metadata, match.end()


def _day(written: MetadataValue) -> date | None:
    """Return what a date was written as, or nothing where that is no date: the field never mixes types."""
    if isinstance(written, datetime):
        return written.date()
    return written if isinstance(written, date) else to_date(str(written))


def _toml(source: str) -> object:
    try:
        return tomllib.loads(source.replace("\r\n", "\n").replace("\r", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _yaml(source: str) -> object:
    import yaml

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, Loader=yaml.SafeLoader)):
            return None
        return yaml.safe_load(source)
    except yaml.YAMLError:
        return _as_written(source)
    except (ValueError, TypeError, RecursionError, OverflowError):
        return None


def _as_written(source: str) -> object:
    """Return the fields of lines `name: value`, or nothing where another line begins at the margin."""
    fields: dict[str, str] = {}
    for line in re.split(r"\r\n|\n|\r", source):
        if match := _FIELD.fullmatch(line):
            if value := (match.group(2) or "").strip().strip("\"'"):
                fields[match.group(1)] = value
        elif line.strip() and not line.startswith((" ", "\t", "#", "-", "]", "}")):
            return None
    return fields or None


def _value(value: object) -> MetadataValue | None:
    if isinstance(value, list):
        scalars = tuple(item for item in map(_scalar, value) if item is not None)
        return scalars or None
    return _scalar(value)


def _scalar(value: object) -> Scalar | None:
    if isinstance(value, float) and value != value:
        return None
    return value if isinstance(value, str | int | float | date) else None
