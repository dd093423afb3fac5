"""The torch path, on a processor: what it gives is what the graph gives."""

import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reranker import PassageText, RerankerModelError, load_reranker
from reranker.combine import Combined
from reranker.scorer import Scores
from reranker.source import open_source
from reranker.windows import Window

PASSAGES = ["the cat sat on the mat.", "", PassageText("winter " * 60, "river"), "猫", "a\ud800b"]
Make = Callable[..., Path]

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("transformers") is None, reason="torch is not installed"
)


def on_torch(root: Path) -> Any:
    """A reranker of a folder on torch in fp32, which nobody would ask for where there is a graph."""
    from indexer.encoder.scripts import Scripts
    from reranker.cache import ScoreCache
    from reranker.cross_encoder import CrossEncoder
    from reranker.torch_network import TorchNetwork
    from reranker.windows import Framing

    source = open_source(str(root), root)
    tokens = source.tokens()
    network = TorchNetwork(source, precision="fp32", device="cpu")
    framing = Framing(tokens, source.max_tokens)
    return CrossEncoder(
        "t", "t:0", framing, Scripts(tokens), network, ScoreCache(0, "t:0"), scale=source.scale
    )


@needs_torch
@pytest.mark.parametrize("pooling", ["pooler", "match"])
def test_an_adapter_gives_the_scores_of_the_graph(adapter: Make, tiny: Any, pooling: str) -> None:
    folder = adapter(tiny.match_adapter() if pooling == "match" else None, pooling=pooling, scale=3.0)
    expected = load_reranker(str(folder), device="cpu").score("the cat", PASSAGES)
    assert on_torch(folder).score("the cat", PASSAGES) == pytest.approx(expected, abs=1e-4)


@needs_torch
def test_a_whole_model_gives_the_scores_of_the_graph(cross_encoder: Make) -> None:
    root = cross_encoder()
    graph = load_reranker(str(root), device="cpu")
    judgement = on_torch(root).judge("the cat", PASSAGES, deadline=1e18)
    expected = graph.judge("the cat", PASSAGES)
    assert judgement.scores == pytest.approx(expected.scores, abs=1e-4)
    assert judgement.tokens_cut.tolist() == expected.tokens_cut.tolist()


@needs_torch
@pytest.mark.parametrize("kind", ["whole", "adapter", "match"])
def test_bf16_is_close_and_has_a_fingerprint_of_its_own(
    cross_encoder: Make, adapter: Make, tiny: Any, kind: str
) -> None:
    made = cross_encoder() if kind == "whole" else adapter()
    root = str(adapter(tiny.match_adapter(), pooling="match") if kind == "match" else made)
    whole = load_reranker(root, device="cpu")
    half = load_reranker(root, device="cpu", precision="bf16")
    assert half.fingerprint == f"{whole.fingerprint}+bf16"
    scores = half.score("the cat", PASSAGES)
    assert scores.dtype == np.float32
    assert 0 < np.abs(scores - whole.score("the cat", PASSAGES)).max() < 0.2


@needs_torch
def test_an_architecture_without_a_graph_runs_on_torch(cross_encoder: Make) -> None:
    import torch
    import transformers

    root = cross_encoder()
    torch.manual_seed(0)
    config = transformers.ElectraConfig(
        vocab_size=80,
        embedding_size=16,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=96,
        num_labels=1,
    )
    model = transformers.ElectraForSequenceClassification(config).eval()
    model.save_pretrained(root)
    scorer = load_reranker(str(root), device="cpu")
    tokenizer = transformers.AutoTokenizer.from_pretrained(root)
    with torch.no_grad():
        expected = model(**tokenizer("cat", "on the mat", return_tensors="pt")).logits[0, 0]
    assert scorer.score("cat", ["on the mat"])[0] == pytest.approx(float(expected), abs=1e-5)


@needs_torch
def test_a_gpu_that_is_not_there_is_an_error(cross_encoder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RerankerModelError, match="torch finds no GPU"):
        load_reranker(str(cross_encoder()), device="cuda")


@needs_torch
def test_callers_at_the_same_time_get_their_own_scores(cross_encoder: Make) -> None:
    scorer = on_torch(cross_encoder())
    queries = [f"{word} cat" for word in ("the", "river", "winter", "mat", "on", "sat")]
    expected = {query: scorer.score(query, PASSAGES) for query in queries}
    found: dict[str, Scores] = {}
    threads = [
        threading.Thread(target=lambda query=query: found.update({query: scorer.score(query, PASSAGES)}))
        for query in queries
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for query in queries:
        assert found[query] == pytest.approx(expected[query], abs=1e-5)


def window(number: int) -> Window:
    return Window([number], (0, 0), (0, 1), 1, 0)


def test_what_waits_is_run_together() -> None:
    started, go = threading.Event(), threading.Event()
    runs: list[list[int]] = []

    def run(windows: Sequence[Window]) -> Scores:
        runs.append([window.ids[0] for window in windows])
        started.set()
        assert go.wait(20)
        return np.array([window.ids[0] * 10 for window in windows], np.float32)

    combined = Combined(run)
    found: dict[int, list[float]] = {}

    def call(first: int) -> None:
        found[first] = combined([window(first), window(first + 1)]).tolist()

    threads = [threading.Thread(target=call, args=(first,)) for first in (1, 11, 21, 31)]
    threads[0].start()
    assert started.wait(20)
    for thread in threads[1:]:
        thread.start()
    while len(combined._waiting) < 3:  # until all three wait for the first to end
        threading.Event().wait(0.001)
    go.set()
    for thread in threads:
        thread.join()
    assert found == {first: [first * 10.0, first * 10.0 + 10] for first in (1, 11, 21, 31)}
    assert runs[0] == [1, 2]
    assert len(runs) == 2
    assert sorted(runs[1]) == [11, 12, 21, 22, 31, 32]


def test_an_error_reaches_its_caller_and_the_next_call_works() -> None:
    def run(windows: Sequence[Window]) -> Scores:
        if windows[0].ids[0] == 13:
            raise RerankerModelError("thirteen")
        return np.zeros(len(windows), np.float32)

    combined = Combined(run)
    with pytest.raises(RerankerModelError, match="thirteen"):
        combined([window(13)])
    assert combined([window(1)]).tolist() == [0.0]
