"""A plain personalised ranking on two real collections, judged with all controls, beside fakes that they expose.

    python benchmarks/personal_study.py [citeulike] [se] [--keep FOLDER] [--json FILE]

The anonymous list is SearchEngine's hybrid one. The personalised one adds to each score β times the cosine of
the document with the weighted mean of the documents that the reader met before; β is chosen on half of the readers
for the other half. The same is done with popularity in the cosine's place, which is not personal and must be found
out. Recommendations without a query: the mean vector against popularity, on a share held out of each library.

- citeulike: `citeulike_a_text`; a query is a tag, relevant are the reader's own held-out articles with it.
- se: `se_small`; questions with their time, of whose asker only earlier events count.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from beir_collections import datasets_folder
from machine import describe

from engine.event import Event
from engine.query import Query
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from eval.collection import Collection
from eval.formats import read_collection, read_run, write_run
from eval.measures import evaluate, parse_measure
from eval.personal import (
    Histories,
    MeasureStudy,
    PersonalStudy,
    histories_of,
    personal_study,
    read_events,
    recommendation_study,
    split_share,
)
from eval.personal.control import without
from eval.personal.leakage import seen_documents
from eval.personal.readers import mean, reader_means
from eval.personal.shown import Popularity
from eval.run import Run, in_given_order
from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.index import Index
from indexer.pipeline import index_corpus

SETS = {
    "citeulike": ("citeulike_a_text", "personal", "personal_events_train.jsonl.gz"),
    "se": ("se_small", "", "events.jsonl.gz"),
}
BETAS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
CANDIDATES = 200
MEASURES = ("nDCG@10", "R@10")

Term = Callable[[str, Sequence[Event], Sequence[str]], np.ndarray]
"""Query, its history and candidates to what is added to each candidate's score."""


@dataclass(frozen=True)
class Vectors:
    """One unit vector a document, the mean of its passages'."""

    rows: np.ndarray
    places: Mapping[str, int]

    @classmethod
    def of(cls, index: Index) -> Vectors:
        """Return the vectors of an index's documents."""
        reader = index.reader()
        numbers = reader.live_documents()
        rows = np.stack([reader.vectors(reader.passages_of(int(number))).mean(axis=0) for number in numbers])
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return cls(rows, {doc_id: place for place, doc_id in enumerate(reader.doc_ids(numbers))})

    def profile(self, history: Sequence[Event]) -> np.ndarray:
        """Return the weighted mean of the history's documents, of unit length, or zeros without a history."""
        total = np.zeros(self.rows.shape[1], dtype=np.float32)
        for event in history:
            if event.doc_id in self.places:
                total += event.weight * self.rows[self.places[event.doc_id]]
        return total / max(float(np.linalg.norm(total)), 1e-9)

    def likeness(self, _: str, history: Sequence[Event], candidates: Sequence[str]) -> np.ndarray:
        """Return the cosine of each candidate with the profile."""
        return self.rows[[self.places[doc_id] for doc_id in candidates]] @ self.profile(history)


def anonymous_run(engine: SearchEngine, collection: Collection, kept: Path) -> Run:
    """Return the engine's own list of each topic, with its scores; it is kept in a file, and read from there."""
    if kept.exists():
        return read_run(kept, "anonymous")
    settings = SearchSettings(passages_per_hit=1)
    rankings: dict[str, dict[str, float]] = {}
    answered: dict[str, dict[str, float]] = {}
    for query_id, topic in collection.topics.items():
        if topic.text not in answered:
            hits = engine.search(Query(topic.text, operators=False), k=CANDIDATES, settings=settings).hits
            answered[topic.text] = {hit.doc_id: hit.score for hit in hits}
        rankings[query_id] = answered[topic.text]
    run = Run("anonymous", {query_id: in_given_order(found.items()) for query_id, found in rankings.items()})
    write_run(run, kept)
    return run


def tilted(name: str, base: Run, term: Term, histories: Histories, betas: Mapping[str, float]) -> Run:
    """Return the base with β times the term added, β by query; where the term is 0, the base's own order."""
    rankings = {}
    for query_id, ranking in base.rankings.items():
        candidates = list(ranking)
        scores = np.fromiter(ranking.values(), dtype=np.float64)
        if histories.get(query_id):
            scores = scores + betas[query_id] * term(query_id, histories[query_id], candidates)
        order = np.argsort(-scores, kind="stable")
        rankings[query_id] = {candidates[at]: float(-place) for place, at in enumerate(order.tolist())}
    return Run(name, rankings)


