"""A fitted encoder as a folder that any sentence-transformers tool, and Quire without torch, can read."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from engine.personal.joint.model import JointBody, load
from engine.personal.joint.outcome import JointOutcome
from engine.personal.joint.settings import JointSettings
from reranker.errors import InvalidTrainingSettings, RerankerModelError

_BASE = ".base_layer"
PROMPTS = "config_sentence_transformers.json"


def save_encoder(body: JointBody, folder: Path, card: str) -> None:
    """Write the encoder, LoRA's matrices merged into its layers, with the prompts that its base is used with.

    Raises:
        InvalidTrainingSettings: a weight is no finite number.
        RerankerModelError: the base cannot be loaded again.
    """
    encoder = load(body.found.root, 0.0, body.recipe)
    learnt = merged(body)
    if lost := [name for name, _ in encoder.named_parameters() if name not in learnt]:
        raise RerankerModelError(
            f"{body.found.root}: loads with {len(lost)} weights that were not trained, such as {lost[0]}: it has "
            "changed since the run began; begin a new one"
        )
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if not torch.isfinite(learnt[name]).all():
                raise InvalidTrainingSettings(
                    f"training led to values in {name} that are no finite numbers: lower learning_rate, or raise "
                    "warm_up or weight_decay"
                )
            parameter.copy_(learnt[name])
    encoder.save_pretrained(str(folder), create_model_card=False)
    _write_prompts(body, folder)
    (folder / "README.md").write_text(card, encoding="utf-8")


def merged(body: JointBody) -> dict[str, torch.Tensor]:
    """Return the encoder's parameters by the names that they have without LoRA, its matrices added in."""
    model: nn.Module = body.encoder.encoder
    added = {
        f"{name}.weight": module.get_delta_weight(adapter).detach().cpu()
        for name, module in model.named_modules()
        if hasattr(module, "lora_A")
        for adapter in module.lora_A
    }
    found = {
        name.replace(_BASE, ""): parameter.detach().cpu()
        for name, parameter in model.named_parameters()
        if ".lora_" not in name
    }
    return {name: value + added[name] if name in added else value for name, value in found.items()}


def model_card(settings: JointSettings, body: JointBody, fingerprint: str, outcome: JointOutcome) -> str:
    """Return the card, in Markdown: what it is, how it was made, what it measured."""
    rows = [
        f"| {measure}, {name} | {one.queries} | {one.before:.4f} | {one.after:.4f} | {one.difference:+.4f} "
        f"| {one.p:.4f} |"
        for measure, changes in outcome.changes.items()
        for name, one in changes.items()
    ]
    head = ["| by reader | readers | before | after | difference | p |", "|---|---:|---:|---:|---:|---:|"]
    chosen = {name: value for name, value in settings.to_json().items() if value not in ("", [], False)}
    return "\n".join(
        [
            "# An encoder fitted to readers, with Quire",
            "",
            f"{body.found.name}, fitted ({settings.method}) to what readers clicked, given what they had met before, "
            f"for {outcome.steps} steps; the weights are those after step {outcome.kept_step}. A history counts "
            f"{outcome.weight:.3f} times what a query does.",
            "",
            "    quire index FOLDER INDEX --encoder THIS_FOLDER",
            "",
            outcome.said,
            "",
            *(
                [*head, *rows, "", "p is of a paired randomisation test over readers, two-sided.", ""]
                if rows
                else []
            ),
            "## Made from",
            "",
            f"- data with the fingerprint {fingerprint}",
            *(f"- {name} = {value}" for name, value in chosen.items()),
            "",
        ]
    )


def _write_prompts(body: JointBody, folder: Path) -> None:
    """State the prompts: some are known by the base's name alone, which the folder does not have."""
    path = folder / PROMPTS
    recipe = body.recipe
    if recipe.query_prompt or recipe.passage_prompt:
        values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        values["prompts"] = {"query": recipe.query_prompt, "document": recipe.passage_prompt}
        values["default_prompt_name"] = None
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
