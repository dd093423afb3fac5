"""`Seals`: what is given out here and comes back, such as a cursor, is known again; nobody else can make it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2b

_PURPOSE = b"quire cursor"  # so that a seal is good for nothing else that is signed with the same secret
_BYTES = 12


class Seals:
    """Puts a seal behind a text, and looks whether a text that comes back still has it.

    Args:
        secrets: Says which secrets hold now (`secret.signing_secrets`): the first seals, each verifies.
    """

    def __init__(self, secrets: Callable[[], tuple[bytes, ...]]) -> None:
        self._secrets = secrets

    def sealed(self, text: str) -> str:
        """Return a text with its seal, after a dot."""
        return f"{text}.{_seal(text, self._secrets()[0])}"

    def opened(self, sealed: str) -> str | None:
        """Return the text that was sealed; None where it was not, or not here."""
        if not sealed.isascii():
            return None
        text, _, seal = sealed.rpartition(".")
        known = [hmac.compare_digest(seal, _seal(text, secret)) for secret in self._secrets()]
        return text if any(known) else None


def _seal(text: str, secret: bytes) -> str:
    return blake2b(
        text.encode(), digest_size=_BYTES, key=blake2b(secret).digest(), person=_PURPOSE
    ).hexdigest()
