"""Summaries against what people wrote: answers about meetings (query-focused), abstracts of papers (whole documents).

    python benchmarks/summaries.py meetings INDEX QMSUM [--length N] [--split test,val] [--limit N]
    python benchmarks/summaries.py papers QASPER [--length N] [--from N]
    python benchmarks/summaries.py phrases INDEX CITEULIKE [--documents N]

QMSUM, QASPER and CITEULIKE are folders with corpus.jsonl.gz; INDEX is Quire's of the same corpus. Papers are indexed
anew without their abstract. All systems take whole sentences up to the same length, from the text as it is; ROUGE is
rouge-score's, F1 with stemming; in brackets half of the 95% interval of the paired difference from Quire.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from machine import describe
from numpy.typing import NDArray
from rouge_score import rouge_scorer

from engine.snapshot import Snapshot
from engine.summary import Summariser, keyphrases
from engine.summary.candidates import Candidate, nearest, sentences_of
from engine.summary.greedy import select
from engine.summary.summariser import WORDS_OF_PASSAGES, unit
from engine.summary.words import query_words, shares
from indexer.document import Document
from indexer.encoder import load_encoder
from indexer.encoding import Encoder
from indexer.index import Index
from indexer.protocol import Clause, LexicalQuery

Row: TypeAlias = dict[str, Any]
Chosen: TypeAlias = Callable[["Case", int], list[int]]
MEASURES = ("rouge1", "rouge2", "rougeL")
_EVERY = 1_000_000


def records(path: Path) -> Iterator[Row]:
    """Yield the records of a file of JSON lines, compressed."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@dataclass(slots=True)
class Case:
    """One summary to be made, with everything that any of the systems looks at."""

    doc_id: str
    query: str
    gold: str
    every: list[Candidate]
    best_passage: list[Candidate]
    found: list[Candidate]
    vectors: NDArray[np.float32]
    words: NDArray[np.float64]
    own: NDArray[np.float32]
    target: NDArray[np.float32]


def case(snapshot: Snapshot, encoder: Encoder, doc_id: str, query: str, gold: str, length: int) -> Case:
    """Return a case; its candidates are chosen as `Summariser` does."""
    reader = snapshot.reader
    document = reader.find(doc_id)
    if document is None:
        raise SystemExit(f"the index has no document {doc_id}")
    numbers = reader.passages_of(document.number)
    passages = reader.passages(numbers)
    vectors = reader.vectors(numbers)
    own = unit(vectors.astype(np.float64).sum(axis=0))
    target = encoder.encode_query(query) if query else own
    words = query_words(snapshot, query)
    scores = vectors.astype(np.float64) @ target
    if words.counts:
        clauses = tuple(Clause((term,), weight=count) for term, count in words.counts.items())
        lexical = reader.lexical_scores(LexicalQuery(clauses), numbers).astype(np.float64)
        scores = (1 - WORDS_OF_PASSAGES) * scores + WORDS_OF_PASSAGES * lexical / max(lexical.max(), 1e-9)
    found = sentences_of(reader, document, nearest(passages, scores, length))
    return Case(
        doc_id,
        query,
        gold,
        sentences_of(reader, document, passages),
        sentences_of(reader, document, [passages[int(scores.argmax())]]),
        found,
        encoder.encode_passages([each.text for each in found]),
        shares(reader.analyser, [each.text for each in found], words),
        own,
        target,
    )


def filled(candidates: Sequence[Candidate], order: Sequence[int], length: int) -> str:
    """Return the sentences that fit, taken in an order, in the document's."""
    left, taken = length, []
    for place in order:
        size = len(candidates[place].text)
        if size <= left:
            taken.append(place)
            left -= size + 1
    return " ".join(candidates[place].text for place in sorted(taken))


def greedy(one: Case, length: int, target: NDArray[np.float32], words: float, alike: float = 0.8) -> str:
    """Return what greedy takes for a target, with a weight for words."""
    lengths = np.array([len(each.text) for each in one.found])
    steps = select(one.vectors, target, words * one.words, lengths, length, _EVERY, alike)
    return " ".join(one.found[place].text for place in sorted(step.place for step in steps))


