import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder import load_encoder
from indexer.encoder.recipe import read_recipe
from indexer.errors import ModelError

Make = Callable[..., Path]


def edit(path: Path, **values: object) -> None:
    content = json.loads(path.read_text()) if path.is_file() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**content, **values}))


def test_a_folder_says_how_to_pool_prompt_and_cut(make_model: Make) -> None:
    recipe = read_recipe(
        make_model(pooling="cls_token", prompts={"query": "query: ", "document": "passage: "}), "x"
    )
    assert (recipe.pooling, recipe.query_prompt, recipe.passage_prompt) == ("cls", "query: ", "passage: ")
    assert (recipe.max_tokens, recipe.lower, recipe.unsupported, recipe.dense) == (24, False, "", ())


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("intfloat/multilingual-e5-small", "query: ", "passage: "),
        ("e5-base-v2", "query: ", "passage: "),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("bge-base-zh", "为这个句子生成表示以用于检索相关文章：", ""),
        ("all-MiniLM-L6-v2", "", ""),
        ("my-e5-small-copy", "", ""),
    ],
)
def test_models_older_than_the_place_for_prompts_are_known(
    make_model: Make, name: str, query: str, passage: str
) -> None:
    recipe = read_recipe(make_model(prompts={"query": "", "document": ""}), name)
    assert (recipe.query_prompt, recipe.passage_prompt) == (query, passage)


def test_the_default_prompt_is_used_for_both(make_model: Make) -> None:
    root = make_model()
    edit(root / "config_sentence_transformers.json", prompts={"p": "the "}, default_prompt_name="p")
    recipe = read_recipe(root, "x")
    assert (recipe.query_prompt, recipe.passage_prompt) == ("the ", "the ")


def test_prompts_are_put_before_texts_and_counted(make_model: Make) -> None:
    plain = load_encoder(str(make_model("plain")), device="cpu")
    root = make_model("prompted", prompts={"query": "query : ", "passage": "passage : the "})
    prompted = load_encoder(str(root), device="cpu")
    assert np.allclose(prompted.encode_query("cat"), plain.encode_query("query : cat"), atol=1e-6)
    assert np.allclose(
        prompted.encode_passages(["cat"]), plain.encode_passages(["passage : the cat"]), atol=1e-6
    )
    assert (plain.overhead_tokens, prompted.overhead_tokens) == (2, 5)
    assert plain.fingerprint.split(":")[1] != prompted.fingerprint.split(":")[1]


def test_either_spelling_of_pooling_is_read(make_model: Make) -> None:
    root = make_model()
    (root / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 16, "pooling_mode": "max"}')
    assert read_recipe(root, "x").pooling == "max"


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("1_Pooling/config.json", {"pooling_mode": "lasttoken"}, "lasttoken"),
        (
            "1_Pooling/config.json",
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
            "several",
        ),
        ("1_Pooling/config.json", {"pooling_mode": "mean", "include_prompt": False}, "leaves its prompt out"),
        ("modules.json", [{"type": "a.Transformer", "path": ""}, {"type": "a.CNN", "path": ""}], "type CNN"),
        ("modules.json", [{"type": "a.CLIPModel", "path": ""}], "type CLIPModel"),
    ],
)
def test_what_a_graph_cannot_do_is_named(make_model: Make, file: str, content: object, reason: str) -> None:
    root = make_model()
    (root / file).write_text(json.dumps(content))
    assert reason in read_recipe(root, "x").unsupported


