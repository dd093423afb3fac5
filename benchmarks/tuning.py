"""Tuning on development collections: few trials beside the whole grid, and what a weight is worth elsewhere.

    python benchmarks/tuning.py [COLLECTION[:SPLIT] ...] --indexes FOLDER [--encoder NAME]

Three tables, all of nDCG@10: for alpha and title_weight the best point of the grid and the point that the search
reaches, with their numbers of trials, on all queries and cross-validated; alpha chosen on the other collections and
measured on the one left out; and the same of the weights. Indexes are looked for in the folder, and made there
where they are missing; so are the trials, so that a second run is quick.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from beir_collections import datasets_folder
from machine import describe

from engine.settings import SearchSettings
from eval.collection import Collection
from eval.formats import read_collection
from eval.measures import parse_measure
from eval.statistics import bootstrap_interval, paired_t
from eval.tuning import Parameter, SearchTrials, TuningSource, collection_folds, query_folds, search_stages
from eval.tuning.lattice import climb
from eval.tuning.stages import Values
from eval.tuning.trial import Floats, Folds, Mask, TrialBook
from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.encoding import Encoder
from indexer.index import Index
from indexer.pipeline import index_corpus

DEFAULT = ("cranfield", "cisi", "time")
TRIALS = 30


def source(name: str, folder: Path, encoder: Encoder) -> TuningSource:
    """Return a collection with its index, which is made or finished where it is not yet."""
    name, _, split = name.partition(":")
    collection: Collection = read_collection(datasets_folder() / name, split=split)
    path = folder / f"{name}-{encoder.name}"
    if not path.exists():
        Index.create(path, encoder=encoder)
        with Index.open(path, encoder=encoder) as index:
            index_corpus(index, collection.documents())
    return TuningSource(path, collection)


class Chooser:
    """Chooses values on some queries, by search or from the whole grid."""

    def __init__(self, book: TrialBook, parameters: Sequence[Parameter], start: Values) -> None:
        self.book, self.parameters, self.start = book, parameters, start
        self.used = 0

    def search(self, mask: Mask | None = None) -> Values:
        """Return what the search finds on the masked queries."""
        pick = climb(self.start, self.parameters, lambda values: self.book.mean(values, mask), TRIALS)
        self.used = len(pick.tried)
        return pick.best

    def grid(self, mask: Mask | None = None) -> Values:
        """Return the best point of the grid on the masked queries."""
        names = [parameter.name for parameter in self.parameters]
        points = itertools.product(*(parameter.choices for parameter in self.parameters))
        settings = [{**self.start, **dict(zip(names, point, strict=True))} for point in points]
        self.used = len(settings)
        return max(settings, key=lambda values: self.book.mean(values, mask))


def crossed(book: TrialBook, choose: Callable[[Mask], Values], folds: Folds) -> Floats:
    """Return each query's value with what the other folds' queries choose."""
    values = np.zeros(len(book.queries))
    for fold in np.unique(folds):
        mask = folds == fold
        values[mask] = book.values(choose(~mask))[mask]
    return values


def closeness(book: TrialBook, stages: Sequence[Parameter], start: Values, label: str) -> None:
    """Print what the search reaches beside the grid."""
    chooser = Chooser(book, stages, start)
    folds = query_folds(book.queries, 5)
    weights = book.weights()
    for name, choose in (("grid", chooser.grid), ("search", chooser.search)):
        values = choose()
        used = chooser.used
        held_out = float(weights @ crossed(book, choose, folds) / weights.sum())
        chosen = ", ".join(f"{p.name} {values[p.name]:g}" for p in stages)
        print(
            f"| {label} | {name} | {used} | {chosen} | {book.mean(values):.4f} | {held_out:.4f} |", flush=True
        )


def elsewhere(book: TrialBook, stages: Sequence[Parameter], start: Values) -> None:
    """Print what values chosen on the other collections are worth on each, beside the default and its own."""
    chooser = Chooser(book, stages, start)
    kept = book.values(start)
    left_out = collection_folds(book.queries)
    own = query_folds(book.queries, 5)
    moved = crossed(book, chooser.search, left_out)
    for at, name in enumerate(book.collections):
        here = book.member == at
        chosen = chooser.search(~here)
        words = ", ".join(f"{p.name} {chosen[p.name]:g}" for p in stages)
        of_its_own = np.zeros(len(kept))
        for fold in range(5):
            mask = here & (own == fold)
            of_its_own[mask] = book.values(chooser.search(here & (own != fold)))[mask]
        best = chooser.search(here)
        low, high = bootstrap_interval(of_its_own[here] - kept[here])
        p = paired_t(of_its_own[here], kept[here]).p_value
        print(
            f"| {name} | {kept[here].mean():.4f} | {words} | {moved[here].mean():.4f} | "
            f"{', '.join(f'{best[q.name]:g}' for q in stages)} | {of_its_own[here].mean():.4f} | "
            f"{(of_its_own - kept)[here].mean():+.4f} ({low:+.4f} to {high:+.4f}) | {p:.2g} |",
            flush=True,
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collections", nargs="*", default=DEFAULT)
    parser.add_argument("--indexes", type=Path, required=True)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--no-grid", action="store_true", help="leave the first table out")
    arguments = parser.parse_args()
    print(describe())
    encoder = load_encoder(arguments.encoder)
    sources = [source(name, arguments.indexes, encoder) for name in arguments.collections]
    stages = search_stages(("alpha", "title_weight", "headings_weight"), SearchSettings())
    alpha, title, headings = (parameter for stage in stages for parameter in stage.parameters)
    cache = arguments.indexes / "trials"
    measure = parse_measure("nDCG@10")
    if not arguments.no_grid:
        print("\n| queries of | how | trials | chosen on all | on all queries | cross-validated |")
        print("|---|---|---|---|---|---|")
        for group in [[one] for one in sources] + [sources]:
            with SearchTrials(group, measure, cache=cache, encoder=encoder) as trials:
                label = ", ".join(one.collection.name for one in group)
                closeness(TrialBook(trials), (alpha, title), trials.baseline, label)
    with SearchTrials(sources, measure, cache=cache, encoder=encoder) as trials:
        book = TrialBook(trials)
        for parameters in ((alpha,), (alpha, title, headings)):
            print(
                "\n| collection | in use | the others choose | that, here | its own choice on all "
                "| its own, cross-validated | gain over in use | p |\n|---|---|---|---|---|---|---|---|"
            )
            elsewhere(book, parameters, trials.baseline)


if __name__ == "__main__":
    main()
