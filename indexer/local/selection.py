"""Some of the documents, as a reader of the embedded index understands it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.errors import InvalidFilter
from indexer.protocol import Numbers, Selection


@dataclass(frozen=True, slots=True)
class DocumentSelection:
    """Some documents: `mask[n]` says whether number n is among them."""

    mask: NDArray[np.bool_]
    count: int

    def __contains__(self, document: int) -> bool:
        return 0 <= document < len(self.mask) and bool(self.mask[document])

    def holds(self, documents: Numbers) -> NDArray[np.bool_]:
        """Return whether each of these documents is among them, shape (n,)."""
        inside = (documents >= 0) & (documents < len(self.mask))
        held: NDArray[np.bool_] = (
            inside & self.mask[np.where(inside, documents, 0)] if len(self.mask) else inside
        )
        return held


def own(selection: Selection | None) -> DocumentSelection | None:
    """Return a selection as this index made it.

    Raises:
        InvalidFilter: another one made it.
    """
    if selection is None or isinstance(selection, DocumentSelection):
        return selection
    raise InvalidFilter(
        f"a selection counts with the reader that made it; found a {type(selection).__name__}"
    )
