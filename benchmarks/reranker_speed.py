"""Pairs a second: Quire's reranker beside sentence-transformers' CrossEncoder, the same weights in the same run.

    python benchmarks/reranker_speed.py --passages corpus.jsonl.gz [--reranker NAME] [--count 100] [--rounds 5]
                                        [--budget-ms 200] [--queries 100] [--threads 0]

The corpus is a file of JSON lines with `text`; one to three of its texts in a row are joined, so that lengths are mixed
(the quartiles are printed). Whoever takes part takes turns, so that whatever else the machine does falls on all. The
median and the best round are printed, the share of the matrix product's peak that the median is (each precision's own,
measured in this run), and how well the order agrees with that of sentence-transformers, on the passages that it does
not cut. Then, with a budget, how long calls took and how far down the list they came.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe

from indexer.encoder.architectures import shape_of
from reranker import load_reranker
from reranker.load import _folder
from reranker.match import MatchHead
from reranker.source import Source, open_source

QUERY = "what causes the difference between the two, and how is it measured?"


def passages(path: Path, count: int) -> list[str]:
    chance = random.Random(7)
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        texts = [json.loads(line)["text"] for line in lines]
    starts = [chance.randrange(len(texts)) for _ in range(count)]
    return [" ".join(texts[start : start + chance.randint(1, 3)]) for start in starts]


def sentence_transformers(source: Source, max_tokens: int) -> Callable[[list[str]], Any]:
    """Return its `predict`, with the same weights: an adapter's are merged into the base before."""
    import torch
    from sentence_transformers import CrossEncoder

    folder = str(source.recipe.folder)
    if isinstance(source.head, MatchHead):
        model = matching(folder, max_tokens)
    else:
        labels = {"num_labels": 1} if source.adapter else {}
        model = CrossEncoder(folder, device="cpu", max_length=max_tokens, **labels)
    if source.adapter and source.weights is not None:
        weights = source.weights
        for name, tensor in model.state_dict().items():
            bare = name.removeprefix("0.model.").removeprefix("bert.")
            bare = f"classifier.{bare.removeprefix('2.')}" if bare.startswith("2.") else bare
            if bare in weights:
                tensor.copy_(torch.tensor(weights.tensor(bare, tuple(tensor.shape))))
    plain = torch.nn.Identity()
    return lambda texts: model.predict(
        [(QUERY, text) for text in texts], activation_fn=plain, show_progress_bar=False
    )


def matching(folder: str, max_tokens: int) -> Any:
    """Return its `CrossEncoder` of a transformer and the head that compares query and passage."""
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder.modules import Transformer

    from reranker.match import PARTS
    from reranker.torch_match import TorchMatchHead

    body = Transformer(folder, max_seq_length=max_tokens, model_kwargs={"add_pooling_layer": False})
    body.model.config.num_labels = 1
    special = torch.tensor(body.tokenizer.all_special_ids)

    class Marked(torch.nn.Module):
        def forward(self, features: dict[str, Any]) -> dict[str, Any]:
            own = ~torch.isin(features["input_ids"], special)
            second = features["token_type_ids"] == 1
            return features | dict(zip(PARTS, (own & ~second, own & second), strict=True))

    head = TorchMatchHead(body.get_embedding_dimension())
    return CrossEncoder(modules=[body, Marked(), head], device="cpu")


def work(source: Source, lengths: list[int]) -> float:
    """Return the floating-point operations of scoring windows of these lengths, by the network's own formula."""
    if source.weights is None:
        return 0.0
    shape = shape_of(source.recipe.config, source.weights)
    matrices = 4 * shape.width**2 + 2 * shape.width * shape.inner
    return float(sum(2 * shape.layers * n * (matrices + 2 * n * shape.width) for n in lengths))


