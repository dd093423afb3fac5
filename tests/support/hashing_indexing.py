"""The process that indexes, for indexes whose encoder is the hashing one: `python -m hashing_indexing`."""

from __future__ import annotations

from functools import partial

from engine.service.jobs import indexing_child
from indexer.encoder import HashingEncoder
from indexer.opening import open_index


def main() -> None:
    """Do what standard input says."""
    indexing_child.open_index = partial(open_index, encoder=HashingEncoder(32))  # type: ignore[assignment]
    indexing_child.NICE = 0  # tests wait for it, beside other tests
    indexing_child.main()


if __name__ == "__main__":
    main()
