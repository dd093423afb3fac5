"""kill -9 at random points of indexing: what was acknowledged is there, the rest can be done again.

A child indexes the corpus and kills itself with SIGKILL at its n-th call of a function, Python's or C's
(so also between the statements of SQLite, before an fsync, after a rename); n is drawn anew each time. Some
children are killed from outside, at whatever they are doing.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crashing import DOCUMENTS, corpus, run_child, start
from indexer.encoder.hashing import HashingEncoder
from indexer.index import Index
from indexer.pipeline import index_corpus
from indexer.protocol import Clause, LexicalQuery
from indexer.transfer import export_documents

KILLS_INSIDE = 45
KILLS_OUTSIDE = 10


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["indexer.index", "indexer.encoder.hashing", "indexer.pipeline", "crashing"]
    )
    return context


def child(context: ForkServerContext, path: Path, log: Path, limit: int, counted: Any = None) -> Any:
    return context.Process(target=run_child, args=(path, log, limit, counted))


def answers(index: Index) -> dict[str, object]:
    """Return what the index holds and what it answers, by names that last."""
    reader = index.reader()
    result: dict[str, object] = {document.doc_id: document for document in export_documents(index)}
    for word in ("harbour", "ember"):
        query = LexicalQuery((Clause(tuple(reader.analyser.terms(word))),))
        result[word] = sorted(reader.doc_ids(reader.lexical(query, 500).documents))
        everything = reader.live_documents()
        result[f"{word} in whole documents"] = sorted(
            reader.doc_ids(everything[reader.whole_scores(query, everything) > 0])
        )
        vector = index.encoder.encode_query(word)
        tokens = HashingEncoder(32).encode_query_tokens(word)
        names = reader.doc_ids(everything)
        for name, document in zip(names, everything.tolist(), strict=True):
            late = reader.late_scores(tokens.vectors, np.ones(1, np.float32), reader.passages_of(document))
            result[f"{word} by the tokens of {name}"] = late.tolist()
        result[f"{word} by meaning"] = sorted(reader.doc_ids(reader.dense(vector, 500).documents))
    return result


def check(path: Path, log: Path, expected: dict[str, object]) -> int:
    """Open after the kill, check what was acknowledged, resume, check the end; return the number acknowledged."""
    lines = log.read_text().split() if log.exists() else []
    done = int(lines[-1]) + 1 if lines else 0
    index = Index.open(path, encoder=HashingEncoder(32), exact_up_to=20)
    report = index.verify()
    assert report.sound, report.problems
    held = {document.doc_id: document for document in export_documents(index)}
    for document in corpus()[:done]:
        assert held[document.doc_id] == document
    for number in range(0, DOCUMENTS, 3):
        assert f"doc-{number:03}" in held  # the old version or the new one, never neither
    index_corpus(index, corpus(), delete_missing=True)
    report = index.verify()
    assert report.sound, report.problems
    assert answers(index) == expected
    index.close()
    return done


def test_a_kill_at_any_point_loses_nothing_acknowledged(context: ForkServerContext, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    start(whole)
    counted = context.Value("q", 0)
    process = child(context, whole, tmp_path / "log", 0, counted)
    process.start()
    process.join()
    assert process.exitcode == 0
    finished = Index.open(whole, encoder=HashingEncoder(32), exact_up_to=20)
    assert finished.verify().sound
    expected = answers(finished)
    choose = random.Random(20261122)
    limits = [choose.randrange(1, counted.value) for _ in range(KILLS_INSIDE)] + [0] * KILLS_OUTSIDE
    progress = []
    killed = 0
    for turn, limit in enumerate(limits):
        path, log = tmp_path / f"index-{turn}", tmp_path / f"log-{turn}"
        start(path)
        process = child(context, path, log, limit)
        process.start()
        if limit == 0:
            process.join(choose.uniform(0.0, 0.3))
            process.kill()
        process.join()
        # How many calls there are depends on tantivy's merges: one of the last may never come, and the child ends well.
        assert process.exitcode in (-signal.SIGKILL, 0)
        killed += process.exitcode == -signal.SIGKILL
        progress.append(check(path, log, expected))
    assert 0 < sum(progress) < DOCUMENTS * len(progress)
    assert killed >= 50