def peak(device: str, dtype: str) -> float:
    """Return the operations a second of a large matrix product with torch, the best of five."""
    import torch

    side = 8192 if device == "cuda" else 1024
    a, b = (torch.randn(side, side, dtype=getattr(torch, dtype), device=device) for _ in range(2))
    best = float("inf")
    for _ in range(6):
        start = time.perf_counter()
        float((a @ b)[0, 0])
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def agreement(one: Any, other: Any) -> float:
    """Return Spearman's rank correlation."""
    ranks = [np.argsort(np.argsort(scores)) for scores in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def budgets(scorer: Any, texts: list[str], queries: int, budget: float) -> str:
    chance = random.Random(3)
    took, reached = [], []
    for number in range(queries):
        chance.shuffle(texts)
        start = time.perf_counter()
        judged = scorer.judge(f"{QUERY} {number}", texts, deadline=time.monotonic() + budget / 1000)
        took.append(1000 * (time.perf_counter() - start))
        reached.append(int(judged.scored.sum()))
    p50, p99 = np.percentile(took, [50, 99])
    return f"{p50:8.0f}{p99:8.0f}{max(took):8.0f}{statistics.median(reached):14.0f} of {len(texts)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--passages", type=Path, required=True)
    parser.add_argument("--reranker", default="default")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget-ms", type=float, default=200)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()

    texts = passages(args.passages, args.count)
    source = open_source(args.reranker, _folder(args.reranker))
    on_cpu = {"device": "cpu", "threads": args.threads, "cache": 0}
    scorers: dict[str, Any] = {
        f"quire {kind}": load_reranker(args.reranker, precision=kind, **on_cpu) for kind in ("fp32", "int8")
    }
    peaks: dict[str, float] = {}
    torch_there = find_spec("torch") is not None
    if torch_there:
        import torch

        scorers["quire bf16, torch"] = load_reranker(args.reranker, precision="bf16", device="cpu", cache=0)
        peaks = {"quire fp32": peak("cpu", "float32"), "quire bf16, torch": peak("cpu", "bfloat16")}
        if torch.cuda.is_available():
            scorers["quire bf16, GPU"] = load_reranker(args.reranker, device="cuda", cache=0)
            peaks["quire bf16, GPU"] = peak("cuda", "bfloat16")
    first = scorers["quire fp32"]
    runs: dict[str, Callable[[list[str]], Any]] = {
        name: (lambda shown, scorer=scorer: scorer.score(QUERY, shown)) for name, scorer in scorers.items()
    }
    peer = "sentence-transformers fp32"
    if torch_there and find_spec("sentence_transformers"):
        runs = {peer: sentence_transformers(source, first.max_tokens), **runs}

    tokens = source.tokens()
    asked = tokens.count(QUERY) + 3
    whole = np.array([asked + tokens.count(text) <= first.max_tokens for text in texts])
    lengths = [min(first.max_tokens, asked + tokens.count(text)) for text in texts]
    print(describe())
    print(f"{first.fingerprint}; {len(texts)} pairs, tokens by quartile (limit {first.max_tokens}): ", end="")
    print(*np.percentile(lengths, [0, 25, 50, 75, 100]).astype(int), end="\n\n")

    scores = {name: run(texts) for name, run in runs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run(texts)
            seconds[name].append(time.perf_counter() - start)
    reference = peer if peer in runs else "quire fp32"
    base = statistics.median(seconds[reference])
    operations = work(source, lengths)
    print(f"{'':28}{'pairs/s':>9}{'best':>9}{'times':>8}{'of peak':>9}{'rank correlation':>18}")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        share = f"{operations / median / peaks[name]:.0%}" if name in peaks else ""
        print(
            f"{name:28}{len(texts) / median:9.1f}{len(texts) / min(taken):9.1f}{base / median:8.2f}{share:>9}"
            f"{agreement(scores[name][whole], scores[reference][whole]):18.4f}"
        )
    print(f"\nbudget of {args.budget_ms:.0f} ms, {args.queries} queries")
    print(f"{'':28}{'p50 ms':>8}{'p99':>8}{'most':>8}{'passages read':>14}")
    for name, scorer in scorers.items():
        print(f"{name:28}{budgets(scorer, list(texts), args.queries, args.budget_ms)}")


if __name__ == "__main__":
    main()
