"""Server-sent events (the HTML standard, section 9.2): bytes in, events out, wherever the bytes were cut."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event.

    Args:
        name: What it is; `message` where it has no name.
        data: What it says.
    """

    name: str
    data: str


class EventParser:
    """Cuts a stream into events.

    Lines end with CR, LF or both, and with nothing else: a text may hold U+2028 or U+0085, at which `str.splitlines`,
    and httpx with it, would cut.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """Return the events that end in this piece; what is begun is kept for the next."""
        self._rest += piece
        # A CR at the very end may be half of a CR LF.
        held = b"\r" if self._rest.endswith(b"\r") else b""
        lines = self._rest.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        found = (self._line(line.decode("utf-8", "replace")) for line in lines)
        return [event for event in found if event is not None]

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._end()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        return None

    def _end(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data = "", []
        return ServerEvent(name or "message", "\n".join(data)) if data else None
