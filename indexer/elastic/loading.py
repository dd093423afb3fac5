"""Settings for the time of writing: no refreshes but a commit's own, and no replicas while an empty index is filled.

What the settings were before stands in the index's state from before they are changed, so they are put back by the
last writer to leave, or after a crash by whoever comes next.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from indexer.elastic.connection import Cluster
from indexer.elastic.errors import ElasticForbidden
from indexer.elastic.generations import Generation
from indexer.elastic.repair import alive
from indexer.elastic.state import Settings, State, change_state, read_state

_NAMES = {"refresh_interval": "index.refresh_interval", "number_of_replicas": "index.number_of_replicas"}

_log = logging.getLogger(__name__)


def relax(cluster: Cluster, generation: Generation) -> None:
    """Change the settings for writing, unless they are changed already. A user who may not is told so in the log."""
    try:
        mine = False

        def note(state: State) -> State:
            nonlocal mine
            mine = not state.relaxed
            # Read after the state: a writer that changes the settings changes the state before, or, to put them back,
            # after; so these are the ordinary ones, or the state cannot be written.
            return replace(state, relaxed=_settings(cluster, generation)) if mine else state

        change_state(cluster, generation.documents, note)
        if mine:
            wanted: dict[str, Any] = {"index.refresh_interval": "-1"}
            if _is_empty(cluster, generation):
                wanted["index.number_of_replicas"] = 0
            cluster.request("PUT", f"/{generation.both}/_settings", body=wanted)
    except ElasticForbidden as error:
        _log.warning(
            "%s is filled with its ordinary settings, which takes longer: %s", generation.name, error
        )


def restore(cluster: Cluster, generation: Generation, *, own: str = "") -> bool:
    """Put the settings back when no writer is at work; return whether they are as they should be.

    Args:
        cluster: Where.
        generation: Of the index.
        own: The note of a writer that is about to leave, and does not count.
    """
    relaxed = read_state(cluster, generation.documents).relaxed
    if not relaxed:
        return True
    if any(each.id != own for each in alive(cluster, generation.documents)):
        return False
    try:
        for kind, index in (("passages", generation.passages), ("documents", generation.documents)):
            if kind in relaxed:
                body = {_NAMES[name]: value for name, value in relaxed[kind].items() if name in _NAMES}
                cluster.request("PUT", f"/{index}/_settings", body=body)
        change_state(cluster, generation.documents, lambda state: replace(state, relaxed={}))
    except ElasticForbidden as error:
        _log.warning("the settings of %s are still those for loading: %s", generation.name, error)
        return False
    return True


def _settings(cluster: Cluster, generation: Generation) -> Settings:
    told = cluster.request("GET", f"/{generation.both}/_settings")
    found: Settings = {}
    for kind, index in (("passages", generation.passages), ("documents", generation.documents)):
        stated = told[index]["settings"]["index"]
        found[kind] = {name: stated.get(name) for name in _NAMES}
    return found


def _is_empty(cluster: Cluster, generation: Generation) -> bool:
    found = cluster.request(
        "POST",
        f"/{generation.documents}/_search",
        params={"allow_partial_search_results": "false"},
        body={"size": 0, "query": {"term": {"kind": "document"}}, "track_total_hits": 1},
    )
    return bool(found["hits"]["total"]["value"] == 0)
