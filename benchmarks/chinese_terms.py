"""Which terms find Chinese passages: characters, bigrams, dictionary words, or mixtures of them.

    python benchmarks/chinese_terms.py [--datasets FOLDER] [--queries 2000]

Prints nDCG@10 of BM25 (Lucene's, k1 1.2, b 0.75) for each choice of terms on each Chinese collection, then,
where the package `jieba` is installed beside `rjieba`, how far and how fast the two agree.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rjieba

from indexer.analyser import Analyser

COLLECTIONS = ("cmrc2018_zh", "drcd_zh", "dureader_demo_zh", "xquad_zh")
K1, B = 1.2, 0.75
RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")
Terms = Callable[[str], list[str]]


def by_parts(parts: str) -> Terms:
    """Return an analyser of `c`haracters, `b`igrams, `w`ords of two or more and `l`onger words, as named."""

    def terms(text: str) -> list[str]:
        found: list[str] = []
        for run in RUN.findall(text.lower()):
            if run[0] < "\u3400" or len(run) == 1:
                found.append(run)
                continue
            found += run if "c" in parts else ()
            found += (run[at : at + 2] for at in range(len(run) - 1)) if "b" in parts else ()
            if "w" in parts or "l" in parts:
                least = 2 if "w" in parts else 3
                words = rjieba.cut_for_search(run)
                found += [word for word in words if len(word) >= least or parts == "w"]
        return found

    return terms


CHOICES: dict[str, Terms] = {
    "bigrams only": by_parts("b"),
    "words only (jieba, search mode)": by_parts("w"),
    "bigrams + longer words": by_parts("bl"),
    "characters only": by_parts("c"),
    "characters + words": by_parts("cw"),
    "characters + bigrams": by_parts("cb"),
    "characters + bigrams + longer words": by_parts("cbl"),
}


def records(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def load(
    folder: Path, queries: int
) -> tuple[list[str], list[str], dict[str, str], dict[str, dict[str, int]]]:
    corpus = list(records(folder / "corpus.jsonl.gz"))
    texts = {query["_id"]: query["text"] for query in records(folder / "queries.jsonl.gz")}
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    with gzip.open(folder / "qrels.tsv.gz", "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            query, document, grade = line.split("\t")
            judged[query][document] = int(float(grade))
    usable = sorted(query for query in judged if query in texts and any(judged[query].values()))
    chosen = random.Random(0).sample(usable, min(queries, len(usable)))
    return (
        [document["_id"] for document in corpus],
        [f"{document.get('title', '')}\n{document['text']}" for document in corpus],
        {query: texts[query] for query in chosen},
        {query: judged[query] for query in chosen},
    )


def ndcg(
    ids: list[str],
    texts: list[str],
    queries: dict[str, str],
    judged: dict[str, dict[str, int]],
    index: Terms,
    ask: Terms,
) -> float:
    """Return the mean nDCG@10 of BM25, ties broken by document id."""
    postings: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    lengths = np.zeros(len(texts))
    for place, text in enumerate(texts):
        found = index(text)
        lengths[place] = len(found)
        for term, count in Counter(found).items():
            postings[term][0].append(place)
            postings[term][1].append(count)
    norms = K1 * (1 - B + B * lengths / lengths.mean())
    total = 0.0
    for query, text in queries.items():
        scores = np.zeros(len(texts))
        for term in ask(text):
            if term in postings:
                places, counts = (np.array(part) for part in postings[term])
                idf = math.log(1 + (len(texts) - len(places) + 0.5) / (len(places) + 0.5))
                scores[places] += idf * counts / (counts + norms[places])
        best = sorted(np.flatnonzero(scores), key=lambda place: (-scores[place], ids[place]))[:10]
        grades = judged[query]
        gain = sum(grades.get(ids[place], 0) / math.log2(rank + 2) for rank, place in enumerate(best))
        ideal = sum(
            g / math.log2(rank + 2) for rank, g in enumerate(sorted(grades.values(), reverse=True)[:10])
        )
        total += gain / ideal
    return total / len(queries)


def compare_segmenters(text: str) -> None:
    """Print agreement, speed, load time and size of rjieba and jieba."""
    try:
        import jieba
    except ImportError:
        print("\njieba is not installed: no comparison of segmenters")
        return
    jieba.setLogLevel(60)
    jieba.initialize()
    lines = [run for run in RUN.findall(text) if run[0] >= "\u3400"]
    print()
    print("| segmenter | characters/s | start and first word | installed |")
    print("|---|---|---|---|")
    cut: dict[str, list[list[str]]] = {}
    for module, segment in ((rjieba, rjieba.cut_for_search), (jieba, jieba.cut_for_search)):
        started = time.perf_counter()
        cut[module.__name__] = [list(segment(line)) for line in lines]
        rate = len("".join(lines)) / (time.perf_counter() - started)
        first = f"import {module.__name__} as s; list(s.cut_for_search('中国科学院'))"
        started = time.perf_counter()
        subprocess.run([sys.executable, "-W", "ignore", "-c", first], check=True, capture_output=True)
        start = time.perf_counter() - started
        folder = Path(module.__file__).parent
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
        print(f"| {module.__name__} | {rate:,.0f} | {start:.2f} s | {size:.1f} MB |")
    same = sum(map(list.__eq__, cut["rjieba"], cut["jieba"]))
    print(
        f"\nThe same words, in the same order, for {same / len(lines):.2%} of {len(lines):,} runs of characters."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--datasets", default=os.environ.get("QUIRE_DATASETS", "../shared/datasets"), type=Path
    )
    parser.add_argument("--queries", default=2_000, type=int, help="at most so many of each collection")
    arguments = parser.parse_args()
    analyser = Analyser()
    collections = {name: load(arguments.datasets / name, arguments.queries) for name in COLLECTIONS}
    print("| terms |", " | ".join(COLLECTIONS), "|")
    print("|---" * (len(COLLECTIONS) + 1) + "|")
    rows: dict[str, tuple[Terms, Terms]] = {name: (terms, terms) for name, terms in CHOICES.items()}
    rows["Quire's analyser"] = (analyser.terms, analyser.query_terms)
    for name, (index, ask) in rows.items():
        figures = [f"{ndcg(*collection, index, ask):.4f}" for collection in collections.values()]
        print(f"| {name} | {' | '.join(figures)} |", flush=True)
    compare_segmenters("\n".join(collections["dureader_demo_zh"][1])[:300_000])


if __name__ == "__main__":
    main()
