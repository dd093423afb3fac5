"""Should each query have its own alpha? Measured by leaving one collection out after the other.

    python benchmarks/query_alpha.py [COLLECTION[:SPLIT] ...] --indexes FOLDER [--queries N] [--encoder NAME]

What a query looks like, before and after both indexes have answered it, chooses its alpha, by rules that are fitted
on all other collections: one threshold on one feature with an alpha on each side; or a ridge regression of what each
alpha gains on all features. Beside them one alpha for all, chosen likewise, and the best alpha of every query,
which nobody can know. A second table says what the alpha in use loses on each collection to one that is tuned there.
nDCG@10; indexes and trials are kept in the folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import describe
from numpy.typing import NDArray
from tuning import source

from engine.plan import make_plan
from engine.settings import SearchSettings
from eval.collection import Judgements
from eval.measures import parse_measure
from eval.statistics import bootstrap_interval, paired_t
from eval.tuning import SearchTrials, TuningSource, query_folds
from eval.tuning.trial import TrialBook
from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.encoding import Encoder
from indexer.index import Index

DEFAULT = ("cranfield", "cisi", "time", "scifact:train", "msmarco_labelled", "qasper80", "qmsum")
ALPHAS = [n / 20 for n in range(21)]
FEATURES = ("words", "rarest word", "mean rarity", "BM25 falls", "highest cosine", "cosine falls")
RIDGE = 10.0

Floats = NDArray[np.float64]
Rule = Callable[[Floats], NDArray[np.int64]]


def sampled(one: TuningSource, most: int) -> TuningSource:
    """Return the source with at most so many of its judged queries, spread evenly."""
    collection = one.collection
    judged = [query for query in collection.topics if query in collection.judgements.qrels]
    kept = judged[:: max(1, -(-len(judged) // most))]
    topics = {query: collection.topics[query] for query in kept}
    qrels = {query: collection.judgements.qrels[query] for query in kept}
    name = f"{collection.fingerprint} {len(kept)}"
    return replace(
        one, collection=replace(collection, topics=topics, judgements=Judgements(qrels), fingerprint=name)
    )


def features(one: TuningSource, encoder: Encoder) -> Floats:
    """Return the features of a collection's queries, shape (n, features)."""
    rows = []
    with Index.open(one.index, encoder=encoder) as index:
        reader = index.reader()
        for topic in one.collection.topics.values():
            plan = make_plan(topic.text, reader, SearchSettings(), operators=False)
            terms = [clause.terms[0] for clause in plan.lexical.clauses]
            rarity = [
                np.log1p(reader.passage_count / max(reader.document_frequencies([term])[0], 1))
                for term in terms
            ]
            words = reader.lexical(plan.lexical, 10).scores
            cosines = reader.dense(encoder.encode_query(plan.meaning), 10).scores
            rows.append(
                (
                    np.log1p(len(terms)),
                    max(rarity, default=0.0),
                    float(np.mean(rarity)) if rarity else 0.0,
                    float(words[-1] / words[0]) if len(words) else 1.0,
                    float(cosines[0]),
                    float(cosines[0] - cosines[-1]),
                )
            )
    return np.array(rows)


def best_alpha(values: Floats, weights: Floats) -> int:
    """Return the place of the alpha of the highest weighted mean; values has shape (n, alphas)."""
    return int(np.argmax(weights @ values))


def one_alpha(_: Floats, values: Floats, weights: Floats) -> Rule:
    """Return the rule that gives every query the same alpha."""
    place = best_alpha(values, weights)
    return lambda rows: np.full(len(rows), place)


def threshold(feature: int) -> Callable[[Floats, Floats, Floats], Rule]:
    """Return what fits a threshold on one feature, and an alpha on each side of it."""

    def fit(rows: Floats, values: Floats, weights: Floats) -> Rule:
        found: tuple[float, float, int, int] | None = None
        for cut in np.quantile(rows[:, feature], np.linspace(0.1, 0.9, 17)):
            low = rows[:, feature] <= cut
            if low.all() or not low.any():
                continue
            below, above = best_alpha(values[low], weights[low]), best_alpha(values[~low], weights[~low])
            score = float(weights[low] @ values[low, below] + weights[~low] @ values[~low, above])
            if found is None or score > found[0]:
                found = score, float(cut), below, above
        if found is None:
            return one_alpha(rows, values, weights)
        _, at, below, above = found
        return lambda others: np.where(others[:, feature] <= at, below, above)

    return fit


