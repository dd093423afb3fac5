"""The official client's transport, set up: hosts, TLS, credentials, and nothing of it in logs or warnings.

Imported only when a request is made: it needs the packages `elasticsearch` and `orjson`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, ClassVar

import elastic_transport
import orjson
import urllib3
from elastic_transport import (
    ApiResponseMeta,
    HttpHeaders,
    NodeConfig,
    Serializer,
    Transport,
    Urllib3HttpNode,
)
from elastic_transport.client_utils import DEFAULT, DefaultType, parse_cloud_id
from elasticsearch import Elasticsearch
from elasticsearch.serializer import JsonSerializer
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from indexer.elastic.address import ElasticAddress
from indexer.elastic.errors import ElasticError
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.reply import Lost, Reply
from indexer.elastic.wire.retrying import is_untrusted, reason_of, retry_after_of
from indexer.elastic.wire.trust import Trust, trust_of
from indexer.errors import InvalidSettings

log = logging.getLogger(__name__)

# The client keeps a node that failed out of the rotation for 1, 2, 4 ... seconds, at most so many.
LONGEST_ABSENCE = 60.0
_MOST_WARNINGS = 100


class _AsBytes(Serializer):
    """Leaves bodies as they are: Quire reads and writes JSON itself, and must see an answer that is none."""

    mimetype = "application/json"

    def loads(self, data: bytes) -> Any:
        return data

    def dumps(self, data: Any) -> bytes:
        return bytes(data)


class _Node(Urllib3HttpNode):
    """One host. Bodies are never logged, and waiting for a free connection counts against the time limit."""

    connect_seconds: ClassVar[float] = 3.0
    trust: ClassVar[Trust | None] = None

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        if self.trust is not None and isinstance(self.pool, urllib3.HTTPSConnectionPool):
            # The client would add the authorities that certifi knows to our context.
            self.pool.ca_certs = None
            if not self.trust.names:
                self.pool.assert_hostname = False
        self._free = threading.BoundedSemaphore(config.connections_per_node)

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> Any:
        limit = max(request_timeout, 0.01) if isinstance(request_timeout, int | float) else None
        start = time.monotonic()
        if not self._free.acquire(timeout=limit):
            raise elastic_transport.ConnectionTimeout("every connection was busy")
        try:
            if limit is not None:
                left = max(limit - (time.monotonic() - start), 0.01)
                within: Any = urllib3.Timeout(connect=min(self.connect_seconds, left), read=left)
                return super().perform_request(method, target, body, headers, within)
            return super().perform_request(method, target, body, headers, request_timeout)
        finally:
            self._free.release()

    def _log_request(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the client would write out whole bodies, which hold documents and readers' data."""


class Wire:
    """Sends requests to whichever host is well, each once. Safe to share between threads.

    Raises:
        InvalidSettings: the settings cannot be used: a damaged cloud id, a file of certificates that cannot be read.
        Lost: no host shows the certificate whose fingerprint the settings hold.
    """

    def __init__(self, address: ElasticAddress, settings: ElasticSettings) -> None:
        hosts = [_cloud_host(settings.cloud_id)] if settings.cloud_id else address.hosts
        scheme = "https" if address.secure or settings.cloud_id else "http"
        trust = trust_of(settings, hosts)
        options: dict[str, Any] = {}
        if settings.sniff:
            options = {
                "sniff_before_requests": True,
                "min_delay_between_sniffing": 60.0,
                "sniff_timeout": 2.0,
            }
        client = Elasticsearch(
            hosts=_nodes(hosts, trust, settings, scheme),
            node_class=type("Node", (_Node,), {"connect_seconds": settings.connect_seconds, "trust": trust}),
            serializers={
                "application/json": _AsBytes(),
                "application/x-ndjson": _AsBytes(),
                # The client's own requests, of sniffing, ask for this kind.
                "application/vnd.elasticsearch+json": JsonSerializer(),
            },
            max_dead_node_backoff=LONGEST_ABSENCE,
            **options,
        )
        self._transport: Transport = client.transport
        self._warned: set[str] = set()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def send(self, method: str, target: str, payload: bytes | None, kind: str, seconds: float) -> Reply:
        """Send a request to one host and return what it answers, whatever the status.

        Args:
            method: Of HTTP.
            target: Path and query.
            payload: Body, or None.
            kind: Media type of the body.
            seconds: How long to wait.

        Raises:
            Lost: no answer came.
            ElasticError: the answer is not one of Elasticsearch.
        """
        headers = {"accept": "application/json"}
        if payload is not None:
            headers["content-type"] = kind
        try:
            meta, body = self._transport.perform_request(
                method, target, body=payload, headers=headers, request_timeout=seconds, max_retries=0
            )
        except elastic_transport.ConnectionTimeout as error:
            sent = not isinstance(error.__cause__, ConnectTimeoutError)
            raise Lost("no answer in time", sent=sent, slow=True) from error
        except elastic_transport.ConnectionError as error:
            trusted = not is_untrusted(error)
            sent = trusted and not isinstance(error.__cause__, NewConnectionError)
            raise Lost(reason_of(error), sent=sent, again=trusted) from error
        except elastic_transport.SerializationError as error:
            raise _no_elasticsearch(target, str(error)[:200]) from error
        except elastic_transport.SniffingError as error:
            raise Lost(f"sniffing found no node: {error}", sent=False) from error
        self._tell_warning(meta.headers.get("warning"))
        return _reply(meta, body, target)

    def _tell_warning(self, warning: str | None) -> None:
        if warning and warning not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(warning)
            log.warning("Elasticsearch warns: %s", warning)


def _reply(meta: ApiResponseMeta, body: Any, target: str) -> Reply:
    retry_after = retry_after_of(meta.headers.get("retry-after"))
    good = 200 <= meta.status < 300
    if good and meta.headers.get("x-elastic-product") != "Elasticsearch":
        raise _no_elasticsearch(target, "the answer does not say that it comes from Elasticsearch")
    if isinstance(body, bytes):
        try:
            body = orjson.loads(body) if body else None
        except orjson.JSONDecodeError as error:
            if good:
                raise _no_elasticsearch(target, f"the answer is no JSON: {error}") from error
            body = body.decode(errors="replace")
    return Reply(meta.status, body, retry_after)


def _no_elasticsearch(target: str, what: str) -> ElasticError:
    path = target.partition("?")[0]
    return ElasticError(
        0, "not_elasticsearch", f"{what}; is the address right, and is a proxy in between?", path
    )


def _nodes(
    hosts: Sequence[tuple[str, int]], trust: Trust | None, settings: ElasticSettings, scheme: str
) -> list[NodeConfig]:
    headers = {"x-opaque-id": "quire"}
    if settings.authorization:
        headers["authorization"] = settings.authorization
    return [
        NodeConfig(
            scheme,
            host,
            port,
            headers=headers,
            connections_per_node=settings.connections,
            request_timeout=settings.timeout_seconds,
            http_compress=bool(settings.cloud_id),
            ssl_context=trust.context if trust else None,
        )
        for host, port in hosts
    ]


def _cloud_host(cloud_id: str) -> tuple[str, int]:
    try:
        found = parse_cloud_id(cloud_id).es_address
    except ValueError:
        found = None
    if found is None or not found[0] or not found[1]:
        raise InvalidSettings("cloud_id is damaged: copy it again from the deployment's page")
    return found[0], found[1]
