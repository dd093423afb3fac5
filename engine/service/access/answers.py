"""A problem as an answer, from where there is no route yet: from middleware."""

from __future__ import annotations

import json

from starlette.types import Send

from engine.service.problems import MEDIA_TYPE, Problem


async def send_problem(problem: Problem, send: Send, *, closing: bool = False) -> None:
    """Answer with a problem.

    Args:
        problem: What is wrong.
        send: Of the request.
        closing: Whether the connection ends with it, as where the rest of a body is not wanted.
    """
    body = json.dumps(problem.to_json(), ensure_ascii=False).encode()
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(body)),
        **{name.lower(): value for name, value in problem.headers.items()},
        **({"connection": "close"} if closing else {}),
    }
    lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": lines})
    await send({"type": "http.response.body", "body": body})
