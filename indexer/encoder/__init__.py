"""Text in, unit vectors out: the encoders, and how they are found and loaded.

    load_encoder     a name or a path -> an `indexer.encoding.Encoder`
    HashingEncoder   an encoder without a model, for tests and for trying things out

Nothing heavy is imported here: a name is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from indexer.encoder.hashing import HashingEncoder
    from indexer.encoder.load import Device, Precision, load_encoder
    from indexer.encoder.locate import DEFAULT_ENCODER

__all__ = ["DEFAULT_ENCODER", "Device", "HashingEncoder", "Precision", "load_encoder"]

_HOME = {
    "DEFAULT_ENCODER": "indexer.encoder.locate",
    "Device": "indexer.encoder.load",
    "HashingEncoder": "indexer.encoder.hashing",
    "Precision": "indexer.encoder.load",
    "load_encoder": "indexer.encoder.load",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
