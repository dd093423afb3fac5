"""How the indexes behind the name of an address are called.

`books` stands for two aliases, `books-passages` and `books-documents`; each leads to one concrete index, whose number
grows with every rebuild: `books-passages-000001`.
"""

from __future__ import annotations

import re

_GENERATION = re.compile(r"-(\d{6})\Z")


def passages_alias(name: str) -> str:
    """Return the alias of the index of passages."""
    return f"{name}-passages"


def documents_alias(name: str) -> str:
    """Return the alias of the index of documents."""
    return f"{name}-documents"


def concrete(alias: str, generation: int) -> str:
    """Return the name of the index that an alias leads to after so many builds, counted from 1."""
    return f"{alias}-{generation:06d}"


def build_of(index: str, alias: str) -> int:
    """Return which build of an alias a concrete index is, from 1; 0 when it is none of them."""
    found = _GENERATION.search(index)
    return int(found.group(1)) if found and index[: found.start()] == alias else 0
