"""What the engine costs over the requests that it sends to Elasticsearch, alone and with ten askers at once.

    python benchmarks/elastic_search.py ADDRESS [--passages 100000] [--queries 200] [--askers 10] [--rounds 3]

An index of real-like passages (`real_like`) is made at ADDRESS where there is none. Every query is asked of the engine
as it comes and by its first stage alone, its vector known already, so that no encoding is timed. The requests that it
sends are written down; then the same bytes are sent again by a plain HTTP client, one query's after each other, and
the answers parsed by orjson: that is raw. Engine and raw take turns; what counts is each query's best round, and the
medians of these. The points in time of the recorded requests are still open then: the reader that made them is.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import orjson
import urllib3
from machine import describe
from real_like import MixingEncoder, ProseWalk

from engine import SearchEngine, SearchSettings
from indexer import Document, index_corpus, load_encoder
from indexer.elastic.address import as_address
from indexer.elastic.wire import transport
from indexer.encoding import Vectors
from indexer.errors import IndexNotFound
from indexer.opening import create_index, open_index

A_DOCUMENT = 12  # passages
WORDS = 120  # a passage
WAYS = {
    "as it comes": SearchSettings(),
    "first stage": SearchSettings(rerank_depth=0),
    "first stage, 1 short snippet": SearchSettings(rerank_depth=0, passages_per_hit=1, snippet_chars=100),
}


class Known(MixingEncoder):
    """Knows the queries' vectors beforehand."""

    _known: ClassVar[dict[str, Vectors]] = {}

    def learn(self, queries: Sequence[str]) -> None:
        """Encode these."""
        for text in queries:
            self.encode_query(text)

    def encode_query(self, text: str) -> Vectors:
        """Return what was learnt, or learn it."""
        if text not in self._known:
            self._known[text] = super().encode_query(text)
        return self._known[text]


def filled(address: str, encoder: Known, prose: ProseWalk, passages: int) -> None:
    """Make the index where there is none, and say how long that took."""
    try:
        open_index(address, encoder=encoder).close()
        return
    except IndexNotFound:
        pass
    texts = [[prose.text(WORDS) + "." for _ in range(A_DOCUMENT)] for _ in range(passages // A_DOCUMENT)]
    documents = [
        Document(f"document-{number}", "\n\n".join(each), each[0][:60], {"year": 1950 + number % 75})
        for number, each in enumerate(texts)
    ]
    with create_index(address, encoder=encoder) as index:
        started = time.perf_counter()
        index_corpus(index, iter(documents))
        took = time.perf_counter() - started
        print(f"{index.reader().passage_count:,} passages indexed in {took:.0f} s, without encoding")


@contextmanager
def written_down(requests: list[tuple[str, str, bytes, str]]) -> Any:
    """Keep what is sent to the server."""
    send = transport.Wire.send

    def sending(self: Any, method: str, target: str, payload: bytes, kind: str, seconds: float) -> Any:
        requests.append((method, target, payload, kind))
        return send(self, method, target, payload, kind, seconds)

    transport.Wire.send = sending
    try:
        yield
    finally:
        transport.Wire.send = send


def timed(task: Callable[[], object]) -> float:
    started = time.perf_counter()
    task()
    return (time.perf_counter() - started) * 1000


def rounds(tasks: Sequence[Callable[[], object]], askers: int, best: np.ndarray) -> None:
    """Run every task once, so many at a time, and keep the best time of each."""
    if askers == 1:
        took = [timed(task) for task in tasks]
    else:
        start = threading.Barrier(askers)

        def first(task: Callable[[], object]) -> float:
            start.wait()
            return timed(task)

        with ThreadPoolExecutor(askers) as pool:
            begun = [pool.submit(first, task) for task in tasks[:askers]]
            rest = [pool.submit(timed, task) for task in tasks[askers:]]
            took = [one.result() for one in (*begun, *rest)]
    np.minimum(best, took, out=best)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address")
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--askers", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(describe())
    prose = ProseWalk()
    encoder = Known(load_encoder(), prose)
    filled(arguments.address, encoder, prose, arguments.passages)
    queries = list(dict.fromkeys(prose.query(3 + at % 6) for at in range(arguments.queries)))
    encoder.learn(queries)
    host, port = as_address(arguments.address).hosts[0]
    with (
        SearchEngine.open(arguments.address, encoder=encoder) as engine,
        urllib3.HTTPConnectionPool(host, port, maxsize=arguments.askers) as pool,
    ):
        print("| asked | askers | requests | engine p50 ms | raw p50 | own, p50 | own, p95 |")
        print("|---|---|---|---|---|---|---|")
        for way, settings in WAYS.items():
            for text in queries:  # and everything that is remembered is
                engine.search(text, settings=settings)
            sent: list[list[tuple[str, str, bytes, str]]] = []
            for text in queries:
                with written_down(requests := []):
                    engine.search(text, settings=settings)
                sent.append(requests)

            def raw(requests: list[tuple[str, str, bytes, str]]) -> None:
                for method, target, payload, kind in requests:
                    answer = pool.request(method, target, body=payload, headers={"content-type": kind})
                    orjson.loads(answer.data)

            for askers in (1, arguments.askers):
                mine, plain = np.full(len(queries), np.inf), np.full(len(queries), np.inf)
                for _ in range(arguments.rounds):
                    rounds(
                        [
                            lambda text=text, how=settings: engine.search(text, settings=how)
                            for text in queries
                        ],
                        askers,
                        mine,
                    )
                    rounds([lambda one=one: raw(one) for one in sent], askers, plain)
                own = mine - plain
                print(
                    f"| {way} | {askers} | {statistics.fmean(map(len, sent)):.1f} | {np.median(mine):.1f} "
                    f"| {np.median(plain):.1f} | {np.median(own):.1f} | {np.percentile(own, 95):.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
