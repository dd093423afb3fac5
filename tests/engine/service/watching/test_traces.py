"""Spans say what a request did, to whoever collects them; where nobody does, nothing is there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise

import httpx
import pytest

from engine.service.app import create_app
from engine.service.service import Service
from engine.service.watching import traces
from engine.service.watching.traces import Traces, TracingUnavailable, check, wanted

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({}, False),
        (COLLECTOR, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, True),
        (COLLECTOR | {"OTEL_SDK_DISABLED": "true"}, False),
        (COLLECTOR | {"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SERVICE_NAME": "search"}, False),
    ],
)
def test_traces_are_made_where_there_is_somewhere_to_send_them(environ: dict[str, str], asked: bool) -> None:
    assert wanted(environ) is asked
    if not asked:
        assert Traces.configured(environ) is None


def test_packages_that_are_missing_are_named_with_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "find_spec", lambda _: None)
    with pytest.raises(TracingUnavailable, match=r'pip install "quire-search\[tracing\]"'):
        check(COLLECTOR)
    check({})


def test_a_protocol_that_is_not_spoken_is_an_error() -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with pytest.raises(TracingUnavailable, match="http/protobuf only"):
        check(COLLECTOR | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_without_a_collector_nothing_of_it_is_imported() -> None:
    script = (
        "import json, sys\nfrom fastapi import FastAPI\nfrom engine.service.watching.metrics import Metrics\n"
        "from engine.service.watching.watch import watch\n"
        "watch(FastAPI(), Metrics(), secret=b's' * 32, check=bool, admin=bool, environ={})\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry.')]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [name for name in json.loads(done.stdout) if "sdk" in name or "exporter" in name] == []


def test_a_search_is_a_span_with_one_for_each_stage(
    service: Service, client_of: Callable[..., httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(Traces, "configured", classmethod(lambda cls, _: cls(provider)))
    app = create_app(service)

    async def ask() -> None:
        async with client_of(service, "search", user_id="planted", app=app) as client:
            headers = {"traceparent": PARENT}
            answer = await client.post("/v1/search", json={"query": "turbine planted"}, headers=headers)
            assert answer.status_code == 200
            assert (await client.get("/v1/documents/text?id=planted")).status_code == 404
            assert (await client.get("/health/live")).status_code == 200

    asyncio.run(ask())
    spans = exporter.get_finished_spans()
    by_name = {span.name: span for span in spans}
    request = by_name["POST /v1/search"]
    assert f"{request.context.trace_id:032x}" == PARENT.split("-")[1]
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]
    assert request.attributes["http.route"] == "/v1/search"
    assert request.attributes["http.response.status_code"] == 200
    stages = [span for span in spans if span.name.startswith("search ")]
    assert {"search open", "search propose", "search fuse"} <= {span.name for span in stages}
    for before, after in pairwise(stages):
        assert before.end_time == after.start_time
    for span in stages:
        assert span.parent.span_id == request.context.span_id
        assert request.start_time <= span.start_time <= span.end_time <= request.end_time
    assert not any("health" in name for name in by_name)
    everything = "".join(span.to_json() for span in spans)
    assert "planted" not in everything
    assert "turbine" not in everything