def regression(rows: Floats, values: Floats, weights: Floats) -> Rule:
    """Return the rule that takes the alpha of the highest predicted value: ridge on all features and their squares."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9

    def columns(given: Floats) -> Floats:
        scaled = np.clip((given - mean) / spread, -3, 3)
        return np.hstack([np.ones((len(given), 1)), scaled, scaled**2])

    x = columns(rows)
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[0, 0] = 0.0
    weighted = x * weights[:, None]
    coefficients = np.linalg.solve(x.T @ weighted + penalty, weighted.T @ values)
    return lambda others: (columns(others) @ coefficients).argmax(axis=1)


def print_own(book: TrialBook, values: Floats, in_use: int) -> None:
    """Print for each collection the alpha that the others choose, its own, and what its own gains, held out."""
    print(
        "\n| collection | in use | the others choose | that, here | its own choice | cross-validated "
        "| gain over in use | p |\n|---|---|---|---|---|---|---|---|"
    )
    folds = query_folds(book.queries, 5)
    for at, collection in enumerate(book.collections):
        here = book.member == at
        others = best_alpha(values[~here], book.weights(~here)[~here])
        own = best_alpha(values[here], np.ones(int(here.sum())))
        kept, crossed = values[:, in_use], np.zeros(len(values))
        for fold in range(5):
            held_out, training = here & (folds == fold), here & (folds != fold)
            crossed[held_out] = values[held_out, best_alpha(values[training], np.ones(int(training.sum())))]
        gains = (crossed - kept)[here]
        low, high = bootstrap_interval(gains)
        p = paired_t(crossed[here], kept[here]).p_value
        print(
            f"| {collection} | {kept[here].mean():.4f} | {ALPHAS[others]:g} | {values[here, others].mean():.4f} "
            f"| {ALPHAS[own]:g} | {crossed[here].mean():.4f} "
            f"| {gains.mean():+.4f} ({low:+.4f} to {high:+.4f}) | {p:.2g} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collections", nargs="*", default=DEFAULT)
    parser.add_argument("--indexes", type=Path, required=True)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--queries", type=int, default=300, help="of more, so many are taken, evenly")
    arguments = parser.parse_args()
    print(describe(), flush=True)
    encoder = load_encoder(arguments.encoder)
    sources = [
        sampled(source(name, arguments.indexes, encoder), arguments.queries) for name in arguments.collections
    ]
    cache = arguments.indexes / "trials"
    with SearchTrials(sources, parse_measure("nDCG@10"), cache=cache, encoder=encoder) as trials:
        book = TrialBook(trials)
        values = np.stack([book.values({**trials.baseline, "alpha": alpha}) for alpha in ALPHAS], axis=1)
    rows = np.concatenate([features(one, encoder) for one in sources])
    rules = {
        "one alpha": one_alpha,
        **{f"by {name}": threshold(at) for at, name in enumerate(FEATURES)},
        "by all": regression,
    }
    names = [*rules, "best of each query"]
    print(f"\n| collection | queries | in use (0.55) | {' | '.join(names)} |\n|{'---|' * (len(names) + 3)}")
    gains = {name: np.zeros(len(rows)) for name in rules}
    means: list[list[float]] = []
    for at, collection in enumerate(book.collections):
        here = book.member == at
        weights = book.weights(~here)[~here]
        n = int(here.sum())
        cells = [float(values[here, ALPHAS.index(0.55)].mean())]
        for name, fit in rules.items():
            places = fit(rows[~here], values[~here], weights)(rows[here])
            got = values[here][np.arange(n), places]
            gains[name][here] = got
            cells.append(float(got.mean()))
        cells.append(float(values[here].max(axis=1).mean()))
        means.append(cells)
        print(f"| {collection} | {n} | {' | '.join(f'{cell:.4f}' for cell in cells)} |", flush=True)
    print(f"| mean | {len(rows)} | {' | '.join(f'{cell:.4f}' for cell in np.mean(means, axis=0))} |")
    weights = book.weights()
    print(
        "\nAgainst one alpha chosen likewise: the difference of the mean over collections, and p of a paired t-test."
    )
    for name in list(rules)[1:]:
        a, b = gains[name] * weights, gains["one alpha"] * weights
        print(f"- {name}: {float(np.mean(a - b)):+.4f}, p = {paired_t(a, b).p_value:.2g}")
    kept = values[:, ALPHAS.index(0.55)] * weights
    for name in rules:
        a = gains[name] * weights
        print(f"- {name} against 0.55: {float(np.mean(a - kept)):+.4f}, p = {paired_t(a, kept).p_value:.2g}")
    print_own(book, values, ALPHAS.index(0.55))


if __name__ == "__main__":
    main()