def alone(one: Case, length: int, words: float) -> str:
    """Return the sentences nearest to the target one by one, whatever the others say."""
    scores = one.vectors @ one.target + words * one.words
    return filled(one.found, np.argsort(-scores, kind="stable").tolist(), length)


def covering(one: Case, length: int, snapshot: Snapshot) -> str:
    """Return sentences that cover the rare and frequent words of the candidates, each word once (Gillick and Favre)."""
    analyser = snapshot.reader.analyser
    bags = [{t for t in analyser.terms(each.text) if not analyser.is_stopword(t)} for each in one.found]
    counts = Counter(term for bag in bags for term in bag)
    weights = {term: math.log1p(counts[term]) * w for term, w in snapshot.weights(counts).items()}
    left, taken, done = length, [], set[str]()
    while True:
        gains = [
            (sum(weights[t] for t in bag - done), -place)
            for place, bag in enumerate(bags)
            if place not in taken and len(one.found[place].text) <= left
        ]
        if not gains:
            return " ".join(one.found[place].text for place in sorted(taken))
        place = -max(gains)[1]
        taken.append(place)
        done |= bags[place]
        left -= len(one.found[place].text) + 1


def systems(
    snapshot: Snapshot, quire: Callable[[Case, int], str]
) -> dict[str, Callable[[Case, int], list[str]]]:
    """Return every system: a case and a length in, summaries out (several where chance decides)."""

    def by_chance(one: Case, length: int) -> list[str]:
        out = []
        for seed in range(5):
            order = list(range(len(one.every)))
            random.Random(f"{one.doc_id}/{one.query}/{seed}").shuffle(order)
            out.append(filled(one.every, order, length))
        return out

    return {
        "Quire": lambda one, length: [quire(one, length)],
        "the first sentences": lambda one, length: [filled(one.every, range(len(one.every)), length)],
        "random sentences (mean of 5)": by_chance,
        "best passage's first sentences": lambda one, length: [
            filled(one.best_passage, range(len(one.best_passage)), length)
        ],
        "closeness alone": lambda one, length: [greedy(one, length, one.target, 0.0)],
        "words alone": lambda one, length: [
            filled(one.found, np.argsort(-one.words, kind="stable").tolist(), length)
        ],
        "one by one, not together": lambda one, length: [alone(one, length, 1.0)],
        "repetition allowed": lambda one, length: [greedy(one, length, one.target, 1.0, 9.0)],
        "words count double": lambda one, length: [greedy(one, length, one.target, 2.0)],
        "leaning to the document (0.3)": lambda one, length: [
            greedy(one, length, unit(one.target.astype(np.float64) + 0.3 * one.own), 1.0)
        ],
        "covering rare and frequent words": lambda one, length: [covering(one, length, snapshot)],
    }


def table(cases: Sequence[Case], length: int, tried: dict[str, Callable[[Case, int], list[str]]]) -> None:
    """Print every system's ROUGE."""
    scorer = rouge_scorer.RougeScorer(list(MEASURES), use_stemmer=True)
    means: dict[str, NDArray[np.float64]] = {}
    sizes: dict[str, float] = {}
    for name, system in tried.items():
        rows, size = [], 0.0
        for one in cases:
            made = system(one, length)
            scores = [scorer.score(one.gold, text) for text in made]
            rows.append([100 * float(np.mean([s[m].fmeasure for s in scores])) for m in MEASURES])
            size += float(np.mean([len(text) for text in made]))
        means[name], sizes[name] = np.array(rows), size / len(cases)
    print(f"\n{len(cases)} summaries of at most {length} characters\n")
    print("| | ROUGE-1 | ROUGE-2 | ROUGE-L | characters |\n|---|---:|---:|---:|---:|")
    for name, rows in means.items():
        half = 1.96 * (means["Quire"] - rows).std(axis=0, ddof=1) / math.sqrt(len(rows))
        shown = [
            f"{mean:.2f}" + (f" (±{h:.2f})" if h else "")
            for mean, h in zip(rows.mean(axis=0), half, strict=True)
        ]
        print(f"| {name} | {' | '.join(shown)} | {sizes[name]:.0f} |", flush=True)


