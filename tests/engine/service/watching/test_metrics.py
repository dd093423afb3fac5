"""The numbers are those of a plain count, and their labels are few whatever is asked."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from engine.errors import BackendUnavailable, ReaderStoreBusy
from engine.query import Query
from engine.ranking import Ranking
from engine.service.watching.metrics import MOST_STAGES, Metrics
from engine.service.watching.record import CURRENT, Record

STAGES = st.dictionaries(
    st.sampled_from(["open", "lexical", "dense", "fuse"]), st.floats(0, 5000), max_size=4
)
RANKINGS = st.builds(
    Ranking,
    hits=st.just(()),
    query=st.just(Query("x")),
    k=st.just(10),
    found=st.integers(0, 20_000),
    reranked_depth=st.integers(0, 300),
    timings=STAGES,
)


def numbers(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample there is."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


@given(st.lists(st.tuples(RANKINGS, st.booleans(), st.sampled_from([0, 1, 2, 7])), max_size=8))
@settings(max_examples=40)
def test_searches_are_counted(searches: list[tuple[Ranking, bool, int]]) -> None:
    metrics, stages, degraded = Metrics(), Counter[str](), Counter[str]()
    for ranking, less, level in searches:
        metrics.answered(ranking, ("Less was done.",) if less else (), level)
        stages.update(ranking.timings.keys())
        if less:
            degraded[str(level) if level in (1, 2) else "other"] += 1
    found = numbers(metrics)
    for stage, count in stages.items():
        assert found["quire_search_stage_seconds_count", (("stage", stage),)] == count
        total = sum(ranking.timings.get(stage, 0) for ranking, _, _ in searches) / 1000
        assert abs(found["quire_search_stage_seconds_sum", (("stage", stage),)] - total) < 1e-6
    for level, count in degraded.items():
        assert found["quire_search_degraded_total", (("level", level),)] == count
    assert found["quire_search_candidates_count", ()] == len(searches)
    assert found["quire_search_rerank_depth_sum", ()] == sum(one.reranked_depth for one, _, _ in searches)
    for limit in (0, 10, 100):
        within = sum(ranking.found <= limit for ranking, _, _ in searches)
        assert found["quire_search_candidates_bucket", (("le", f"{float(limit)}"),)] == within


def test_requests_are_counted_and_those_under_way_told() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.began()
    metrics.ended("GET", "/v1/jobs/{job_id}", 200, 0.02)
    metrics.ended("BREW", "none", 404, 0.2)
    found = numbers(metrics)
    assert found["quire_requests_in_flight", ()] == 1
    route = ("route", "/v1/jobs/{job_id}")
    assert found["quire_requests_total", (("method", "GET"), route, ("status", "200"))] == 1
    assert found["quire_request_seconds_bucket", (("le", "0.025"), ("method", "GET"), route)] == 1
    assert found["quire_request_seconds_bucket", (("le", "0.01"), ("method", "GET"), route)] == 0
    assert found["quire_requests_total", (("method", "other"), ("route", "none"), ("status", "404"))] == 1


def test_no_label_grows_with_what_comes_in() -> None:
    metrics = Metrics()
    for number in range(500):
        metrics.answered(Ranking((), Query("x"), 10, timings={f"stage {number}": 1.0, f"Q{number}?": 1.0}))
        metrics.refused(f"reason {number}")
        metrics.error(type(f"Own{number}", (ValueError,), {})())
        metrics.ended(f"METHOD{number}", "none", 404, 0.1)
    names = Counter(name for name, _ in numbers(metrics))
    assert names["quire_search_stage_seconds_count"] <= MOST_STAGES + 1
    assert (
        names["quire_pool_refused_total"] == names["quire_errors_total"] == names["quire_requests_total"] == 1
    )


def test_errors_and_answers_are_noted_for_the_request_they_belong_to() -> None:
    metrics, record = Metrics(), Record("id", "GET")
    token = CURRENT.set(record)
    try:
        metrics.error(ReaderStoreBusy("busy"))
        metrics.answered(Ranking((), Query("x"), 10, found=7, reranked_depth=3, timings={"fuse": 2.0}))
    finally:
        CURRENT.reset(token)
    metrics.error(BackendUnavailable("gone"))
    found = numbers(metrics)
    assert found["quire_errors_total", (("kind", "reader-store-busy"),)] == 1
    assert found["quire_errors_total", (("kind", "backend-unavailable"),)] == 1
    assert [type(error) for error in record.errors] == [ReaderStoreBusy]
    [answered] = record.answers
    assert (answered.found, answered.rerank_depth, answered.degraded) == (7, 3, False)
    assert answered.timings == {"fuse": 2.0}


SHARED = """
import sys
from pathlib import Path
from engine.service.watching.metrics import Metrics, forget_process, share_between_processes
folder, number = Path(sys.argv[1]), int(sys.argv[2])
share_between_processes(folder, number)
metrics = Metrics()
for _ in range(number + 1):
    metrics.began()
metrics.ended("GET", "/v1/search", 200, 0.5)
metrics.pool(waiting=number, working=1)
if number < 9:
    metrics.generation(10 + number)
if len(sys.argv) > 3:
    sys.stdout.buffer.write(metrics.render())
"""


def test_several_processes_are_added_up_and_a_dead_one_s_place_is_taken(tmp_path: Path) -> None:
    from engine.service.watching.metrics import forget_process

    def process(number: int, *more: str) -> str:
        words = [sys.executable, "-c", SHARED, str(tmp_path), str(number), *more]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def told(text: str) -> dict[str, float]:
        return {
            sample.name + str(sample.labels.get("pid", "")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if "_bucket" not in sample.name
        }

    process(0)
    both = told(process(2, "show"))
    assert both["quire_requests_total"] == 2
    assert both["quire_requests_in_flight"] == 0 + 2
    assert both["quire_index_generation"] == 10, "of the one that is furthest behind"
    assert both["quire_pool_working"] == 2
    files = sorted(tmp_path.iterdir())
    forget_process(tmp_path, 2)
    again = told(process(2, "show"))
    assert again["quire_requests_total"] == 3, "what a dead process counted is not lost"
    assert again["quire_requests_in_flight"] == 2, "what it was doing is"
    assert sorted(tmp_path.iterdir()) == files, "files do not grow with every process that dies"
    assert told(process(9, "show"))["quire_index_generation"] == 10, "one that only starts is not behind"
