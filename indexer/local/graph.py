"""The HNSW graph over the vectors, by hnswlib, for indexes too large to scan.

A graph file covers rows 0 to n - 1 and never changes; rows added later are searched exactly until there are
enough of them to be worth a new graph. hnswlib saves neither `ef` nor, safely, in place: the parameters live
in the manifest, the file is written beside and renamed. A filter is not given to hnswlib (a Python callback
costs tens of milliseconds); the search asks for more and filters after.
"""

from __future__ import annotations

import os
from pathlib import Path

import hnswlib
import numpy as np

from indexer.encoding import Vectors
from indexer.errors import IndexCorrupt
from indexer.local.durable import sync_folder
from indexer.local.manifest import Graph
from indexer.protocol import Numbers

EXACT_UP_TO = 50_000  # rows; below, a scan is quick and a graph not worth its memory
_TAIL_SHARE = 0.1
_TAIL_LEAST = 5_000
M = 16
EF_CONSTRUCTION = 200
EF = 256
_WIDER = 1.2


def wanted(rows: int, graph: Graph | None, exact_up_to: int = EXACT_UP_TO) -> bool:
    """Return whether a graph should be made, or made again, for so many rows."""
    if rows <= exact_up_to:
        return False
    if graph is None:
        return True
    tail = rows - graph.rows
    return tail > max(min(_TAIL_LEAST, exact_up_to), _TAIL_SHARE * graph.rows)


def build(folder: Path, vectors: Vectors, previous: Graph | None) -> Graph:
    """Write a graph of all rows of `vectors`, on top of the previous one where there is one."""
    rows, dim = vectors.shape
    start = items = 0
    if previous is not None:
        index = _load(folder, previous, dim, capacity=rows)
        start, items = previous.rows, previous.items
    else:
        index = hnswlib.Index(space="ip", dim=dim)
        index.init_index(max_elements=rows, ef_construction=EF_CONSTRUCTION, M=M, random_seed=1)
    for at in range(start, rows, 10_000):
        piece = np.array(vectors[at : min(at + 10_000, rows)])
        present = np.flatnonzero(piece.any(axis=1))
        index.add_items(piece[present], present + at)
        items += len(present)
    graph = Graph(f"graph-{rows}.hnsw", rows, items, m=M, ef_construction=EF_CONSTRUCTION, ef=EF)
    beside = folder / f".{graph.file}.new"
    index.save_index(str(beside))
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(folder / graph.file)
    sync_folder(folder)
    return graph


class GraphReader:
    """The graph, in memory.

    Raises:
        IndexCorrupt: the file is missing, cut short, or of other rows than the manifest says.
    """

    def __init__(self, folder: Path, graph: Graph, dim: int) -> None:
        self.rows = graph.rows
        self._items = graph.items
        self._ef = graph.ef
        self._index = _load(folder, graph, dim, capacity=graph.rows)
        self._index.set_ef(graph.ef)
        self._index.set_num_threads(1)

    def nearest(self, vector: Vectors, count: int) -> Numbers:
        """Return about the `count` nearest rows, nearest first; none when the graph does not lead to so many."""
        # hnswlib looks as wide as ef, or as it is asked for if that is more; a little wider finds nearly all.
        wider = int(count * _WIDER)
        width = min(wider if wider > self._ef else count, self._items)
        try:
            labels, _ = self._index.knn_query(vector, k=width)
        except RuntimeError:  # hnswlib's way to say that it reached fewer than asked for
            return np.zeros(0, dtype=np.int64)
        nearest: Numbers = labels[0][:count].astype(np.int64)
        return nearest


def _load(folder: Path, graph: Graph, dim: int, capacity: int) -> hnswlib.Index:
    path = folder / graph.file
    index = hnswlib.Index(space="ip", dim=dim)
    try:
        index.load_index(str(path), max_elements=capacity)
    except (RuntimeError, MemoryError, OSError) as error:
        raise IndexCorrupt(f"{path}: hnswlib cannot read it: {error}") from error
    if index.get_current_count() != graph.items:
        raise IndexCorrupt(f"{path} holds {index.get_current_count()} vectors, {graph.items} were expected")
    return index
