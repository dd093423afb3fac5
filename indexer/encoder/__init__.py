"""Text in, unit vectors out: the encoders, and how they are found and loaded.

Nothing heavy is imported here: a name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.encoder.hashing import HashingEncoder

__all__ = ["HashingEncoder"]

_HOME = {"HashingEncoder": "indexer.encoder.hashing"}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
