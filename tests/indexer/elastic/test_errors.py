"""Refusals of the server as errors of ours: bodies as Elasticsearch 9.5 sent them."""

from __future__ import annotations

from typing import Any

import pytest

from indexer.elastic.errors import (
    ElasticConflict,
    ElasticError,
    ElasticForbidden,
    ElasticNotFound,
    cause_of,
    refusal,
)
from indexer.errors import IndexFull, IndexingError, IndexUnavailable

NO_INDEX = {
    "error": {
        "root_cause": [{"type": "index_not_found_exception", "reason": "no such index [b]", "index": "b"}],
        "type": "index_not_found_exception",
        "reason": "no such index [b]",
    },
    "status": 404,
}
BLOCKED = {
    "type": "cluster_block_exception",
    "reason": "index [b] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, "
    "index has read-only-allow-delete block; for more information, see the documentation];",
}
SHARDS = {
    "error": {
        "root_cause": [],
        "type": "search_phase_execution_exception",
        "reason": "all shards failed",
        "caused_by": {
            "type": "search_phase_execution_exception",
            "reason": "Search rejected due to missing shards",
            "caused_by": {"type": "no_shard_available_action_exception", "reason": "none"},
        },
    }
}


@pytest.mark.parametrize(
    ("status", "body", "expected", "says"),
    [
        (404, NO_INDEX, ElasticNotFound, r"no such index \[b\] \(404 index_not_found_exception\)"),
        (
            409,
            {"error": {"type": "version_conflict_engine_exception", "reason": "x"}},
            ElasticConflict,
            "409",
        ),
        (
            401,
            {"error": {"type": "security_exception", "reason": "missing"}},
            ElasticForbidden,
            "did not accept",
        ),
        (
            403,
            {"error": {"type": "security_exception", "reason": "action [x] is"}},
            ElasticForbidden,
            "roles that",
        ),
        (400, {"error": "plain words"}, ElasticError, "plain words"),
        (500, None, ElasticError, "no reason given"),
        (502, "<html>Bad gateway</html>", IndexUnavailable, "Bad gateway"),
        (503, SHARDS, IndexUnavailable, "no_shard_available_action_exception"),
        (
            429,
            {"error": {"type": "es_rejected_execution_exception", "reason": "full"}},
            IndexUnavailable,
            "not? ?now",
        ),
        (429, {"error": BLOCKED}, IndexFull, "free some disk"),
        (403, {"error": BLOCKED}, IndexFull, "free some disk"),
        (400, ["a", "list"], ElasticError, "400"),
        (400, {"error": {"type": None, "root_cause": "odd", "caused_by": 3}}, ElasticError, "400 unknown"),
    ],
)
def test_a_refusal_is_one_of_our_errors(
    status: int, body: Any, expected: type[IndexingError], says: str
) -> None:
    error = refusal(status, body, asked="GET /b of the cluster", who="user 'reader'")
    assert type(error) is expected
    assert isinstance(error, IndexingError)
    with pytest.raises(expected, match=says.replace("not? ?now", "cannot answer now")):
        raise error
    assert "GET /b of the cluster" in str(error)


def test_the_root_cause_is_told() -> None:
    assert cause_of(SHARDS) == ("no_shard_available_action_exception", "none")
    assert cause_of(NO_INDEX) == ("index_not_found_exception", "no such index [b]")


def test_an_item_of_a_bulk_is_refused_in_the_same_way() -> None:
    item = {
        "_id": "1",
        "status": 400,
        "error": {"type": "strict_dynamic_mapping_exception", "reason": "no [x]"},
    }
    error = refusal(item["status"], item, asked="document 1")  # type: ignore[arg-type]
    assert str(error) == "document 1 was refused: no [x] (400 strict_dynamic_mapping_exception)"


def test_a_long_reason_is_cut() -> None:
    assert len(str(refusal(400, {"error": {"type": "x", "reason": "long " * 1000}}))) < 600
