"""Recommendation without a query on a real collection: a share of each reader's library is held out and looked for.

    python benchmarks/recommendation.py [--keep FOLDER] [--speed READS]

`citeulike_a_text`: 30% of each library of three articles and more are held out by hash. Every system ranks the whole
catalogue without what the reader has. Beside `SearchEngine.recommend`, with and without what other readers read: the
most read articles, the mean vector of the library, and item-based nearest neighbours (cosine of readers, no shrinkage).
`alike` is the mean cosine of two articles of one list of ten, `coverage` the share of the catalogue in any list.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from beir_collections import datasets_folder
from machine import describe
from personal_runs import Vectors

from engine.event import Event
from engine.personal.coreading import CoReading
from engine.personal.learning import learn
from engine.personal.store import ReaderStore
from engine.search_engine import SearchEngine
from eval.formats import read_collection
from eval.personal import read_events, recommendation_study, split_share
from eval.personal.recommendation import popularity_run
from eval.personal.splits import Split
from eval.run import Run
from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.index import Index
from indexer.pipeline import index_corpus

COLLECTION = "citeulike_a_text"
DIVERSITIES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
K = 50


def ranked(names: list[str]) -> dict[str, float]:
    """Return a ranking of documents in this order."""
    return {name: float(-place) for place, name in enumerate(names)}


def from_scores(name: str, split: Split, vectors: Vectors, score: Callable[[list[int]], np.ndarray]) -> Run:
    """Return the run of a function from a reader's documents to the value of every document."""
    ids, rankings = list(vectors.places), {}
    own: dict[str, list[int]] = {}
    for event in split.history:
        own.setdefault(event.user_id, []).append(vectors.places[event.doc_id])
    for user in split.held_out:
        order = np.argsort(-score(own[user]), kind="stable")
        rankings[user] = ranked([ids[at] for at in order.tolist() if at not in own[user]][:K])
    return Run(name, rankings)


def item_neighbours(split: Split, vectors: Vectors) -> np.ndarray:
    """Return the cosines of articles by their readers."""
    users = {user: row for row, user in enumerate(sorted({event.user_id for event in split.history}))}
    table = np.zeros((len(users), len(vectors.places)), dtype=np.float32)
    for event in split.history:
        table[users[event.user_id], vectors.places[event.doc_id]] = 1.0
    both = table.T @ table
    scale = np.sqrt(np.maximum(np.diag(both), 1.0))
    both /= np.outer(scale, scale)
    np.fill_diagonal(both, 0.0)
    return both


def recommended(name: str, engine: SearchEngine, split: Split, diversity: float | None = None) -> Run:
    """Return what the engine recommends."""
    rankings = {}
    for user in split.held_out:
        rankings[user] = ranked([item.doc_id for item in engine.recommend(user, K, diversity=diversity)])
    return Run(name, rankings)


def alike(run: Run, vectors: Vectors) -> float:
    """Return the mean cosine of two of the first ten documents of a list."""
    means = []
    for ranking in run.rankings.values():
        rows = vectors.rows[[vectors.places[doc_id] for doc_id in list(ranking)[:10]]]
        if len(rows) > 1:
            means.append(float((rows @ rows.T)[np.triu_indices(len(rows), 1)].mean()))
    return float(np.mean(means))


def study(folder: Path) -> None:
    """Judge every system, and print what came of it."""
    events = read_events(datasets_folder() / COLLECTION / "personal_events_train.jsonl.gz")
    split = split_share(events, 0.3, min_history=3)
    with Index.open(folder) as index:
        vectors = Vectors.of(index)
    both = item_neighbours(split, vectors)

    def mean(own: list[int]) -> np.ndarray:
        return vectors.rows @ vectors.rows[own].sum(axis=0)

    popular = popularity_run(split, K)
    runs = [
        from_scores("mean vector", split, vectors, mean),
        from_scores("ItemKNN", split, vectors, lambda own: both[own].sum(axis=0)),
    ]
    with SearchEngine.open(folder) as engine:
        engine.record(split.history)
        runs.append(recommended("content alone", engine, split))
        print(f"learnt: {learn(engine.readers)}")
        began = time.perf_counter()
        runs.append(recommended("content and readers", engine, split))
        per = (time.perf_counter() - began) / len(split.held_out)
        runs += [recommended(f"the same, diversity {value:g}", engine, split, value) for value in DIVERSITIES]
        learn(engine.readers, CoReading(least=2))
        runs.append(recommended("content and readers, at least 2 of a pair", engine, split))
    print(
        f"\n{len(split.held_out):,} readers, {len(vectors.places):,} articles, {1000 * per:.1f} ms a reader\n"
    )
    print(
        "| | HR@10 | nDCG@10 | against popularity | coverage | novelty (bits) | alike |\n|---|---|---|---|---|---|---|"
    )
    by_name: Mapping[str, Run] = {run.name: run for run in (popular, *runs)}
    for found in recommendation_study(runs, split, catalogue=len(vectors.places)):
        change = found.against_popularity
        print(
            f"| {found.run} | {found.hit_rate:.4f} | {found.ndcg:.4f} "
            f"| {change.difference:+.4f} ({change.low:+.4f} to {change.high:+.4f}) | {found.shown.coverage:.0%} "
            f"| {found.shown.novelty:.2f} | {alike(by_name[found.run], vectors):.3f} |"
        )


def speed(reads: int, folder: Path) -> None:
    """Learn from made-up readers, twenty documents each, drawn by a power law; then from one in a hundred more."""
    chance, documents = random.Random(0), reads // 20
    store = ReaderStore.open(folder)

    def reader(name: str) -> list[Event]:
        own = {f"d{int(documents * chance.random() ** 2.5)}" for _ in range(20)}
        return [Event(name, doc_id) for doc_id in sorted(own)]

    def add(first: int, last: int) -> None:
        for at in range(first, last, 2000):
            store.add([event for n in range(at, min(at + 2000, last)) for event in reader(f"u{n}")])

    readers = reads // 20
    add(0, readers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(learn(store), flush=True)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"most memory: {before / 1024:.0f} MB before, {after / 1024:.0f} MB after")
    print(f"file: {store.path.stat().st_size / 1e6:.0f} MB")
    add(readers, readers + 100)
    print("after 100 readers more:", learn(store))
    store.close()


def main() -> None:
    """Judge recommendations; with --speed, time learning instead."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--keep", type=Path, help="keep the index here, and use it again; its readers are its own"
    )
    parser.add_argument("--speed", type=int, metavar="READS", help="time learning from so many made-up reads")
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.speed:
            speed(arguments.speed, Path(scratch))
            return
        encoder = load_encoder(DEFAULT_ENCODER)
        folder = (arguments.keep or Path(scratch)) / f"{COLLECTION}-{encoder.name}"
        if not folder.exists():
            Index.create(folder, encoder=encoder)
            with Index.open(folder, encoder=encoder) as index:
                index_corpus(
                    index, read_collection(datasets_folder() / COLLECTION, split="personal").documents()
                )
        study(folder)


if __name__ == "__main__":
    main()
