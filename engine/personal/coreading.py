"""Which documents the same readers read: the arithmetic, over arrays, with no store in sight.

    together(i, j) = Σ w(r) over readers r of both  /  (Σ w(r) over readers r of i + shrink)
    w(r)           = 1 / log2(1 + documents of r)

That is how likely a reader of i is to have read j, each reader saying less the more they read, since a long list says
less of any pair in it; and shrunk, since few common readers prove little. It is not divided by how much j is read, as a
cosine is: what many of them read is what the next one will (measured in docs/personalisation.md). Weights are whole
numbers of 1/2²⁰, so that sums are exact: neither the order of readers nor what was computed before can change a bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidSearchSettings
from indexer.protocol import Numbers, Scores

UNIT = 1 << 20
_PAIRS = 1 << 21  # pairs of documents that are counted at once: about 100 MB


@dataclass(frozen=True, slots=True)
class CoReading:
    """How much common readers prove.

    Args:
        shrink: How much weight of readers stands against every pair: the higher, the less do few readers prove.
        least: Common readers that a pair needs at least. From 2 on, no single reader can be seen in anybody's list.
        nearest: So many of the nearest documents are kept for each.
        most: Of a reader with more documents, so many are drawn, always the same ones; they weigh as all of them.

    Raises:
        InvalidSearchSettings: one of these is of the wrong type or outside its range.
    """

    shrink: float = 10.0
    least: int = 1
    nearest: int = 100
    most: int = 500

    def __post_init__(self) -> None:
        shrink: object = self.shrink
        if isinstance(shrink, bool) or not isinstance(shrink, int | float) or not 0 <= shrink <= 1e6:
            raise InvalidSearchSettings(f"shrink is a number from 0 to 1,000,000, found {shrink!r:.40}")
        object.__setattr__(self, "shrink", float(shrink))
        for name, high in (("least", 1_000_000), ("nearest", 1_000), ("most", 10_000)):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
                raise InvalidSearchSettings(
                    f"{name} is a whole number from 1 to {high:,}, found {value!r:.40}"
                )


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """Who read what. Documents are numbered by id, ascending; readers as they came.

    Args:
        doc_ids: The documents that somebody read, ascending, shape (n,).
        starts: Where each reader's documents begin in `read`, and its end, shape (readers + 1,).
        read: Reader by reader, numbers of documents.
        weights: What each reader counts, in units of 1/2²⁰, shape (readers,).
        met: Where each document's readers begin in `readers`, and its end, shape (n + 1,).
        readers: Document by document, who read it.
        mass: Σ weights of a document's readers, exactly, shape (n,).
    """

    doc_ids: tuple[str, ...]
    starts: Numbers
    read: Numbers
    weights: NDArray[np.float64]
    met: Numbers
    readers: Numbers
    mass: NDArray[np.float64]

    @property
    def counts(self) -> Numbers:
        """How many readers each document has, shape (n,)."""
        return np.diff(self.met)


def reads_of(readers: Iterable[tuple[str, tuple[str, ...]]], most: int) -> Reads:
    """Return what readers read, as arrays.

    Args:
        readers: Each reader once, with documents, each once.
        most: Of more documents than that, a reader's so many of the smallest hash are taken.
    """
    known: dict[str, int] = {}
    lengths: list[int] = []
    whole: list[int] = []
    codes: list[NDArray[np.int64]] = []
    for user_id, doc_ids in readers:
        drawn = _drawn(user_id, doc_ids, most) if len(doc_ids) > most else doc_ids
        codes.append(
            np.fromiter((known.setdefault(doc_id, len(known)) for doc_id in drawn), np.int64, len(drawn))
        )
        lengths.append(len(drawn))
        whole.append(len(doc_ids))
    names = sorted(known)
    by_id = np.empty(len(names), dtype=np.int64)
    by_id[[known[name] for name in names]] = np.arange(len(names))
    read = by_id[np.concatenate(codes)] if codes else np.zeros(0, dtype=np.int64)
    size = np.array(lengths, dtype=np.int64)
    weights = np.array(
        [round(UNIT / math.log2(1 + count)) if count else 0 for count in whole], dtype=np.float64
    )
    order = np.argsort(read, kind="stable")
    counts = np.bincount(read, minlength=len(names))
    return Reads(
        doc_ids=tuple(names),
        starts=_bounds(size),
        read=read,
        weights=weights,
        met=_bounds(counts),
        readers=np.repeat(np.arange(len(size)), size)[order],
        mass=np.bincount(read, np.repeat(weights, size), minlength=len(names)).astype(np.float64),
    )


def nearest(
    reads: Reads, documents: Numbers, settings: CoReading, tell: Callable[[int], None]
) -> Iterator[tuple[int, Numbers, Scores]]:
    """Yield documents with those most often read by the same readers, the most often first, ties by id.

    Args:
        reads: Who read what.
        documents: For which ones, ascending.
        settings: How much common readers prove.
        tell: Is told now and then how many are done.
    """
    pairs = np.bincount(reads.read, np.repeat(np.diff(reads.starts), np.diff(reads.starts))).astype(np.int64)
    ends = np.cumsum(pairs[documents])
    at = 0
    while at < len(documents):
        done = ends[at - 1] if at else 0
        end = max(int(np.searchsorted(ends, done + _PAIRS, side="right")), at + 1)
        block = documents[at:end]
        rows, others, shared = _counted(reads, block, settings.least)
        values = (shared / (reads.mass[block[rows]] + settings.shrink * UNIT)).astype(np.float32)
        order = np.lexsort((others, -values, rows))
        bounds = np.searchsorted(rows[order], np.arange(len(block) + 1)).tolist()
        for row, document in enumerate(block.tolist()):
            kept = order[bounds[row] : min(bounds[row + 1], bounds[row] + settings.nearest)]
            yield document, others[kept], values[kept]
        at = end
        tell(at)


def _counted(reads: Reads, block: Numbers, least: int) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
    """Return the pairs of documents of a block with others that have enough common readers.

    Returns:
        The place of one document in the block, the other's number, and the weight of their common readers.
    """
    count = len(reads.doc_ids)
    lengths = np.diff(reads.met)[block]
    who = reads.readers[_ranges(reads.met[block], lengths)]
    rows = np.repeat(np.arange(len(block)), lengths)
    if len(block) == 1:  # perhaps a document that very many read: counted piece by piece
        weighed, common = np.zeros(count), np.zeros(count)
        step = max(_PAIRS // max(int(np.diff(reads.starts).max()), 1), 1)
        for at in range(0, len(who), step):
            others, sizes = _documents_of(reads, who[at : at + step])
            weighed += np.bincount(
                others, np.repeat(reads.weights[who[at : at + step]], sizes), minlength=count
            )
            common += np.bincount(others, minlength=count)
        keys = np.flatnonzero(common)
        weighed, common = weighed[keys], common[keys]
    else:
        others, sizes = _documents_of(reads, who)
        keys = np.repeat(rows, sizes) * count + others
        order = np.argsort(keys)
        keys = keys[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else keys
        ends = np.append(first[1:], len(keys))
        sums = np.concatenate([[0.0], np.cumsum(np.repeat(reads.weights[who], sizes)[order])])
        keys, weighed, common = keys[first], sums[ends] - sums[first], (ends - first).astype(np.float64)
    rows, others = keys // max(count, 1), keys % max(count, 1)
    kept = (common >= least) & (others != block[rows])
    return rows[kept], others[kept], weighed[kept]


def _documents_of(reads: Reads, who: Numbers) -> tuple[Numbers, Numbers]:
    """Return the documents of these readers, one reader after the other, and how many each has."""
    sizes = np.diff(reads.starts)[who]
    return reads.read[_ranges(reads.starts[who], sizes)], sizes


def _ranges(starts: Numbers, lengths: Numbers) -> Numbers:
    """Return start, start + 1, … for each of several spans, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    places: Numbers = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return places


def _bounds(lengths: Numbers) -> Numbers:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)


def _drawn(user_id: str, doc_ids: tuple[str, ...], most: int) -> list[str]:
    key = blake2b(user_id.encode(), digest_size=16).digest()

    def draw(doc_id: str) -> tuple[bytes, str]:
        return blake2b(doc_id.encode(), digest_size=8, key=key).digest(), doc_id

    return sorted(doc_ids, key=draw)[:most]
