"""Makes the two indexes behind a name, so that others see both or none."""

from __future__ import annotations

import logging
import time

from indexer.elastic.errors import ElasticError
from indexer.elastic.names import concrete, documents_alias, passages_alias
from indexer.elastic.rebuilding.generations import Generation, Generations
from indexer.elastic.shape.mappings import Made, documents_body, passages_body
from indexer.elastic.wire.connection import Cluster
from indexer.elastic.writing.state import change_state
from indexer.errors import IndexExists

_MAKING_SECONDS = 15.0  # for which another may be between making the two indexes and naming them
_POLL_SECONDS = 0.25

_log = logging.getLogger(__name__)


def make_index(cluster: Cluster, name: str, made: Made, *, shards: int, replicas: int) -> None:
    """Make both indexes, then name them in one request; what a crash left of that is made anew.

    Raises:
        IndexExists: there is an index, or another process is making it.
    """
    generations = Generations(cluster, name)
    _wait_for_others(cluster, generations)
    sides = ((documents_alias(name), documents_body), (passages_alias(name), passages_body))
    for alias, body_of in sides:
        body = body_of(made, shards=shards, replicas=replicas)
        try:
            cluster.request("PUT", f"/{concrete(alias, 1)}", body=body)
        except ElasticError as error:
            if error.kind != "resource_already_exists_exception":
                raise
            _wait_for_others(cluster, generations)
            raise IndexExists(f"another process was making {name!r} at the same time; try again") from error
    change_state(cluster, concrete(documents_alias(name), 1), lambda found: found)  # readers look for one
    actions = [{"add": {"index": concrete(alias, 1), "alias": alias}} for alias, _ in sides]
    cluster.request("POST", "/_aliases", body={"actions": actions})


def _wait_for_others(cluster: Cluster, generations: Generations) -> None:
    """Return when nobody makes the index; what somebody has left unfinished is deleted.

    Raises:
        IndexExists: there is one, now.
    """
    deadline = time.monotonic() + _MAKING_SECONDS
    while every := generations.all():
        if any(each.current for each in every):
            raise IndexExists(
                f"there is an index {generations.name!r} already; open it, or choose another name"
            )
        if time.monotonic() > deadline:
            if any(each.building or each.number != 1 or _holds_something(cluster, each) for each in every):
                raise IndexExists(
                    f"no alias leads to the indexes of {generations.name!r} that `quire generations` lists: set the "
                    "aliases, or drop them"
                )
            _log.warning("%s was left half made, and is made anew", generations.name)
            generations.drop(1)
            return
        time.sleep(_POLL_SECONDS)


def _holds_something(cluster: Cluster, generation: Generation) -> bool:
    """Return whether there are documents: then somebody has taken the aliases away, and it was made long ago."""
    if not generation.complete:
        return False
    cluster.request("POST", f"/{generation.documents}/_refresh")
    body = {"size": 0, "query": {"term": {"kind": "document"}}, "track_total_hits": 1}
    params = {"allow_partial_search_results": "false"}
    found = cluster.request("POST", f"/{generation.documents}/_search", params=params, body=body)
    return bool(found["hits"]["total"]["value"])
