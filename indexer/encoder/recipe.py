"""What a model folder says of its model: network, pooling, prompts, limits.

The folder is laid out as sentence-transformers lays it out (`modules.json` and what it names), or holds a
bare transformer, which is then pooled by the mean, as sentence-transformers would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from indexer.encoder.graph import Pooling
from indexer.errors import ModelError

_AGAIN = "fetch the model again, or give the path of a whole copy"
_POOLINGS: Mapping[str, Pooling] = {"mean": "mean", "cls": "cls", "max": "max"}
_ACTIVATIONS = {"Identity": "", "Tanh": "tanh"}

# Prompts of models that came out before config_sentence_transformers.json had a place for them; each is
# from the model's own card.
_PROMPTS = (
    (r"(multilingual-)?e5-(small|base|large)(-v2)?", "query: ", "passage: "),
    (r"bge-(small|base|large)-en(-v1\.5)?", "Represent this sentence for searching relevant passages: ", ""),
    (r"bge-(small|base|large)-zh(-v1\.5)?", "为这个句子生成表示以用于检索相关文章：", ""),
)


@dataclass(frozen=True, slots=True)
class DenseLayer:
    """A linear layer after pooling; its tensors are `linear.weight` and `linear.bias` in `weights`.

    `unit_first` says that vectors are brought to length 1 before it.
    """

    weights: Path
    rows: int
    columns: int
    bias: bool
    activation: str
    unit_first: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """All of a model but its numbers and its vocabulary.

    Args:
        folder: Where `config.json` and the weights are.
        config: `config.json`.
        pooling: How token vectors become one.
        dense: Layers after pooling, in order.
        query_prompt: Put before a query.
        passage_prompt: Put before a passage.
        max_tokens: As the model's folder states it; 0 where it does not.
        lower: Whether texts are put in lower case.
        unsupported: Why it cannot be run as a graph, or the empty string.
    """

    folder: Path
    config: Mapping[str, Any]
    pooling: Pooling = "mean"
    dense: tuple[DenseLayer, ...] = ()
    query_prompt: str = ""
    passage_prompt: str = ""
    max_tokens: int = 0
    lower: bool = False
    unsupported: str = field(default="", compare=False)

    def digest(self) -> bytes:
        """Return a hash of what changes the vectors."""
        parts = (
            {key: value for key, value in self.config.items() if not key.startswith(("_", "transformers"))},
            self.pooling,
            [(layer.rows, layer.columns, layer.activation, layer.unit_first) for layer in self.dense],
            (self.query_prompt, self.passage_prompt, self.max_tokens, self.lower),
        )
        return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).digest()

    def weight_files(self) -> list[Path]:
        """Return the safetensors files of the network, one or its shards.

        Raises:
            ModelError: there are none.
        """
        whole = self.folder / "model.safetensors"
        index = self.folder / "model.safetensors.index.json"
        if whole.is_file():
            return [whole]
        if index.is_file():
            names = sorted(set(_mapping(_read(index).get("weight_map", {}), index).values()))
            shards = [self.folder / str(name) for name in names]
            missing = [shard.name for shard in shards if not shard.is_file()]
            if shards and not missing:
                return shards
            raise ModelError(f"{index}: names shards that are not there ({', '.join(missing)}); {_AGAIN}")
        raise ModelError(f"{self.folder}: has no model.safetensors, found {_names(self.folder)}; {_AGAIN}")


def read_recipe(root: Path, name: str) -> Recipe:
    """Return what a model folder says.

    Args:
        root: The folder, with `modules.json` or `config.json`.
        name: The model's name, to know the prompts of models whose folders do not state them.

    Raises:
        ModelError: a file is missing or is not JSON.
    """
    modules = _modules(root)
    folder = root / str(modules[0].get("path", "")) if modules else root
    settings = _optional(folder / "sentence_bert_config.json") or _optional(
        root / "sentence_bert_config.json"
    )
    query, passage = _prompts(_optional(root / "config_sentence_transformers.json"), name)
    pooling, dense, problem = _after(root, modules)
    return Recipe(
        folder=folder,
        config=_read(folder / "config.json"),
        pooling=pooling,
        dense=dense,
        query_prompt=query,
        passage_prompt=passage,
        max_tokens=_limit(settings, _optional(folder / "tokenizer_config.json")),
        lower=bool(settings.get("do_lower_case", False)),
        unsupported=problem,
    )


def _modules(root: Path) -> list[dict[str, Any]]:
    path = root / "modules.json"
    if not path.is_file():
        return []
    modules = _json(path)
    if not isinstance(modules, list) or not modules or not all(isinstance(item, dict) for item in modules):
        raise ModelError(f"{path}: is not a list of modules; {_AGAIN}")
    return modules


def _after(root: Path, modules: list[dict[str, Any]]) -> tuple[Pooling, tuple[DenseLayer, ...], str]:
    """Return the pooling, the dense layers, and why the modules cannot be run as a graph."""
    pooling: Pooling = "mean"
    dense: list[DenseLayer] = []
    problem = ""
    unit_first = False
    for number, module in enumerate(modules):
        kind = str(module.get("type", "")).rsplit(".", 1)[-1]
        folder = root / str(module.get("path", ""))
        if kind == "Pooling":
            config = _read(folder / "config.json")
            mode = _mode(config)
            if mode in _POOLINGS and config.get("include_prompt", True):
                pooling = _POOLINGS[mode]
            else:
                problem = problem or f"it pools by {mode or 'several modes'}, or leaves its prompt out of it"
        elif kind == "Dense":
            layer = _dense(folder, unit_first)
            unit_first = False
            problem = problem or ("" if layer else f"the activation of its layer {folder.name} is not known")
            dense.extend([layer] if layer else [])
        elif kind == "Normalize":
            unit_first = True
        elif kind != "Transformer" or number:
            problem = problem or f"it has a module of type {kind}"
    return pooling, tuple(dense), problem


def _mode(config: Mapping[str, Any]) -> str:
    """Return the one pooling mode that a config names, by either of its spellings, or the empty string."""
    if isinstance(config.get("pooling_mode"), str):
        return str(config["pooling_mode"])
    names = {"cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max"}
    chosen = [key[13:] for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    return names.get(chosen[0], chosen[0]) if len(chosen) == 1 else ""


def _dense(folder: Path, unit_first: bool) -> DenseLayer | None:
    config = _read(folder / "config.json")
    activation = _ACTIVATIONS.get(str(config.get("activation_function", "Tanh")).rsplit(".", 1)[-1])
    weights = folder / "model.safetensors"
    if activation is None or not weights.is_file():
        return None
    try:
        rows, columns = int(config["out_features"]), int(config["in_features"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'}: lacks its sizes ({error}); {_AGAIN}") from error
    return DenseLayer(weights, rows, columns, bool(config.get("bias", True)), activation, unit_first)


def _prompts(config: Mapping[str, Any], name: str) -> tuple[str, str]:
    prompts = _mapping(config.get("prompts") or {}, Path("config_sentence_transformers.json"))
    default = str(prompts.get(str(config.get("default_prompt_name")), ""))
    query = str(prompts.get("query", default))
    passage = next(
        (str(prompts[key]) for key in ("document", "passage", "corpus") if key in prompts), default
    )
    if query or passage:
        return query, passage
    short = name.rsplit("/", 1)[-1].lower()
    known = (pair for pattern, *pair in _PROMPTS if re.fullmatch(pattern, short))
    query, passage = next(known, ("", ""))
    return query, passage


def _limit(*configs: Mapping[str, Any]) -> int:
    for config, key in zip(configs, ("max_seq_length", "model_max_length"), strict=True):
        value = config.get(key)
        if isinstance(value, int | float) and 0 < value < 1_000_000:
            return int(value)
    return 0


def _optional(path: Path) -> Mapping[str, Any]:
    return _read(path) if path.is_file() else {}


def _read(path: Path) -> Mapping[str, Any]:
    return _mapping(_json(path), path)


def _mapping(value: object, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(value).__name__}; {_AGAIN}")
    return value


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); the folder holds {_names(path.parent)}; {_AGAIN}"
        ) from error
    except ValueError as error:
        raise ModelError(f"{path}: is not JSON ({error}); {_AGAIN}") from error


def _names(folder: Path) -> str:
    if not folder.is_dir():
        return "nothing: it does not exist"
    return ", ".join(sorted(path.name for path in folder.iterdir())[:12]) or "nothing"
