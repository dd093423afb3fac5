"""Whether a sentence is long enough to say something by itself."""

from __future__ import annotations

import re

from indexer.scripts import UNSPACED

_SHORTEST = 40  # a sentence of less says nothing by itself; a character of Chinese counts three
_UNSPACED = re.compile(f"[{UNSPACED}]")


def says_something(text: str) -> bool:
    """Whether a sentence is long enough to say something by itself."""
    return len(text) + 2 * len(_UNSPACED.findall(text)) >= _SHORTEST
