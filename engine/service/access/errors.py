"""What can go wrong with keys and tokens, apart from a request that is refused (which is a `Problem`).

SearchError
├── AccessFileError   500  the keys or the secret cannot be read, are damaged, or cannot be used
└── InvalidGrant      422  a key or a token that cannot be issued as asked, or a key that is not there
"""

from __future__ import annotations

from typing import ClassVar

from engine.errors import SearchError


class AccessFileError(SearchError):
    """The file of keys, or the secret that signs tokens, cannot be read, is damaged, or cannot be used."""


class InvalidGrant(SearchError):
    """A key or a token cannot be issued as asked, or there is no such key."""

    status: ClassVar[int] = 422