def measured(index: Index, asked: Sequence[tuple[str, str, str]], length: int) -> None:
    """Print the table, and how long summaries took.

    Args:
        index: Of the documents.
        asked: doc_id, query, gold of each summary.
        length: Characters.
    """
    snapshot, encoder = Snapshot(index.reader()), index.encoder
    summariser = Summariser(lambda: encoder)
    encoder.encode_query("warm")
    times = []
    made: dict[tuple[str, str], str] = {}
    for doc_id, query, _ in asked:
        started = time.perf_counter()
        summary = summariser.summarise(snapshot, doc_id, query=query, length=length)
        times.append(time.perf_counter() - started)
        made[doc_id, query] = " ".join(sentence.text for sentence in summary.sentences)
    cases = [case(snapshot, encoder, doc_id, query, gold, length) for doc_id, query, gold in asked]
    tried = systems(snapshot, lambda one, _: made[one.doc_id, one.query])
    if not any(one.query for one in cases):
        for name in [
            each for each in tried if ("word" in each and "covering" not in each) or "leaning" in each
        ]:
            del tried[name]
    table(cases, length, tried)
    p50, p95 = (1000 * float(np.percentile(times, part)) for part in (50, 95))
    looked_at, whole = (
        np.mean([len(each) for each in of]) for of in zip(*((c.found, c.every) for c in cases), strict=True)
    )
    print(
        f"\none summary: p50 {p50:.0f} ms, p95 {p95:.0f} ms; {looked_at:.0f} of {whole:.0f} sentences encoded"
    )


def meetings(arguments: argparse.Namespace) -> None:
    """Query-focused: qmsum's answers."""
    queries = {row["_id"]: row["text"] for row in records(arguments.collection / "queries.jsonl.gz")}
    parts = tuple(arguments.split.split(","))
    asked = [
        (row["doc"], queries[row["query"]], row["answer"])
        for row in records(arguments.collection / "spans.jsonl.gz")
        if row["query"].startswith(parts)
    ]
    measured(Index.open(arguments.index), asked[: arguments.limit], arguments.length)


def papers(arguments: argparse.Namespace) -> None:
    """Whole documents: the abstract, which the first line of each of qasper80's papers is."""
    asked, bodies = [], []
    for row in list(records(arguments.collection / "corpus.jsonl.gz"))[arguments.first :]:
        abstract, _, body = row["text"].partition("\n")
        if abstract.strip():
            asked.append((row["_id"], "", abstract))
            bodies.append(Document(row["_id"], body, row["title"]))
    with tempfile.TemporaryDirectory() as scratch:
        with Index.create(Path(scratch) / "index", encoder=load_encoder(arguments.encoder)) as index:
            with index.writer() as writer:
                for document in bodies:
                    writer.add(document)
            measured(index, asked, arguments.length)


