"""Asks a service's /v1/search, many clients at once, and says how long each answer took: a process of its own.

    python benchmarks/load_generator.py < SPECIFICATION

Each client keeps one connection, asks, waits for the answer and asks again. One that is cut off, or refused with 503,
asks the same again, as clients do, five times at most; what is not answered then is lost. The specification is JSON
(`Specification`); after every thousand answers a line `done N` is printed, at the end the outcome as JSON.

It speaks HTTP/1.1 itself, in little more than a page: a client library would take processor time from the service.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

TRIES = 6
PAUSE = 0.05


@dataclass
class Specification:
    """What to ask.

    Args:
        host: Where.
        port: Where.
        key: The API key.
        queries: What to search for, in turns.
        clients: How many ask at once.
        seconds: How long; 0 for as long as `requests` take.
        requests: How many; 0 for as many as there is time for.
        body: More for each request's body.
    """

    host: str
    port: int
    key: str
    queries: list[str]
    clients: int
    seconds: float = 0.0
    requests: int = 0
    body: dict[str, object] = field(default_factory=dict)


@dataclass
class Outcome:
    """What came of it: latencies in milliseconds, of those that were answered, retries included."""

    seconds: float = 0.0
    answered: int = 0
    degraded: int = 0
    cut_off: int = 0
    refused: int = 0
    lost: int = 0
    other: dict[str, int] = field(default_factory=dict)
    generations: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


class Client:
    """One connection at a time."""

    def __init__(self, asked: Specification) -> None:
        self._asked = asked
        self._head = (
            f"POST /v1/search HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {asked.key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, query: str) -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._asked.host, self._asked.port, limit=1 << 20)
        reader, writer = self._streams
        body = json.dumps({"query": query, "k": 10, **self._asked.body}).encode()
        writer.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        answer = await reader.readexactly(length)
        if b"\r\nconnection: close\r\n" in head:
            self.hang_up()
        return status, answer

    def hang_up(self) -> None:
        """Let the connection go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class Load:
    """All the clients."""

    def __init__(self, asked: Specification) -> None:
        self._asked = asked
        self._outcome = Outcome()
        self._next = 0
        self._until = time.perf_counter() + asked.seconds if asked.seconds else float("inf")
        self._generations: set[int] = set()

    async def run(self) -> Outcome:
        """Ask everything."""
        began = time.perf_counter()
        await asyncio.gather(*(self._client() for _ in range(self._asked.clients)))
        self._outcome.seconds = time.perf_counter() - began
        self._outcome.generations = sorted(self._generations)
        return self._outcome

    async def _client(self) -> None:
        client, asked = Client(self._asked), self._asked
        while time.perf_counter() < self._until and not (asked.requests and self._next >= asked.requests):
            number, self._next = self._next, self._next + 1
            await self._one(client, asked.queries[number % len(asked.queries)])
        client.hang_up()

    async def _one(self, client: Client, query: str) -> None:
        outcome, began = self._outcome, time.perf_counter()
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE * 2**attempt)
            try:
                status, answer = await client.ask(query)
            except (OSError, asyncio.IncompleteReadError):
                outcome.cut_off += 1
                client.hang_up()
                continue
            if status == 503:
                outcome.refused += 1
                continue
            if status != 200:
                outcome.other[str(status)] = outcome.other.get(str(status), 0) + 1
                return
            self._answered(json.loads(answer), (time.perf_counter() - began) * 1000)
            return
        outcome.lost += 1

    def _answered(self, answer: dict[str, object], took: float) -> None:
        outcome = self._outcome
        outcome.answered += 1
        outcome.latencies.append(round(took, 2))
        outcome.degraded += bool(answer["degraded"])
        self._generations.add(int(str(answer["generation"])))
        if outcome.answered % 1000 == 0:
            print(f"done {outcome.answered}", flush=True)


def main() -> None:
    """Read what to do, do it, and say what came of it."""
    print(json.dumps(asdict(asyncio.run(Load(Specification(**json.load(sys.stdin))).run()))))


if __name__ == "__main__":
    main()
