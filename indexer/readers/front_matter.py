"""The YAML between two lines of `---` at the head of a Markdown file."""

from __future__ import annotations

import re
from datetime import date, datetime

from indexer.document import MetadataValue, Scalar

_FRONT = re.compile(
    r"---[ \t]*(?:\r\n|\n|\r)(.*?)(?:\r\n|\n|\r)(?:---|\.\.\.)[ \t]*(?:\r\n|\n|\r|\Z)", re.DOTALL
)
_MAX_CHARS = 1 << 16


def front_matter(text: str) -> tuple[dict[str, MetadataValue], int]:
    """Return the fields of the front matter, and the offset where the document's body begins.

    What is no YAML mapping is no front matter: the body then begins at 0. Values that are neither scalars nor
    lists of scalars are left out; anchors and aliases, which can be made to grow without end, are refused.
    """
    if not text.startswith("---"):
        return {}, 0
    match = _FRONT.match(text, 0, _MAX_CHARS)
    loaded = _load(match.group(1)) if match else None
    if match is None or not isinstance(loaded, dict):
        return {}, 0
    fields = {str(name): _value(value) for name, value in loaded.items()}
    metadata = {name: value for name, value in fields.items() if name and value is not None}
    if isinstance(written := metadata.get("date"), datetime):
        metadata["date"] = written.date()
    return metadata, match.end()


def _load(source: str) -> object:
    import yaml

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, Loader=yaml.SafeLoader)):
            return None
        return yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        return None


def _value(value: object) -> MetadataValue | None:
    if isinstance(value, list):
        scalars = tuple(item for item in map(_scalar, value) if item is not None)
        return scalars or None
    return _scalar(value)


def _scalar(value: object) -> Scalar | None:
    if isinstance(value, float) and value != value:
        return None
    return value if isinstance(value, str | int | float | date) else None