def phrases(arguments: argparse.Namespace) -> None:
    """Keyphrases: the tags that readers gave to articles."""
    tags = {row["item"]: row["tags"] for row in records(arguments.collection / "tags.jsonl.gz")}
    ids = [row["_id"] for row in records(arguments.collection / "corpus.jsonl.gz")]
    ids = [each for each in ids if len(tags.get(each, ())) >= 5]
    random.Random(0).shuffle(ids)
    ids = ids[: arguments.documents]
    index = Index.open(arguments.index)
    snapshot, encoder = Snapshot(index.reader()), index.encoder
    analyser = snapshot.reader.analyser

    def terms(text: str) -> frozenset[str]:
        return frozenset(analyser.query_terms(text.replace("_", " ").replace("-", " ")))

    def first_words(doc_id: str) -> list[str]:
        document = snapshot.reader.find(doc_id)
        if document is None:
            raise SystemExit(f"the index has no document {doc_id}")
        text = f"{document.title} {snapshot.reader.text(document.number, 0, document.length)}"
        return list(dict.fromkeys(t for t in analyser.query_terms(text)))

    def rarest(doc_id: str) -> list[str]:
        document = snapshot.reader.find(doc_id)
        text = (
            f"{document.title} {snapshot.reader.text(document.number, 0, document.length)}"
            if document
            else ""
        )
        counts = Counter(analyser.query_terms(text))
        weights = snapshot.weights(counts)
        return sorted(counts, key=lambda term: (-counts[term] * weights[term], term))[:8]

    named: dict[str, Callable[[str], list[str]]] = {
        "keyphrases with the encoder": lambda doc_id: [
            each.text for each in keyphrases(snapshot, [doc_id], encode=encoder.encode_passages)
        ],
        "keyphrases by words": lambda doc_id: [each.text for each in keyphrases(snapshot, [doc_id])],
        "single words by tf·idf": rarest,
        "the first words": lambda doc_id: first_words(doc_id)[:8],
    }
    print(
        f"\n{len(ids)} articles, eight phrases each\n\n| | a tag names it | tags met | ms |\n|---|---:|---:|---:|"
    )
    for name, system in named.items():
        precision, recall, started = [], [], time.perf_counter()
        for doc_id in ids:
            gold = {terms(tag) for tag in tags[doc_id]} - {frozenset()}
            given = [terms(text) for text in system(doc_id)]
            precision.append(sum(any(tag <= each for tag in gold) for each in given) / 8)
            recall.append(sum(any(tag <= each for each in given) for tag in gold) / max(len(gold), 1))
        took = 1000 * (time.perf_counter() - started) / len(ids)
        print(f"| {name} | {np.mean(precision):.3f} | {np.mean(recall):.3f} | {took:.1f} |", flush=True)
    shared(snapshot, tags, terms)


def shared(snapshot: Snapshot, tags: dict[str, list[str]], terms: Callable[[str], frozenset[str]]) -> None:
    """Print how often the phrases that name five articles together are or hold the tag that they share.

    The first 150 tags, in a random order, were used to choose how much it counts that a phrase is in several.
    """
    tagged: dict[str, list[str]] = {}
    for item, given in tags.items():
        for tag in given:
            tagged.setdefault(tag, []).append(item)
    asked = sorted(tag for tag, items in tagged.items() if 6 <= len(items) <= 40 and len(tag) > 3)
    random.Random(1).shuffle(asked)
    before, rest = asked[:150], sorted(asked[150:])
    random.Random(2).shuffle(rest)
    for title, some in (("used to choose", before), ("others", rest[:150])):
        reached = Counter[int]()
        for tag in some:
            found = keyphrases(snapshot, random.Random(tag).sample(tagged[tag], 5))
            holds = [terms(tag) <= terms(each.text) for each in found]
            reached.update(first for first in (1, 3, 8) if any(holds[:first]))
        print(
            f"\n{len(some)} tags ({title}), five articles each: "
            + ", ".join(f"in the first {first} phrases {reached[first]}" for first in (1, 3, 8))
        )


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("meetings")
    one.add_argument("index", type=Path)
    one.add_argument("collection", type=Path)
    one.add_argument("--length", type=int, default=600)
    one.add_argument("--split", default="test,val")
    one.add_argument("--limit", type=int, default=None)
    two = commands.add_parser("papers")
    two.add_argument("collection", type=Path)
    two.add_argument("--length", type=int, default=600)
    two.add_argument("--encoder", default="all-MiniLM-L6-v2")
    two.add_argument("--from", dest="first", type=int, default=40)
    three = commands.add_parser("phrases")
    three.add_argument("index", type=Path)
    three.add_argument("collection", type=Path)
    three.add_argument("--documents", type=int, default=300)
    arguments = parser.parse_args()
    print(describe())
    {"meetings": meetings, "papers": papers, "phrases": phrases}[arguments.command](arguments)


if __name__ == "__main__":
    main()
