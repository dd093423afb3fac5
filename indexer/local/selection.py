"""Some of the documents, as a reader of the embedded index understands it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.errors import InvalidFilter
from indexer.protocol import Selection


@dataclass(frozen=True, slots=True)
class DocumentSelection:
    """Some documents: `mask[n]` says whether number n is among them."""

    mask: NDArray[np.bool_]
    count: int

    def __contains__(self, document: int) -> bool:
        return 0 <= document < len(self.mask) and bool(self.mask[document])


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
