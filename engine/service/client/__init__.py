"""A typed client of the service, for programs that wait (`Client`) and for coroutines (`AsyncClient`).

    from quire import Client

    with Client("http://localhost:8765", "quire_...") as client:
        for hit in client.search("boundary layer", filters={"year": {"gte": 1960}}):
            print(hit.rank, hit.title, hit.passages[0].snippet.text)

- `sync_client`, `async_client`: the two clients, which only send and wait.
- `endpoints`: every request, as functions that return a `Call`; the clients have them as methods.
- `answers`: what comes back, as frozen values; `reading` makes them of JSON.
- `errors`: what can go wrong; `patience`: what is sent again, and when.

It knows nothing of the service's own code, and needs httpx (`pip install 'quire-search[service]'`).
"""

from __future__ import annotations

try:
    import httpx as _httpx
except ImportError as error:
    raise ImportError(
        "the client of the service needs httpx; install it with: pip install 'quire-search[service]'"
    ) from error

from engine.service.client.async_client import AsyncClient
from engine.service.client.errors import (
    Busy,
    NoAnswer,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    ServiceProblem,
    TooMany,
    Unusable,
)
from engine.service.client.patience import Patience
from engine.service.client.sync_client import Client

__all__ = [
    "AsyncClient",
    "Busy",
    "Client",
    "NoAnswer",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Patience",
    "ServiceProblem",
    "TooMany",
    "Unusable",
]

del _httpx
