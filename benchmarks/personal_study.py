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
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from beir_collections import datasets_folder
from machine import describe
from personal_runs import BETAS, Term, Vectors, anonymous_run, by_reader, chosen_betas, tilted

from engine.event import Event
from engine.search_engine import SearchEngine
from eval.collection import Collection
from eval.formats import read_collection
from eval.personal import (
    MeasureStudy,
    PersonalStudy,
    histories_of,
    personal_study,
    read_events,
    recommendation_study,
    split_share,
    stand_in_histories,
)
from eval.personal.leakage import seen_documents
from eval.personal.readers import mean
from eval.personal.shown import Popularity
from eval.run import Run
from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.index import Index
from indexer.pipeline import index_corpus

SETS = {
    "citeulike": ("citeulike_a_text", "personal", "personal_events_train.jsonl.gz"),
    "se": ("se_small", "", "events.jsonl.gz"),
}
MEASURES = ("nDCG@10", "R@10")


def strengths(base: Run, term: Term, collection: Collection, events: Sequence[Event], hide: bool) -> None:
    """Print nDCG@10 at every β, with the reader's own history and with a stand-in's."""
    own = histories_of(collection.topics.values(), events)
    lent = stand_in_histories(collection.topics.values(), events)
    seen = seen_documents(own) if hide else dict.fromkeys(own, frozenset[str]())
    table_head("β", *(f"{beta:g}" for beta in BETAS))
    for label, histories in (("own", own), ("shuffled", lent)):
        runs = [tilted("", base, term, histories, dict.fromkeys(own, beta)) for beta in BETAS]
        means = [mean(by_reader(run, collection, seen)) for run in runs]
        print(f"| {label} | {' | '.join(f'{value:.4f}' for value in means)} |")


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
    strengths(base, vectors.likeness, collection, events, hide)
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
