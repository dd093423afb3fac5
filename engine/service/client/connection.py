"""`Connection`: where the service is and who asks; what both clients need before and around a request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import httpx

from engine.service.client.call import Call
from engine.service.client.patience import Patience

READER_HEADER = "Quire-Reader"
TIMEOUT = 40.0
"""Seconds: more than the 30 after which a service gives up and says when to ask again, so that this is heard."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where, and who.

    Args:
        url: The address of the service: http://localhost:8765.
        key: An API key; empty for none.
        reader: A reader's token; empty for nobody in particular.
        timeout: Seconds to wait for a connection, and for each piece of an answer.
        patience: How often a request is sent again.
    """

    url: str
    key: str = field(default="", repr=False)
    reader: str = field(default="", repr=False)
    timeout: float = TIMEOUT
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(
                f"the address of a service begins with http:// or https://, found {self.url!r:.80}"
            )
        for name, value in (("an API key", self.key), ("a reader's token", self.reader)):
            if not (value.isascii() and value.isprintable()) or " " in value:
                raise ValueError(f"{name} is of printable ASCII characters without spaces, as it was issued")

    @property
    def options(self) -> dict[str, Any]:
        """What an httpx client is made with."""
        return {
            "base_url": self.url.rstrip("/"),
            "timeout": self.timeout,
            "headers": {"User-Agent": "quire-client", "Accept": "application/json, application/problem+json"},
        }

    @contextlib.contextmanager
    def asking(self, call: Call[Any]) -> Iterator[dict[str, Any]]:
        """Give what httpx sends for a call; its files are open inside."""
        headers = dict(call.headers or {})
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if self.reader:
            headers[READER_HEADER] = self.reader
        request: dict[str, Any] = {
            "method": call.method,
            "url": call.path,
            "params": call.query,
            "headers": headers,
        }
        if call.body is not None:
            request["json"] = call.body
        with contextlib.ExitStack() as opened:
            if call.files:
                request["files"] = [
                    part
                    for doc_id, path in call.files
                    for part in _parts(doc_id, path.name, opened.enter_context(path.open("rb")))
                ]
            yield request


def _parts(doc_id: str, name: str, content: IO[bytes]) -> Iterator[tuple[str, tuple[str | None, Any]]]:
    """Yield the parts of a form that one file is: its document's id, where it is given one, and its content."""
    if doc_id:
        yield "doc_id", (None, doc_id)
    yield "file", (name, content)


FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)
"""The errors of httpx that mean that there was no answer."""


def pauses() -> Iterator[float]:
    """Yield how many seconds to wait before each look at a job: a tenth at first, two in the end."""
    pause = 0.1
    while True:
        yield pause
        pause = min(pause * 1.5, 2.0)
