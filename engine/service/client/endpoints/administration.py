"""What whoever runs a site asks. All of it needs the scope `admin`."""

from __future__ import annotations

from engine.service.client.answers.administration import ReaderToken, Stats
from engine.service.client.call import Call


def reader_token(user_id: str, *, hours: float | None = None) -> Call[ReaderToken]:
    """Issue a token that names a reader of the key's tenant, to be passed on to that reader's browser.

    Args:
        user_id: Your name for the reader.
        hours: How long it holds; None for as long as the service allows.
    """
    body: dict[str, object] = {"user_id": user_id}
    if hours is not None:
        body["hours"] = hours
    return Call("POST", "/v1/reader-tokens", ReaderToken, body=body)


def stats() -> Call[Stats]:
    """Return what the index holds, and how the process does that answers."""
    return Call("GET", "/v1/stats", Stats, repeatable=True)
