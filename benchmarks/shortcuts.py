"""How well `quire eval audit` explains gains whose cause is known.

    python benchmarks/shortcuts.py [FOLDER ...]

First simulated systems, which know relevance and like a field more or less, so that the field's true share of the
gain is known: its Shapley value, from runs with and without each of the two. Then, for each BEIR folder, BM25 (by
rank-bm25) with length normalisation against BM25 without: a preference for short documents, by its own formula.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import numpy as np

from eval.audit import Shortcut, audit, explained
from eval.collection import Collection, Judgements
from eval.formats import read_collection
from eval.measures import evaluate, parse_measure
from eval.run import Run
from indexer.analyser import Analyser

QUERIES, POOL, DOCUMENTS, RELEVANT = 150, 60, 400, 6
NDCG = parse_measure("nDCG@10")
# What the gain is; how much the field tells of relevance; the system's better judgement; its liking for the field.
CASES = (
    ("a preference alone", 2.0, 0.0, 1.5),
    ("a preference and better judgement", 2.0, 0.5, 1.0),
    ("better judgement; the field tells nothing", 0.0, 0.8, 0.0),
    ("better judgement; the field tells a little", 1.0, 0.8, 0.0),
    ("better judgement; the field tells a great deal", 3.0, 0.8, 0.0),
    ("better judgement, the opposite preference", 2.0, 0.8, -1.0),
)


@dataclass(slots=True)
class World:
    """Documents with a field, queries with candidates, and judgements that the field tells `leak` of."""

    seed: int
    leak: float
    place: dict[str, float] = field(default_factory=dict)
    candidates: dict[str, list[str]] = field(default_factory=dict)
    noise: dict[str, np.ndarray] = field(default_factory=dict)
    qrels: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        generator = np.random.default_rng(self.seed)
        names = [f"d{number}" for number in range(DOCUMENTS)]
        places = (generator.permutation(DOCUMENTS) + 0.5) / DOCUMENTS
        self.place = dict(zip(names, places.tolist(), strict=True))
        for number in range(QUERIES):
            query = f"q{number}"
            chosen = [names[at] for at in generator.choice(DOCUMENTS, POOL, replace=False)]
            worth = self.leak * self.places(chosen) + generator.normal(0, 1, POOL)
            self.candidates[query] = chosen
            self.qrels[query] = {chosen[at]: 1 for at in np.argsort(-worth)[:RELEVANT].tolist()}
            self.noise[query] = generator.normal(0, 1, POOL)

    def places(self, documents: list[str]) -> np.ndarray:
        """Return the field's places of documents."""
        return np.array([self.place[document] for document in documents])

    def run(self, name: str, judgement: float, liking: float) -> Run:
        """Return the run of a system with this much more judgement, and this liking for the field."""
        scores = {}
        for query, documents in self.candidates.items():
            relevant = np.array([document in self.qrels[query] for document in documents])
            worth = (1.0 + judgement) * relevant + liking * self.places(documents) + self.noise[query]
            scores[query] = dict(zip(documents, worth.tolist(), strict=True))
        return Run.from_scores(name, scores)


def simulated(label: str, leak: float, judgement: float, liking: float) -> None:
    """Print a case's true and explained shares, a seed each."""
    true, found = [], []
    for seed in (1, 2, 3):
        world = World(seed, leak)
        judgements = Judgements(world.qrels)
        base, liked = world.run("base", 0.0, 0.0), world.run("liked", 0.0, liking)
        better, both = world.run("better", judgement, 0.0), world.run("both", judgement, liking)
        values = [evaluate(run, judgements, [NDCG]).mean(NDCG) for run in (base, liked, better, both)]
        true.append((values[1] - values[0] + values[3] - values[2]) / 2 / (values[3] - values[0]))
        shortcut = Shortcut("field", "number", world.place, DOCUMENTS)
        row = explained(both, base, [shortcut], judgements, NDCG)[0]
        found.append(row.explained / row.gain)
    shares = [", ".join(f"{share:.0%}" for share in shares) for shares in (true, found)]
    print(f"| {label} | {shares[0]} | {shares[1]} |")


def without_length(collection: Collection, b: float) -> Run:
    """Return a run of BM25 with this much length normalisation."""
    from rank_bm25 import BM25Okapi

    analyser = Analyser()
    documents = list(collection.documents())
    model = BM25Okapi([analyser.terms(f"{each.title}\n{each.text}") for each in documents], k1=1.2, b=b)
    scores = {}
    for query, topic in collection.topics.items():
        values = model.get_scores(analyser.query_terms(topic.text))
        best = np.argsort(-values, kind="stable")[:100].tolist()
        scores[query] = {documents[at].doc_id: float(values[at]) for at in best if values[at] > 0}
    return Run.from_scores(f"bm25, b {b}", scores)


def main() -> None:
    """Print the table of simulations, then a line for each collection."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*")
    arguments = parser.parse_args()
    print("| the gain is | true share | explained |\n|---|---|---|")
    for case in CASES:
        simulated(*case)
    if arguments.folders:
        print("\n| BM25, b 0.75 over b 0 | gain | explained by length | share |\n|---|---|---|---|")
    for folder in arguments.folders:
        collection = read_collection(folder)
        found = audit(collection, without_length(collection, 0.0), [without_length(collection, 0.75)], NDCG)
        row = next(each for each in found.explained if each.shortcut == "characters")
        share = "–" if row.share is None else f"{row.share:.0%}"
        print(f"| {collection.name} | {row.gain:+.4f} | {row.explained:+.4f} | {share} |")


if __name__ == "__main__":
    main()
