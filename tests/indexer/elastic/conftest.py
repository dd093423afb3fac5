"""Indexes on a real Elasticsearch, and a way of looking at what the server holds without the code under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from elasticsearch_server import call

from indexer.elastic.index import ElasticIndex
from indexer.elastic.settings import ElasticSettings
from indexer.encoding import Encoder
from small_corpus import CountingEncoder

SETTINGS = ElasticSettings(replicas=0)


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder()


@pytest.fixture
def create(
    elasticsearch_address: Callable[[], str], encoder: CountingEncoder
) -> Iterator[Callable[..., ElasticIndex]]:
    """A function that makes an empty index; settings are those of `ElasticSettings`."""
    with ExitStack() as stack:

        def made(encoder: Encoder = encoder, **settings: Any) -> ElasticIndex:
            chosen = replace(SETTINGS, **settings)
            return stack.enter_context(
                ElasticIndex.create(elasticsearch_address(), settings=chosen, encoder=encoder)
            )

        yield made


@pytest.fixture
def held(elasticsearch_url: str) -> Callable[[str, str], dict[str, Any]]:
    """A function that returns, by id, all that an index on the server holds and shows, given its address and a side."""

    def look(address: str, side: str) -> dict[str, Any]:
        name = f"{address.rsplit('/', 1)[1]}-{side}"
        body = {
            "size": 10_000,
            "query": {"match_all": {}},
            "_source": {"exclude_vectors": False},
            "docvalue_fields": ["codes"] if side == "passages" else ["mean"],
        }
        told = call(elasticsearch_url, "POST", f"/{name}/_search", body)
        return {hit["_id"]: (hit["_source"], hit.get("fields", {})) for hit in told["hits"]["hits"]}

    return look


@pytest.fixture
def settings_of(elasticsearch_url: str) -> Callable[[str], list[tuple[str | None, str]]]:
    """A function that returns refresh interval and replicas of both indexes of an address."""

    def look(address: str) -> list[tuple[str | None, str]]:
        name = address.rsplit("/", 1)[1]
        told = call(elasticsearch_url, "GET", f"/{name}-passages,{name}-documents/_settings")
        found = [told[index]["settings"]["index"] for index in sorted(told)]
        return [(each.get("refresh_interval"), each["number_of_replicas"]) for each in found]

    return look
