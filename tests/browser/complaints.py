"""`Complaints`: what pages say to nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request


@dataclass
class Complaints:
    """Errors on the console, exceptions that no script caught, breaches of the Content-Security-Policy."""

    heard: list[str] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Hear what a page says."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.heard.append(f"uncaught: {error}"))
        page.on("requestfailed", self._failed)

    def expect(self, part: str) -> None:
        """Say that messages with this in them are as they should be."""
        self._expected.append(part)

    @property
    def unexpected(self) -> list[str]:
        """The messages that nobody expected."""
        return [message for message in self.heard if not any(part in message for part in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.heard.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request: Request) -> None:
        # A page that is left, or a search that a later one has overtaken, takes its requests with it.
        if request.failure and "ERR_ABORTED" not in request.failure:
            self.heard.append(f"request failed: {request.method} {request.url}: {request.failure}")
