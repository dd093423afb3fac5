"""Traces for OpenTelemetry, where somebody collects them: a span a request, and one for each stage of its searches.

They are configured as everywhere, by `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`),
`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and so on; `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none` turns
them off. They need the extra `quire-search[tracing]`. Where no endpoint is named nothing is imported or made.

A span holds what the log holds of a request, less who asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from engine.errors import SearchError
from engine.service.watching.route import route_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from engine.service.watching.record import Answered, Record

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
INSTALL = 'pip install "quire-search[tracing]"'


class TracingUnavailable(SearchError):
    """The environment asks for traces that cannot be made here."""


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces."""
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    none = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none"
    return not off and not none and any(environ.get(name) for name in ENDPOINTS)


def check(environ: Mapping[str, str]) -> None:
    """Say what keeps traces from being made, where they are asked for.

    Raises:
        TracingUnavailable: packages are missing, or the protocol is not HTTP.
    """
    if not wanted(environ):
        return
    name = next(name for name in ENDPOINTS if environ.get(name))
    for package in PACKAGES:
        if not _is_there(package):
            raise TracingUnavailable(
                f"{name} asks for traces, but {package} is not installed: {INSTALL}, or unset the variable"
            )
    for variable in PROTOCOLS:
        if environ.get(variable, "http/protobuf") != "http/protobuf":
            raise TracingUnavailable(
                f"{variable} is {environ[variable]!r:.40}; traces are sent as http/protobuf only"
            )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


class Traces:
    """Makes spans.

    Args:
        provider: Where they go.
    """

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("quire")
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def configured(cls, environ: Mapping[str, str]) -> Traces | None:
        """Return what the environment asks for; None where it asks for none.

        Raises:
            TracingUnavailable: packages are missing, or the protocol is not HTTP.
        """
        check(environ)
        if not wanted(environ):
            return None
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        named = {} if environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: "quire"}
        provider = TracerProvider(resource=Resource.create(named))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def request(self, scope: Mapping[str, Any], record: Record) -> Iterator[None]:
        """Make the span of a request of what is done inside; its caller's span is its parent, where it names one."""
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        trace = self._trace
        span = self._tracer.start_span(
            record.method, context=self._propagator.extract(carrier), kind=trace.SpanKind.SERVER
        )
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            route = route_of(scope)
            if route:
                span.update_name(f"{record.method} {route}")
                span.set_attribute("http.route", route)
            span.set_attribute("http.request.method", record.method)
            span.set_attribute("url.scheme", scope.get("scheme", "http"))
            span.set_attribute("quire.request_id", record.request_id)
            if record.status:
                span.set_attribute("http.response.status_code", record.status)
            if record.errors:
                span.set_attribute("error.type", type(record.errors[-1]).__name__)
            if record.status >= 500 or record.errors:
                span.set_status(trace.StatusCode.ERROR)
            parent = trace.set_span_in_context(span)
            for answered in record.answers:
                self._stages(answered, parent)
            span.end()

    def _stages(self, answered: Answered, parent: Any) -> None:
        """Make a span of each stage of a search: they follow each other, and the last ended when it was ready."""
        took = {name: int(value * 1_000_000) for name, value in answered.timings.items()}
        at = answered.at - sum(took.values())
        for name, nanoseconds in took.items():
            span = self._tracer.start_span(f"search {name}", context=parent, start_time=at)
            span.set_attribute("quire.found", answered.found)
            span.set_attribute("quire.rerank_depth", answered.rerank_depth)
            span.set_attribute("quire.degraded", answered.degraded)
            at += nanoseconds
            span.end(end_time=at)

    def close(self) -> None:
        """Send what has not been sent yet."""
        self._provider.shutdown()
