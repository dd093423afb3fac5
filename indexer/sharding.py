"""A corpus split among workers: each takes the documents whose id falls to it, and none needs to know of the others.

    Shard.parse("3/16")     the third of sixteen

The split depends on nothing but the ids: the same on every machine, whatever the order of reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from indexer.document import storable
from indexer.errors import InvalidSettings

_WRITTEN = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a corpus; `doc_id in shard` says whether a document belongs to it.

    Args:
        number: Which, from 1.
        count: Of how many.

    Raises:
        InvalidSettings: there is no such part.
    """

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise InvalidSettings(
                f"a shard is written as its number and how many there are, from 1/{max(self.count, 1)} to "
                f"{max(self.count, 1)}/{max(self.count, 1)}, found {self.number}/{self.count}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard written as `3/16`.

        Raises:
            InvalidSettings: it is not written so, or there is no such part.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise InvalidSettings(
                f"a shard is written as its number and how many there are, such as 3/16, found {text!r:.40}"
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def __contains__(self, doc_id: object) -> bool:
        if self.count == 1:
            return True
        digest = blake2b(storable(str(doc_id)).encode(), digest_size=8, person=b"quire-shard").digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1


WHOLE = Shard()
"""All of a corpus."""
