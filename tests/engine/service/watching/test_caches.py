"""What is remembered between searches, and how often it was of use, as a running service tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from live_service import SECONDS, Site, serve

from engine.service.watching.metrics import Metrics
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index
from reranker.cache import ScoreCache
from reranker.overlap import OverlapScorer
from reranker.pairs import PassageText, passage_text
from reranker.scorer import Judgement


class Remembered(OverlapScorer):
    """Remembers scores as the cross-encoder does."""

    def __init__(self) -> None:
        super().__init__()
        self._cache = ScoreCache(1000, "overlap")

    @property
    def lookups(self) -> tuple[int, int]:
        return self._cache.hits, self._cache.misses

    def judge(
        self,
        query: str,
        passages: Sequence[str | PassageText],
        *,
        deadline: float | None = None,
        cancelled: Callable[[], bool] = bool,
    ) -> Judgement:
        keys = self._cache.keys(query, [passage_text(passage) for passage in passages])
        self._cache.get(keys)
        judgement = super().judge(query, passages, deadline=deadline)
        self._cache.put((key, (float(score), 0)) for key, score in zip(keys, judgement.scores, strict=True))
        return judgement


@pytest.fixture
def site(make_index: Callable[..., Index], corpus: list[Document], tmp_path: Path) -> Iterator[Site]:
    make_index(*corpus).close()
    made = serve(tmp_path / "index", HashingEncoder(32), Remembered(), workers=1)
    yield made
    made.stop()


def told(url: str) -> dict[str, tuple[int, int]]:
    """Return the hits and misses that the service tells of."""
    text = httpx.get(f"{url}/metrics", timeout=SECONDS).text
    found = re.findall(r'^quire_cache_(hits|misses)_total\{cache="(\w+)"\} (\d+)', text, re.MULTILINE)
    counts = {(cache, which): int(number) for which, cache, number in found}
    return {cache: (counts[cache, "hits"], counts[cache, "misses"]) for cache, _ in counts}


def test_what_was_known_from_before_is_counted(site: Site) -> None:
    _, key = site.service.keys.create(("search", "events"), tenant="default")
    headers = {"Authorization": f"Bearer {key}", "Quire-Reader": site.token("ann")}
    question = {"query": "turbine blade cooling", "marks": True}
    with httpx.Client(base_url=site.url, headers=headers, timeout=SECONDS) as client:
        event = {"doc_id": "d05", "kind": "like"}
        client.post("/v1/events", json={"events": [event]}).raise_for_status()
        client.post("/v1/search", json=question).raise_for_status()
        first = site.service.engines.lookups()
        answer = client.post("/v1/search", json=question).raise_for_status().json()
    second = site.service.engines.lookups()
    more = {cache: (now[0] - first[cache][0], now[1] - first[cache][1]) for cache, now in second.items()}
    assert more["scores"] == (answer["reranked_depth"], 0)
    assert more["sentences"][0] > 0 == more["sentences"][1]
    assert more["profiles"] == (1, 0)
    while (now := told(site.url)) != second:
        assert all(now[cache] <= counts for cache, counts in second.items() if cache in now)


def test_what_begins_anew_counts_from_nothing() -> None:
    metrics = Metrics()
    for hits in (5, 8, 2, 2, 3):
        metrics.caches({"profiles": (hits, 1)})
    text = metrics.render().decode()
    assert 'quire_cache_hits_total{cache="profiles"} 11.0' in text
    assert 'quire_cache_misses_total{cache="profiles"} 1.0' in text
