"""`Caller`: who a request comes from, once that has been proved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Scope: TypeAlias = Literal["search", "events", "index", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""`search` reads documents and a reader's own profile; `events` records what readers do and changes their profiles;
`index` adds and deletes documents; `admin` issues readers' tokens and sees the service's state. None implies
another."""

BOX = "box"
"""What stands for a key's id where the search box asks."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Args:
        key_id: The API key's public id; `box` for a browser at the search box.
        tenant: Whose readers they may speak for.
        scopes: What they may do.
        user_id: The reader whom a signed token names; None for nobody in particular.
        guest: Whether that reader is a browser that was given a name, and nobody's account.
    """

    key_id: str
    tenant: str
    scopes: frozenset[Scope]
    user_id: str | None = None
    guest: bool = False