def chosen_betas(
    base: Run, term: Term, collection: Collection, histories: Histories, hide: bool
) -> tuple[dict[str, float], dict[int, float]]:
    """Return each query's β and each half's: the one that is best for the readers of the other half."""
    users = {query_id: str(collection.topics[query_id].user_id) for query_id in histories}
    fold = {user: blake2b(user.encode(), digest_size=1).digest()[0] % 2 for user in users.values()}
    measure = parse_measure("nDCG@10")
    seen = seen_documents(histories)
    worth: dict[int, list[float]] = {0: [], 1: []}
    for beta in BETAS:
        run = tilted("", base, term, histories, dict.fromkeys(users, beta))
        values = evaluate(without(run, seen) if hide else run, collection.judgements, [measure]).values[
            measure
        ]
        readers = reader_means(values, users)
        for half in worth:
            worth[half].append(mean({user: value for user, value in readers.items() if fold[user] == half}))
    best = {half: BETAS[int(np.argmax(worth[1 - half]))] for half in worth}
    return {query_id: best[fold[user]] for query_id, user in users.items()}, best


def row(name: str, study: PersonalStudy, part: MeasureStudy) -> str:
    """Return one line of the table."""
    gain, control, left, harm = part.gain, part.control, part.remaining, part.harm
    return (
        f"| {name} | {part.measure} | {gain.base_mean:.4f} | {gain.other_mean:.4f} "
        f"| {gain.difference:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) | {gain.corrected:.4f} "
        f"| {control.difference if control else float('nan'):+.4f} | {f'{left.share:.0%}' if left else '–'} "
        f"| {harm.readers:.0%} / {harm.queries:.0%} | {study.promotions.relevant:.3f} |"
    )


def table_head(*names: str) -> None:
    """Print the head of a table."""
    print(f"\n| {' | '.join(names)} |\n{'|---' * len(names)}|")


def details(main: PersonalStudy, popular: PersonalStudy) -> None:
    """Print the groups of history, and what each run shows."""
    part = main.measures[0]
    print(
        f"\nreaders {main.readers:,}, queries {main.queries:,}, without history {main.cold.queries:,} "
        f"(of these {main.cold.different} differ from the anonymous list), relevant documents in the history "
        f"{main.leakage.findings[0].count}, queries left out {main.answered_before}"
    )
    if part.hiding:
        print(f"hiding what was read, alone: {part.hiding.difference:+.4f} {part.measure}")
    table_head("history", "readers", "queries", "anonymous", "personal", "shuffled", "harmed")
    for group in part.groups:
        print(
            f"| {group.name} | {group.readers} | {group.queries} | {group.base:.4f} | {group.other:.4f} "
            f"| {group.shuffled or 0.0:.4f} | {group.harmed:.0%} |"
        )
    table_head(
        "shown", "readers a document", "lift", "novelty (bits)", "coverage", "Gini", "kept", "miscalibration"
    )
    calibration = {**main.miscalibration, **popular.miscalibration}
    for shown in (*main.shown, popular.shown[1]):
        print(
            f"| {shown.run} | {shown.popularity:.2f} | {shown.lift:+.0%} | {shown.novelty:.2f} "
            f"| {shown.coverage:.0%} | {shown.gini:.2f} | {shown.kept:.0%} | {calibration[shown.run]:.3f} |"
        )


