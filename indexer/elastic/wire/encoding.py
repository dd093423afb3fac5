"""How a request is written: its path, its query, its body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from indexer.elastic.errors import ElasticError
from indexer.errors import InvalidSettings

INSTALL = 'pip install "quire-search[elasticsearch]"'


def path_of(*parts: object) -> str:
    """Return the path of these parts, each quoted: `path_of("books", "_doc", "a/b")` is `/books/_doc/a%2Fb`."""
    return "".join(f"/{quote(str(part), safe=',*@')}" for part in parts)


def query_of(params: Mapping[str, Any]) -> str:
    """Return the query of a URL with its question mark, or the empty string; a parameter that is None is left out."""
    words = {name: _word(value) for name, value in params.items() if value is not None}
    return "?" + urlencode(words, safe=",*:", quote_via=quote) if words else ""


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(_word(part) for part in value)
    return str(value)


def payload_of(body: Any, lines: Iterable[Any] | bytes | None) -> bytes | None:
    """Return the body of a request: one value as JSON, or a value per line; None where there is neither.

    Args:
        body: A value; numpy arrays are fine.
        lines: Values, or bytes that are JSON already; or all lines together as bytes.

    Raises:
        ElasticError: a value cannot be written as JSON: half of a surrogate pair, a number of more than 64 bits.
        InvalidSettings: the package for it is not installed.
    """
    if lines is None and body is None:
        return None
    if isinstance(lines, bytes):
        return lines
    try:
        import orjson
    except ImportError as missing:
        raise InvalidSettings(
            f"an index on Elasticsearch needs packages that are not installed (orjson): {INSTALL}"
        ) from missing
    option = orjson.OPT_SERIALIZE_NUMPY
    try:
        if lines is None:
            return orjson.dumps(body, option=option)
        parts = (line if isinstance(line, bytes) else orjson.dumps(line, option=option) for line in lines)
        return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)
    except TypeError as error:
        raise ElasticError(0, "not_json", f"cannot be written as JSON: {error}") from error
