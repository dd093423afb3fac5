"""A problem as an answer, from where there is no route yet: from middleware."""

from __future__ import annotations

import asyncio
import json

from starlette.types import Receive, Send

from engine.service.problems import MEDIA_TYPE, Problem

LINGER_SECONDS = 2.0
LINGER_BYTES = 64 * 1024 * 1024


async def send_problem(problem: Problem, send: Send, unread: Receive | None = None) -> None:
    """Answer with a problem.

    Args:
        problem: What is wrong.
        send: Of the request.
        unread: The rest of a body that is not wanted, which ends the connection: what of it arrives within two seconds
            (64 MB at most) is thrown away first. A connection that ends while the other side still writes is reset,
            and the answer with it, before the other side has read it.
    """
    body = json.dumps(problem.to_json(), ensure_ascii=False).encode()
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        **{name.lower(): value for name, value in problem.headers.items()},
        **({"connection": "close"} if unread else {}),
    }
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": lines})
    if unread is not None:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await _throw_away(unread)
        body = b""
    await send({"type": "http.response.body", "body": body})


async def _throw_away(unread: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            left = LINGER_BYTES
            while left > 0:
                message = await unread()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return
