"""Checks every invariant between the three stores, and names what fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from indexer.backend import Problem, Store, Verification
from indexer.errors import IndexCorrupt
from indexer.local import truth
from indexer.local.derive import stored_vectors
from indexer.local.durable import checksum
from indexer.local.graph import GraphReader
from indexer.local.lexical import LexicalReader
from indexer.local.manifest import Manifest
from indexer.local.vectors import FILE, VectorFile
from indexer.local.verify_truth import truth_problems
from indexer.local.whole import WholeReader
from indexer.protocol import Numbers

_ROWS = 4096
_SAMPLE = 50  # queries that test the graph's recall
_RECALL = 0.8  # of the ten nearest; below, the graph is called damaged


def verify(index: Path, manifest: Manifest, dim: int) -> Verification:
    """Check the generation that `manifest` names; reads all of it."""
    folder = manifest.folder(index)
    problems: list[Problem] = []
    documents = passages = 0
    try:
        connection = truth.connect(folder / truth.FILE)
    except IndexCorrupt as error:
        return Verification(manifest.generation, 0, 0, (Problem("sqlite", str(error), repairable=False),))
    try:
        problems += [Problem("sqlite", found, repairable=False) for found in truth_problems(connection, dim)]
        if not problems:
            live = _live_passages(connection)
            passages = len(live)
            documents = connection.execute("SELECT count(*) FROM documents WHERE removed IS NULL").fetchone()[
                0
            ]
            generation = int(truth.read_meta(connection)["generation"])
            if generation != manifest.generation:
                found = f"the manifest is at generation {manifest.generation}, SQLite at {generation}"
                problems.append(Problem("manifest", found, repairable=True))
            problems += _files(folder, manifest)
            problems += [Problem("lexical", found, True) for found in _lexical(folder, manifest, live)]
            problems += [Problem("whole", found, True) for found in _whole(folder, manifest, connection)]
            problems += [
                Problem("vectors", found, True) for found in _vectors(folder, manifest, connection, dim)
            ]
            problems += [Problem("graph", found, True) for found in _graph(folder, manifest, dim)]
    except (sqlite3.DatabaseError, UnicodeDecodeError, IndexCorrupt) as error:
        problems.append(Problem("sqlite", f"SQLite says {error}", repairable=False))
    finally:
        connection.close()
    return Verification(manifest.generation, documents, passages, tuple(problems))


def _live_passages(connection: sqlite3.Connection) -> Numbers:
    rows = connection.execute(
        "SELECT p.number FROM passages p JOIN documents d ON d.number = p.document WHERE d.removed IS NULL"
    )
    return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))


def _files(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    for name, check in manifest.files.items():
        path = folder / name
        store = _store(name)
        if not path.exists():
            yield Problem(store, f"{name} is missing", repairable=True)
        elif path.stat().st_size < check.size:
            found = f"{name} has {path.stat().st_size} bytes, {check.size} were written"
            yield Problem(store, found, repairable=True)
        elif checksum(path, check.size) != check.crc:
            yield Problem(store, f"{name} is not what was written: its checksum differs", repairable=True)


def _store(name: str) -> Store:
    if name == FILE:
        return "vectors"
    if name.startswith("graph"):
        return "graph"
    return "whole" if name.startswith("whole") else "lexical"


def _lexical(folder: Path, manifest: Manifest, live: Numbers) -> Iterator[str]:
    try:
        found = LexicalReader(folder / manifest.lexical).all_passages()
    except (IndexCorrupt, ValueError) as error:
        yield str(error)
        return
    yield from _difference("passages", live, found)


def _whole(folder: Path, manifest: Manifest, connection: sqlite3.Connection) -> Iterator[str]:
    if not manifest.whole:
        yield "there is none; opening the index makes it"
        return
    rows = connection.execute("SELECT number FROM documents WHERE removed IS NULL AND passages > 0")
    live = np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64))
    try:
        found = WholeReader(folder / manifest.whole).all_documents()
    except (IndexCorrupt, ValueError) as error:
        yield str(error)
        return
    yield from _difference("documents", live, found)


def _difference(what: str, live: Numbers, found: Numbers) -> Iterator[str]:
    if not np.array_equal(found, live):
        missing, extra = len(np.setdiff1d(live, found)), len(np.setdiff1d(found, live))
        yield f"of {len(live)} {what} it lacks {missing}, and it holds {extra} that are not in SQLite"


def _vectors(folder: Path, manifest: Manifest, connection: sqlite3.Connection, dim: int) -> Iterator[str]:
    try:
        matrix = VectorFile(folder / FILE, manifest.rows, dim).matrix
    except IndexCorrupt as error:
        yield str(error)
        return
    for at in range(0, manifest.rows, _ROWS):
        end = min(at + _ROWS, manifest.rows)
        if not np.array_equal(matrix[at:end], stored_vectors(connection, at, end, dim)):
            yield f"{FILE} differs from SQLite in rows {at} to {end - 1}"


def _graph(folder: Path, manifest: Manifest, dim: int) -> Iterator[str]:
    if manifest.graph is None:
        return
    try:
        graph = GraphReader(folder, manifest.graph, dim)
        matrix = VectorFile(folder / FILE, manifest.rows, dim).matrix[: graph.rows]
    except IndexCorrupt as error:
        yield str(error)
        return
    rows = np.flatnonzero(np.asarray(matrix).any(axis=1))
    queries = np.random.default_rng(0).choice(rows, size=min(_SAMPLE, len(rows)), replace=False)
    found = 0
    for query in queries:
        scores = matrix[rows] @ matrix[query]
        near = graph.nearest(matrix[query], 10)
        floor = np.sort(scores)[-min(10, len(rows))] - 1e-5
        found += int(np.sum(matrix[near] @ matrix[query] >= floor))
    recall = found / max(len(queries) * min(10, len(rows)), 1)
    if recall < _RECALL:
        yield f"it finds {recall:.2f} of the ten nearest passages, at least {_RECALL} was expected"
