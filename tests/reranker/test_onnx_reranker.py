"""The graph against a plain BERT in numpy, and against sentence-transformers' CrossEncoder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.encoder.weights import Safetensors
from reranker import PassageText, load_reranker
from reranker.windows import Framing

PASSAGES: list[str | PassageText] = [
    "the cat sat on the mat.",
    "",
    "winter",
    PassageText("the river", "Winter", ("Cat",)),
    PassageText("", "Winter"),
    "猫 😀",
    "a\ud800b\x00c",
    " \n ",
    "the river the cat zebra " * 12,  # several windows
]
QUERY = "the cat on the river"


def plain_logit(
    tiny: Any, config: dict[str, Any], at: dict[str, np.ndarray], ids: list[int], second: int
) -> float:
    """One window through a BERT with BERT's head, in float64."""
    first = tiny.plain_states(config, at, ids, second)[0]
    pooled = np.tanh(first @ at["pooler.dense.weight"].T + at["pooler.dense.bias"])
    return float((pooled @ at["classifier.weight"].T + at["classifier.bias"])[0])


def read(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a file in float64, by the names of a bare body."""
    tensors = Safetensors([path])
    shapes = {name: tensors._entries[name].shape for name in tensors}
    return {
        name.removeprefix("bert."): tensors.tensor(name, shape).astype(float)
        for name, shape in shapes.items()
    }


def plain_scores(tiny: Any, root: Path, at: dict[str, np.ndarray]) -> list[float]:
    """The highest logit of each passage's windows."""
    config = json.loads((root / "config.json").read_text())
    framing = Framing(Tokens(read_tokenizer(root / "tokenizer.json"), 48), 48)
    texts = [PassageText(one) if isinstance(one, str) else one for one in PASSAGES]
    readings = framing.passages(framing.query(QUERY), texts)
    return [
        max(plain_logit(tiny, config, at, window.ids, window.second) for window in reading.windows)
        for reading in readings
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_scores_are_those_of_a_plain_bert(
    cross_encoder: Callable[..., Path], tiny: Any, threads: int
) -> None:
    root = cross_encoder()
    scorer = load_reranker(str(root), device="cpu", threads=threads)
    expected = plain_scores(tiny, root, read(root / "model.safetensors"))
    assert np.abs(scorer.score(QUERY, PASSAGES) - expected).max() < 1e-4
    assert scorer.max_tokens == 48
    assert scorer.name == "tiny"


def test_int8_keeps_the_order_and_does_not_depend_on_the_batch(cross_encoder: Callable[..., Path]) -> None:
    root = cross_encoder()
    whole = load_reranker(str(root), device="cpu")
    small = load_reranker(str(root), device="cpu", precision="int8", cache=0)
    assert small.fingerprint == f"{whole.fingerprint}+int8"
    scores = small.score(QUERY, PASSAGES)
    assert 0 < np.abs(scores - whole.score(QUERY, PASSAGES)).max() < 0.2
    alone = [small.score(QUERY, [passage])[0] for passage in PASSAGES]
    assert scores.tolist() == alone


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("head", ["linear", "match"])
def test_the_onnx_package_finds_nothing_amiss(
    cross_encoder: Callable[..., Path], tiny: Any, precision: str, head: str
) -> None:
    onnx = pytest.importorskip("onnx")
    from indexer.encoder.architectures import shape_of
    from indexer.encoder.graph import build
    from reranker.heads import head_of
    from reranker.match import PARTS, MatchHead

    root = cross_encoder()
    if head == "match":
        tiny.write_safetensors(root / "model.safetensors", tiny.body_tensors() | tiny.match_tensors())
    weights = Safetensors([root / "model.safetensors"])
    shape = shape_of(json.loads((root / "config.json").read_text()), weights)
    own = head_of(weights, shape.prefix, "tiny") if head == "linear" else MatchHead()
    data, given = build(shape, weights, own, precision == "int8", types=True)
    model = onnx.load_model_from_string(data)
    inputs = ["words", "mask", "types", *([] if head == "linear" else PARTS)]
    assert [item.name for item in model.graph.input] == inputs
    assert [item.name for item in model.graph.output] == ["scores"]
    for tensor in model.graph.initializer:  # the checker would look for a file of the external ones
        if tensor.name in given:
            fresh = onnx.numpy_helper.from_array(np.ascontiguousarray(given[tensor.name]), tensor.name)
            tensor.CopyFrom(fresh)
    onnx.checker.check_model(model)


FAMILIES: dict[str, dict[str, Any]] = {
    "Bert": {},
    "Roberta": {"type_vocab_size": 1},
    "XLMRoberta": {"type_vocab_size": 1},
    "MPNet": {},
    "DistilBert": {"dim": 16, "hidden_dim": 32, "n_layers": 3, "n_heads": 4},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_sentence_transformers(
    cross_encoder: Callable[..., Path], tiny: Any, family: str
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    CrossEncoder = pytest.importorskip("sentence_transformers").CrossEncoder
    root = cross_encoder()
    sizes = tiny.SIZES | FAMILIES[family]
    if family == "DistilBert":
        sizes = {key: sizes[key] for key in (*FAMILIES[family], "vocab_size", "max_position_embeddings")}
    config = getattr(transformers, f"{family}Config")(**sizes, num_labels=1)
    torch.manual_seed(1)
    model = getattr(transformers, f"{family}ForSequenceClassification")(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():  # the default spread would hide errors
            parameter.normal_(float("norm" in name.lower() and "weight" in name), 0.3)
    model.save_pretrained(root)
    if family != "Bert":  # which of its tokenizers' classes says that types are shown
        told = json.loads((root / "tokenizer_config.json").read_text())
        told |= {"tokenizer_class": "PreTrainedTokenizerFast"}
        told |= {"model_input_names": ["input_ids", "attention_mask"]}
        (root / "tokenizer_config.json").write_text(json.dumps(told))
    peer = CrossEncoder(str(root), device="cpu")
    passages = [one.full if isinstance(one, PassageText) else one for one in PASSAGES[:-1]]
    passages = [text.replace("\ud800", "\ufffd").replace("\x00", "\ufffd") for text in passages]
    expected = peer.predict(
        [(QUERY, text) for text in passages], activation_fn=torch.nn.Identity(), batch_size=3
    )
    found = load_reranker(str(root), device="cpu").score(QUERY, passages)
    assert found == pytest.approx(expected, abs=1e-4)
    assert np.ptp(expected) > 0.01
