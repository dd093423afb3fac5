"""No replicas while an empty index is filled: each would do all the work again, and a copy of the files takes less.

How many there are to be stands in the index's state from before they are taken away, so they are put back by the last
writer to leave, or after a crash by whoever comes next. Copies of what there is already are kept.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from indexer.elastic.errors import ElasticForbidden
from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.repair import alive
from indexer.elastic.writing.state import Settings, State, change_state, read_state

_REPLICAS = "number_of_replicas"

_log = logging.getLogger(__name__)


def relax(cluster: Cluster, generation: Generation) -> None:
    """Take the replicas of an empty index away. A user who may not is told so in the log."""
    if not _is_empty(cluster, generation):
        return
    mine = False

    def note(state: State) -> State:
        nonlocal mine
        mine = not state.relaxed
        # Read after the state: a writer that changes the settings changes the state before, or, to put them back,
        # after; so these are the ordinary ones, or the state cannot be written.
        return replace(state, relaxed=_settings(cluster, generation)) if mine else state

    try:
        change_state(cluster, generation.documents, note)
        if mine:
            cluster.request("PUT", f"/{generation.both}/_settings", body={f"index.{_REPLICAS}": 0})
    except ElasticForbidden as error:
        _log.warning("%s is filled with all of its replicas, which takes longer: %s", generation.name, error)
        if mine:
            change_state(cluster, generation.documents, lambda state: replace(state, relaxed={}))


def restore(cluster: Cluster, generation: Generation, *, own: str = "") -> bool:
    """Put the replicas back when no writer is at work; return whether they are as they should be.

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
                body = {f"index.{_REPLICAS}": relaxed[kind].get(_REPLICAS)}
                cluster.request("PUT", f"/{index}/_settings", body=body)
        change_state(cluster, generation.documents, lambda state: replace(state, relaxed={}))
    except ElasticForbidden as error:
        _log.warning(
            "%s is still without replicas, as it was while it was filled: %s", generation.name, error
        )
        return False
    return True


def _settings(cluster: Cluster, generation: Generation) -> Settings:
    told = cluster.request("GET", f"/{generation.both}/_settings")
    found: Settings = {}
    for kind, index in (("passages", generation.passages), ("documents", generation.documents)):
        found[kind] = {_REPLICAS: told[index]["settings"]["index"].get(_REPLICAS)}
    return found


def _is_empty(cluster: Cluster, generation: Generation) -> bool:
    found = cluster.request(
        "POST",
        f"/{generation.documents}/_search",
        params={"allow_partial_search_results": "false"},
        body={"size": 0, "query": {"term": {"kind": "document"}}, "track_total_hits": 1},
    )
    return bool(found["hits"]["total"]["value"] == 0)