def test_a_dense_layer_after_pooling_is_applied(
    make_model: Make, rewrite_tensors: Callable[..., None]
) -> None:
    root = make_model()
    plain = load_encoder(str(root), device="cpu")
    rng = np.random.default_rng(4)
    weight, bias = rng.normal(size=(5, 16)).astype(np.float32), rng.normal(size=5).astype(np.float32)
    edit(root / "3_Dense" / "config.json", in_features=16, out_features=5, bias=True)
    edit(root / "3_Dense" / "config.json", activation_function="torch.nn.modules.activation.Tanh")
    rewrite_tensors(root / "3_Dense" / "model.safetensors", {"linear.weight": weight, "linear.bias": bias})
    modules = json.loads((root / "modules.json").read_text())
    modules.append({"path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    (root / "modules.json").write_text(json.dumps(modules))
    encoder = load_encoder(str(root), device="cpu")
    assert encoder.dim == 5
    assert encoder.fingerprint != plain.fingerprint
    # the folder normalises before the layer, which a graph with its own pooling must do too
    expected = np.tanh(plain.encode_query("the cat") @ weight.T + bias)
    assert np.allclose(encoder.encode_query("the cat"), expected / np.linalg.norm(expected), atol=1e-5)


def test_a_bare_transformer_is_pooled_by_its_mean(make_model: Make) -> None:
    root = make_model()
    expected = load_encoder(str(root), device="cpu").encode_query("the cat sat")
    for name in ("modules.json", "sentence_bert_config.json", "1_Pooling/config.json"):
        (root / name).unlink()
    encoder = load_encoder(str(root), device="cpu")
    assert encoder.max_tokens == 40  # as many as there are positions; tokenizer_config.json would allow 64
    assert np.allclose(encoder.encode_query("the cat sat"), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("config.json", None, "cannot be read"),
        ("config.json", "{", "is not JSON"),
        ("config.json", "[]", "expected a JSON object, found list"),
        ("modules.json", "{}", "is not a list of modules"),
        ("1_Pooling/config.json", None, "cannot be read"),
        ("model.safetensors", None, "has no model.safetensors"),
        ("config.json", '{"model_type": "bert"}', "lacks a value"),
    ],
)
def test_a_folder_that_is_not_whole_is_a_model_error(
    make_model: Make, file: str, content: str | None, message: str
) -> None:
    root = make_model()
    (root / file).unlink() if content is None else (root / file).write_text(content)
    with pytest.raises(ModelError, match=message):
        load_encoder(str(root), device="cpu")


def test_parts_of_different_models_are_told_apart(
    make_model: Make, rewrite_tensors: Callable[..., None]
) -> None:
    for key, value, message in (
        ("hidden_size", 32, "word table is"),
        ("intermediate_size", 64, "different models"),
        ("num_hidden_layers", 3, "no tensor encoder.layer.2"),
        ("num_attention_heads", 3, "3 heads of a width of 16"),
        ("max_position_embeddings", 50, "different models"),
    ):
        root = make_model(key)
        edit(root / "config.json", **{key: value})
        with pytest.raises(ModelError, match=message):
            load_encoder(str(root), device="cpu")
    root = make_model("empty")
    rewrite_tensors(root / "model.safetensors", {"x": np.zeros(1, np.float32)})
    with pytest.raises(ModelError, match="which a bert model has"):
        load_encoder(str(root), device="cpu")


def test_weights_that_are_not_numbers_are_reported_not_passed_on(
    make_model: Make, rewrite_tensors: Callable[..., None]
) -> None:
    from indexer.encoder.weights import Safetensors

    root = make_model()
    tensors = Safetensors([root / "model.safetensors"])
    copy = {n: tensors.rows(n, np.arange(tensors._entries[n].shape[0])).copy() for n in tensors}
    copy["embeddings.LayerNorm.bias"][0] = np.nan
    rewrite_tensors(root / "model.safetensors", copy)
    with pytest.raises(ModelError, match="damaged"):
        load_encoder(str(root), device="cpu").encode_query("the cat")


def test_shards_are_read_by_their_index(make_model: Make, rewrite_tensors: Callable[..., None]) -> None:
    from indexer.encoder.weights import Safetensors

    root = make_model()
    expected = load_encoder(str(root), device="cpu").encode_query("the cat")
    tensors = Safetensors([root / "model.safetensors"])
    copy = {n: tensors.rows(n, np.arange(tensors._entries[n].shape[0])).copy() for n in tensors}
    names = sorted(copy)
    parts = {"model-1-of-2.safetensors": names[::2], "model-2-of-2.safetensors": names[1::2]}
    for file, part in parts.items():
        rewrite_tensors(root / file, {name: copy[name] for name in part})
    (root / "model.safetensors").unlink()
    edit(root / "model.safetensors.index.json", weight_map={n: f for f, part in parts.items() for n in part})
    assert np.allclose(load_encoder(str(root), device="cpu").encode_query("the cat"), expected, atol=1e-6)
    (root / "model-2-of-2.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model-2-of-2\.safetensors"):
        load_encoder(str(root), device="cpu")
