"""LoRA by peft: put in before training, saved after it as a folder that can be read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from indexer.encoder.weights import Safetensors
from indexer.errors import ModelError
from reranker.adapter import CONFIG, FORMAT, SETTINGS, WEIGHTS
from reranker.errors import InvalidTrainingSettings, RerankerModelError
from reranker.training.body import Body
from reranker.training.settings import TrainingSettings

_NAME = "default"
_PREFIX = "base_model.model."


def add_lora(body: Body, settings: TrainingSettings) -> None:
    """Put LoRA's matrices beside every linear layer of the transformer; they and the head are what is trained.

    Where the model goes on from an adapter, its matrices are taken over.

    Raises:
        InvalidTrainingSettings: that adapter has another rank or alpha.
        RerankerModelError: that adapter's files cannot be read, or are of another model.
    """
    from peft import LoraConfig

    settings_of = _saved_config(body)
    for key, wanted in (("r", settings.rank), ("lora_alpha", settings.alpha)):
        if settings_of and settings_of.get(key) != wanted:
            name = "rank" if key == "r" else "alpha"
            raise InvalidTrainingSettings(
                f"{name} must be {settings_of.get(key)}, that of the adapter in {body.adapter} which is to be trained "
                f"further; found {wanted}"
            )
    modules = targets(body)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=modules,
        bias="none",
        init_lora_weights=True,
    )
    torch.manual_seed(settings.seed + 1)
    body.transformer.add_adapter(config, adapter_name=_NAME)
    for parameter in body.head.parameters():
        parameter.requires_grad_(True)
    if body.adapter:
        _take_over(body, body.adapter)


def targets(body: Body) -> list[str]:
    """Return the names of the transformer's linear layers, but for the head."""
    head = set(body.head.modules())
    return [
        name
        for name, module in body.transformer.named_modules()
        if isinstance(module, nn.Linear) and module not in head
    ]


def round_to_half(body: Body) -> None:
    """Round LoRA's matrices to the 16 bits that they are saved in, so that what is measured is what is saved.

    Raises:
        InvalidTrainingSettings: a value is too large for them, or is no number.
    """
    with torch.no_grad():
        for name, parameter in body.encoder.named_parameters():
            if ".lora_" in name:
                parameter.copy_(parameter.half().to(parameter.dtype))
                if not torch.isfinite(parameter).all():
                    raise InvalidTrainingSettings(
                        f"training led to values in {name} that are no finite 16-bit numbers; expected them to stay "
                        "small: lower learning_rate, or raise warm_up or weight_decay"
                    )


def save_adapter(body: Body, settings: TrainingSettings, folder: Path, card: str) -> None:
    """Write an adapter folder (`reranker.adapter` describes it), with a model card."""
    from peft import LoraConfig
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(_state(body), str(folder / WEIGHTS), metadata={"format": "pt"})
    prefix = _inner_prefix(body)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules=sorted(f"{prefix}{name}" for name in _lora_modules(body)),
        modules_to_save=["classifier"],
        task_type="SEQ_CLS",
        base_model_name_or_path=body.base,
        inference_mode=True,
    ).to_dict()
    _write(
        folder / CONFIG, {key: _plain(value) for key, value in sorted(config.items()) if value is not None}
    )
    own = {
        "format": FORMAT,
        "base": body.base,
        "base_digest": body.digest,
        "max_tokens": settings.max_tokens,
        "pooling": body.pooling,
        "scale": 1.0,
    }
    _write(folder / SETTINGS, own | ({"layers": list(body.layers)} if body.layers else {}))
    (folder / "README.md").write_text(card, encoding="utf-8")


def _state(body: Body) -> dict[str, Tensor]:
    """Return what was trained, under peft's names: matrices in 16 bits, and the head in 32."""
    from peft import get_peft_model_state_dict

    prefix = _inner_prefix(body)
    matrices = get_peft_model_state_dict(body.transformer, adapter_name=_NAME)
    state = {f"{_PREFIX}{prefix}{name}": value.half() for name, value in matrices.items() if ".lora_" in name}
    state |= {f"{_PREFIX}classifier.{name}": value for name, value in body.head.state_dict().items()}
    return {name: value.detach().cpu().contiguous() for name, value in sorted(state.items())}


def _take_over(body: Body, adapter: Path) -> None:
    """Give LoRA's matrices the values of an adapter that the model goes on from."""
    try:
        saved = Safetensors([adapter / WEIGHTS])
        bare = {
            name.removeprefix(_PREFIX).removeprefix(f"{body.transformer.base_model_prefix}."): name
            for name in saved
        }
        with torch.no_grad():
            for name, module in body.transformer.named_modules():
                if not hasattr(module, "lora_A") or _NAME not in module.lora_A:
                    continue
                short = name.removeprefix(f"{body.transformer.base_model_prefix}.")
                a, b = module.lora_A[_NAME].weight, module.lora_B[_NAME].weight
                found = [
                    saved.tensor(bare.get(f"{short}.lora_{w}.weight", short), m.shape)
                    for w, m in (("A", a), ("B", b))
                ]
                a.copy_(torch.tensor(found[0]))
                b.copy_(torch.tensor(found[1]))
    except ModelError as error:
        raise RerankerModelError(f"{adapter}: does not fit the model that it names: {error}") from error


def _saved_config(body: Body) -> Mapping[str, Any]:
    return json.loads((body.adapter / CONFIG).read_text(encoding="utf-8")) if body.adapter else {}


def _inner_prefix(body: Body) -> str:
    """Return what a classification model has before the names of its body, and a bare body has not."""
    return "" if body.pooling == "pooler" else f"{body.transformer.base_model_prefix}."


def _lora_modules(body: Body) -> list[str]:
    return [name for name, module in body.transformer.named_modules() if hasattr(module, "lora_A")]


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value)
    return getattr(value, "value", value)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
