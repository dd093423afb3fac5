"""The head that compares query and passage: the graph's and torch's against the formula written out in float64."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoder.architectures import shape_of
from indexer.encoder.graph import Builder
from indexer.encoder.onnx_wire import FLOAT
from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.encoder.weights import Safetensors
from reranker import PassageText, load_reranker
from reranker.layout import ids_of, parts_of, types_of
from reranker.match import PARTS, SCALES, MatchHead
from reranker.windows import Framing, Window

Make = Callable[..., Path]
PASSAGES = [
    "the cat sat on the mat.",
    "",
    "winter",
    PassageText("the river", "Winter", ("Cat",)),
    PassageText("", "Winter"),
    "猫 😀",
    "the river the cat zebra " * 12,  # several windows
]
WINDOWS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 12)).map(
        lambda sizes: Window(
            [2] + [5] * sizes[0] + [3] + [6] * sizes[1] + [3],
            (1, 1 + sizes[0]),
            (2 + sizes[0], 2 + sum(sizes)),
            2 + sizes[0],
            0,
        )
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture
def weights(tiny: Any, tmp_path: Path) -> Safetensors:
    tiny.write_safetensors(tmp_path / "t.safetensors", tiny.body_tensors() | tiny.match_tensors())
    return Safetensors([tmp_path / "t.safetensors"])


@pytest.fixture
def session(tiny: Any, tmp_path: Path, weights: Safetensors) -> Any:
    """The head alone, with its states as an input."""
    onnxruntime = pytest.importorskip("onnxruntime")
    tiny.write_config(tmp_path, "BertModel")
    shape = shape_of(json.loads((tmp_path / "config.json").read_text()), weights)
    builder = Builder(shape, weights, int8=False)
    states = builder.graph.input("states", FLOAT, ["batch", "length", shape.width])
    builder.graph.node("Identity", [MatchHead().add(builder, states)], "scores")
    builder.graph.output("scores", FLOAT, ["batch", 1])
    options = onnxruntime.SessionOptions()
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in builder.given.values()]
    options.add_external_initializers(list(builder.given), values)
    return onnxruntime.InferenceSession(builder.graph.to_bytes(), options, ["CPUExecutionProvider"])


@pytest.fixture
def module(tiny: Any) -> Any:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from reranker.torch_match import TorchMatchHead

    made = TorchMatchHead(tiny.WIDTH)
    state = {name.removeprefix("classifier."): t for name, t in tiny.match_tensors().items()}
    made.load_state_dict({name: torch.tensor(tensor) for name, tensor in state.items()})
    return made


def chance_states(windows: list[Window], seed: int) -> np.ndarray:
    """States of any size, those of padding too: nobody may look at them."""
    rng = np.random.default_rng(seed)
    longest = max(len(window.ids) for window in windows)
    return rng.normal(0, rng.choice([0.1, 1, 5]), (len(windows), longest, 16)).astype(np.float32)


def expected(tiny: Any, states: np.ndarray, windows: list[Window]) -> list[float]:
    at = tiny.match_tensors()
    return [
        tiny.plain_match(at, row, window.query, window.passage)
        for row, window in zip(states, windows, strict=True)
    ]


@settings(deadline=None, max_examples=60)
@given(windows=WINDOWS, seed=st.integers(0, 1000))
def test_the_graph_s_head_is_the_formula(tiny: Any, session: Any, windows: list[Window], seed: int) -> None:
    states = chance_states(windows, seed)
    parts = dict(zip(PARTS, (part.astype(np.float32) for part in parts_of(windows)), strict=True))
    (found,) = session.run(None, {"states": states, **parts})
    assert found[:, 0] == pytest.approx(expected(tiny, states, windows), rel=1e-5, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(windows=WINDOWS, seed=st.integers(0, 1000))
def test_torch_s_head_is_the_formula(tiny: Any, module: Any, windows: list[Window], seed: int) -> None:
    torch = pytest.importorskip("torch")
    states = chance_states(windows, seed)
    parts = dict(zip(PARTS, map(torch.tensor, parts_of(windows)), strict=True))
    features = {"token_embeddings": torch.tensor(states), **parts}
    with torch.no_grad():
        found = module(features)["scores"].numpy()
    assert found.shape == (len(windows), 1)
    assert found[:, 0] == pytest.approx(expected(tiny, states, windows), rel=1e-5, abs=1e-5)


def test_gradients_reach_every_part_and_are_numbers_where_a_text_is_empty(module: Any) -> None:
    torch = pytest.importorskip("torch")
    windows = [
        Window([2, 5, 5, 3, 6, 6, 3], (1, 3), (4, 6), 4, 0),
        Window([2, 5, 3, 3], (1, 2), (3, 3), 3, 0),
        Window([2, 3, 6, 3], (1, 1), (2, 3), 2, 0),
        Window([2, 3, 3], (1, 1), (2, 2), 2, 0),
    ]
    states = torch.tensor(chance_states(windows, 3), requires_grad=True)
    parts = dict(zip(PARTS, map(torch.tensor, parts_of(windows)), strict=True))
    module({"token_embeddings": states, **parts})["scores"].sum().backward()
    for name, parameter in module.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name
    assert torch.isfinite(states.grad).all()
    moved = states.grad.abs().sum(-1) > 0
    assert moved.tolist()[0] == [True, True, True, False, True, True, False]  # not the two [SEP]
    assert moved.sum(1).tolist()[1:] == [1, 1, 1]  # nothing to compare: [CLS] alone


def test_under_autocast_it_computes_in_full_precision(module: Any) -> None:
    torch = pytest.importorskip("torch")
    windows = [Window([2, 5, 5, 3, 6, 6, 3], (1, 3), (4, 6), 4, 0)]
    states = torch.tensor(chance_states(windows, 5)).bfloat16()
    parts = dict(zip(PARTS, map(torch.tensor, parts_of(windows)), strict=True))
    with torch.no_grad():
        plain = module({"token_embeddings": states.float(), **parts})["scores"]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = module({"token_embeddings": states, **parts})["scores"]
    assert found.dtype == torch.float32
    assert torch.equal(found, plain)


def test_a_new_head_compares_and_does_nothing_else() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from reranker.torch_match import TorchMatchHead

    window = Window([2, 5, 5, 3, 6, 3], (1, 3), (4, 5), 4, 0)
    states = np.zeros((1, 6, 4), np.float32)
    states[0, 0] = 9
    states[0, 1, 0] = states[0, 2, 1] = 2  # two words of the query, of which the passage has one
    states[0, 4, 0] = 3
    parts = dict(zip(PARTS, map(torch.tensor, parts_of([window])), strict=True))
    score = TorchMatchHead(4)({"token_embeddings": torch.tensor(states), **parts})["scores"]
    assert float(score.detach()) == pytest.approx(SCALES[0] * 0.5 + SCALES[1] / 2**0.5)


@pytest.mark.parametrize("query", ["the cat on the river", "cat", ""])
def test_an_adapter_s_scores_are_those_of_a_plain_bert_and_the_formula(
    adapter: Make, tiny: Any, query: str
) -> None:
    folder = adapter(tiny.match_adapter(), pooling="match", scale=2.0)
    scorer = load_reranker(str(folder), device="cpu", threads=1)
    config = json.loads((folder.parent / "base" / "config.json").read_text())
    at = {name: tensor.astype(float) for name, tensor in (tiny.body_tensors() | tiny.match_tensors()).items()}
    lora = tiny.match_adapter()
    for name, a in lora.items():
        if name.endswith("lora_A.weight"):
            b = lora[name.replace("lora_A", "lora_B")].astype(float)
            at[name.removeprefix("base_model.model.bert.").replace("lora_A.", "")] += (
                1.5 * b @ a.astype(float)
            )
    framing = Framing(Tokens(read_tokenizer(folder.parent / "base" / "tokenizer.json"), 48), 48)
    texts = [PassageText(one) if isinstance(one, str) else one for one in PASSAGES]
    wanted = [
        max(
            tiny.plain_match(at, tiny.plain_states(config, at, w.ids, w.second), w.query, w.passage)
            for w in reading.windows
        )
        for reading in framing.passages(framing.query(query), texts)
    ]
    found = scorer.score(query, PASSAGES)
    assert found == pytest.approx(2 * np.array(wanted), abs=1e-4)
    assert np.ptp(found) > 0.1
    alone = [load_reranker(str(folder), device="cpu").score(query, [one])[0] for one in PASSAGES]
    assert found == pytest.approx(alone, abs=1e-5)  # padding and neighbours have no part in it


def test_int8_is_close_and_does_not_depend_on_the_batch(adapter: Make, tiny: Any) -> None:
    folder = str(adapter(tiny.match_adapter(), pooling="match"))
    whole = load_reranker(folder, device="cpu")
    small = load_reranker(folder, device="cpu", precision="int8", cache=0)
    scores = small.score("the cat", PASSAGES)
    assert 0 < np.abs(scores - whole.score("the cat", PASSAGES)).max() < 0.3
    assert scores.tolist() == [small.score("the cat", [one])[0] for one in PASSAGES]


@given(windows=WINDOWS)
def test_arrays_of_windows_say_what_each_token_is(windows: list[Window]) -> None:
    ids, mask = ids_of(windows, 9)
    types = types_of(windows)
    query, passage = parts_of(windows)
    for row, window in enumerate(windows):
        length = len(window.ids)
        assert ids[row].tolist() == window.ids + [9] * (ids.shape[1] - length)
        assert mask[row].tolist() == [place < length for place in range(ids.shape[1])]
        said = [int(window.second <= place < length) for place in range(ids.shape[1])]
        assert types[row].tolist() == said
        assert (ids[row, : query.shape[1]][query[row]] == 5).all()
        assert query[row].sum() == window.ids.count(5)
        assert (ids[row][passage[row]] == 6).all()
        assert passage[row].sum() == window.ids.count(6)
