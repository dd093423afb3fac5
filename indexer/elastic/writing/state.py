"""The state of one generation: a small document that every commit counts up, by which readers see that there is news.

    {"kind": "state", "generation": 12, "relaxed": {"passages": {...}, "documents": {...}}}

`relaxed` is there while writers are at work: what the settings were before, to be put back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from indexer.elastic.errors import ElasticConflict, ElasticNotFound
from indexer.elastic.wire.connection import Cluster
from indexer.errors import IndexUnavailable

STATE = "state"
_TRIES = 60

Settings: TypeAlias = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class State:
    """What the state document says.

    Args:
        generation: How many commits there were.
        relaxed: By kind of index, the settings to put back; empty while none are changed.
    """

    generation: int = 0
    relaxed: Settings = field(default_factory=dict)

    def after_commit(self) -> State:
        """Return the state after one commit more."""
        return replace(self, generation=self.generation + 1)


def read_state(cluster: Cluster, documents: str) -> State:
    """Return the state that is kept in an index of documents."""
    return _read(cluster, documents)[0]


def change_state(cluster: Cluster, documents: str, change: Callable[[State], State]) -> State:
    """Change the state, whoever else does at the same time, and return what it then is.

    Args:
        cluster: Where.
        documents: The index of documents.
        change: From the state that is found to the new one; called again when another was quicker.

    Raises:
        IndexUnavailable: others were quicker every time.
    """
    for _ in range(_TRIES):
        found, place = _read(cluster, documents)
        wanted = change(found)
        if wanted == found and place:
            return found
        body: dict[str, Any] = {"kind": STATE, "generation": wanted.generation}
        if wanted.relaxed:
            body["relaxed"] = wanted.relaxed
        try:
            cluster.request(
                "PUT",
                _path(documents),
                params={"routing": STATE, "refresh": "true", **(place or {"op_type": "create"})},
                body=body,
            )
        except ElasticConflict:
            continue
        return wanted
    raise IndexUnavailable(f"{documents}: its state was changed by others {_TRIES} times in a row; try again")


def _read(cluster: Cluster, documents: str) -> tuple[State, dict[str, int]]:
    try:
        told = cluster.request("GET", _path(documents), params={"routing": STATE})
    except ElasticNotFound:
        return State(), {}
    source = told["_source"]
    state = State(int(source["generation"]), source.get("relaxed") or {})
    return state, {"if_seq_no": int(told["_seq_no"]), "if_primary_term": int(told["_primary_term"])}


def _path(documents: str) -> str:
    return f"/{documents}/_doc/{STATE}"
