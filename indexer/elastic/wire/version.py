"""Which servers Quire works with, and how to find out what a server is."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from indexer.elastic.errors import ElasticError, ElasticForbidden
from indexer.errors import IndexVersionMismatch

log = logging.getLogger(__name__)

OLDEST = (9, 4)
"""The first release that both takes vectors as base64 (so since 9.3) and gives them back so (since 9.4)."""

_BELOW = 10
SUPPORTED = f"Elasticsearch {OLDEST[0]}.{OLDEST[1]} or later, below {_BELOW}"


def check_version(ask: Callable[..., Any], place: str, who: str) -> str:
    """Return a server's version, or the empty string where this user may not know it.

    `GET /` tells it; where that is refused, the node's own description does. Where both are refused to this user
    nothing is checked: what such a server cannot do shows in its answers.

    Args:
        ask: Asks the server: `Cluster.request`.
        place: What the cluster is called, for messages.
        who: Who asks, likewise.

    Raises:
        IndexVersionMismatch: the server is older or newer than what Quire works with, or something else.
        ElasticForbidden: the credentials are wrong.
        IndexUnavailable: no answer.
    """
    version = _told(ask)
    if not version:
        log.debug("%s does not tell its version to %s", place, who)
        return ""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    found = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if not OLDEST <= found < (_BELOW, 0):
        raise IndexVersionMismatch(
            f"{place} runs version {version}; Quire works with {SUPPORTED}: "
            "upgrade whichever of the two is older"
        )
    return version


def _told(ask: Callable[..., Any]) -> str:
    try:
        answer = ask("GET", "/")
        return str(answer["version"]["number"])
    except ElasticForbidden as refused:
        if refused.status == 401:
            raise
    except ElasticError as refused:
        if refused.status == 0:
            raise
    try:
        answer = ask("GET", "/_nodes/_local", params={"filter_path": "nodes.*.version"})
    except ElasticForbidden:
        return ""
    return min((_text(node) for node in answer.get("nodes", {}).values()), default="")


def _text(node: Any) -> str:
    return str(node.get("version", ""))