def study_of(
    name: str, engine: SearchEngine, vectors: Vectors, kept: Path, hide: bool
) -> dict[str, PersonalStudy]:
    """Judge the mean vector and popularity on one collection, and print what came of it."""
    folder, split, events_file = SETS[name]
    collection = read_collection(datasets_folder() / folder, split=split)
    events = read_events(datasets_folder() / folder / events_file)
    histories = histories_of(collection.topics.values(), events)
    base = anonymous_run(engine, collection, kept)
    popularity = Popularity.of(events)
    most = np.log1p(max(popularity.readers.values()))

    def popular(_: str, __: Sequence[Event], candidates: Iterable[str]) -> np.ndarray:
        return np.array([np.log1p(popularity.readers.get(doc_id, 0)) / most for doc_id in candidates])

    with_history = sum(bool(history) for history in histories.values())
    print(
        f"\n## {folder}: {len(collection.topics):,} queries, {with_history:,} of them with a history, "
        f"{len(vectors.places):,} documents, what was read {'hidden' if hide else 'kept'}\n"
    )
    studies, notes = {}, []
    for label, term in (("mean vector", vectors.likeness), ("popularity", popular)):
        betas, best = chosen_betas(base, term, collection, histories, hide)
        studies[label] = personal_study(
            base,
            lambda given, label=label, term=term, betas=betas: tilted(label, base, term, given, betas),
            collection.judgements,
            collection.topics,
            events,
            measures=MEASURES,
            read="hide" if hide else "keep",
            catalogue=len(vectors.places),
        )
        notes.append(f"{label}: β {best[0]} for one half of the readers, {best[1]} for the other.")
    table_head(
        "",
        "measure",
        "anonymous",
        "with it",
        "gain",
        "p",
        "shuffled gain",
        "of it remains",
        "harmed readers / queries",
        "promoted relevant",
    )
    for label, study in studies.items():
        for part in study.measures:
            print(row(label, study, part))
    print()
    for label, study in studies.items():
        print(f"{label}: {study.measures[0].verdict}")
    print("\n".join(notes))
    details(studies["mean vector"], studies["popularity"])
    return studies


def recommendations(vectors: Vectors) -> None:
    """Judge the mean vector without a query, against popularity, on a share held out of each library."""
    folder, _, events_file = SETS["citeulike"]
    split = split_share(read_events(datasets_folder() / folder / events_file), 0.3, min_history=3)
    users: dict[str, list[Event]] = {}
    for event in split.history:
        users.setdefault(event.user_id, []).append(event)
    ids = list(vectors.places)
    rankings = {}
    for user in split.held_out:
        scores = vectors.rows @ vectors.profile(users[user])
        order = np.argsort(-scores, kind="stable")
        rankings[user] = {ids[at]: float(-place) for place, at in enumerate(order.tolist())}
    print(
        f"\n## {folder}, no query: {len(split.held_out):,} readers with three articles and more, 30% held out\n"
    )
    table_head("", "HR@10", "nDCG@10", "MRR", "nDCG@10 against popularity", "p", "coverage", "novelty (bits)")
    for found in recommendation_study([Run("mean vector", rankings)], split, catalogue=len(ids)):
        change = found.against_popularity
        print(
            f"| {found.run} | {found.hit_rate:.4f} | {found.ndcg:.4f} | {found.mrr:.4f} "
            f"| {change.difference:+.4f} ({change.low:+.4f} to {change.high:+.4f}) | {change.p_value:.4f} "
            f"| {found.shown.coverage:.0%} | {found.shown.novelty:.2f} |"
        )


def main() -> None:
    """Study the collections named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collections", nargs="*", default=list(SETS), choices=[[], *SETS])
    parser.add_argument("--keep", type=Path, help="keep the indexes here, and use them again")
    parser.add_argument("--json", type=Path, help="write the studies here")
    arguments = parser.parse_args()
    print(describe())
    encoder = load_encoder(DEFAULT_ENCODER)
    done: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.collections or SETS:
            folder = (arguments.keep or Path(scratch)) / f"{SETS[name][0]}-{encoder.name}"
            if not folder.exists():
                Index.create(folder, encoder=encoder)
                with Index.open(folder, encoder=encoder) as index:
                    collection = read_collection(datasets_folder() / SETS[name][0], split=SETS[name][1])
                    index_corpus(index, collection.documents())
            with Index.open(folder, encoder=encoder) as index:
                vectors, engine = Vectors.of(index), SearchEngine(index, encoder)
                for hide in (False, True) if name == "citeulike" else (False,):
                    studies = study_of(name, engine, vectors, folder.with_suffix(".run.gz"), hide)
                    done |= {
                        f"{name}/{label}/{'hide' if hide else 'keep'}": study.to_json()
                        for label, study in studies.items()
                    }
                if name == "citeulike":
                    recommendations(vectors)
    if arguments.json:
        arguments.json.write_text(json.dumps(done, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
