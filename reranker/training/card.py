"""The model card that is saved beside a trained reranker."""

from __future__ import annotations

from collections.abc import Mapping

from reranker.training.measure import Change
from reranker.training.outcome import TrainingOutcome
from reranker.training.settings import TrainingSettings


def model_card(
    settings: TrainingSettings, base: str, pooling: str, fingerprint: str, outcome: TrainingOutcome
) -> str:
    """Return the card, in Markdown: what it is, how it was made, what it measured.

    Args:
        settings: What it was trained with.
        base: What it was trained from.
        pooling: What its head makes a score of: `match` or `pooler`.
        fingerprint: Of the data.
        outcome: What came of it.
    """
    chosen = {name: value for name, value in settings.to_json().items() if value not in ("", [], False)}
    lines = [
        "# A reranker, trained with Quire",
        "",
        f"A cross-encoder over {base} ({_METHODS[settings.method]}), trained with the objective {settings.objective} "
        f"for {outcome.steps} steps; the weights are those after step {outcome.kept_step}. Its head makes a score of "
        f"{_HEADS[pooling]}.",
        "",
        "Use it with `reranker.load_reranker(folder)`.",
        "",
        "## Measured",
        "",
        *_table("nDCG@10 on the development queries", "before", outcome.changes),
        *_table("nDCG@10 over the first stage's order", "first stage", outcome.over_prior),
        "p is of a paired randomisation test, two-sided.",
        "",
        "## Made from",
        "",
        f"- data with the fingerprint {fingerprint}",
        *(f"- {name} = {value}" for name, value in chosen.items()),
        "",
    ]
    return "\n".join(lines)


_METHODS = {
    "lora": "a LoRA adapter with its head",
    "full": "all of its weights",
    "frozen": "its upper layers",
}


_HEADS = {
    "match": "the states of the query's tokens and of the passage's, compared (`reranker.match` has the formula)",
    "pooler": "the first token's state",
}


def _table(title: str, before: str, changes: Mapping[str, Change]) -> list[str]:
    if not changes:
        return []
    head = [f"| {title} | queries | {before} | after | difference | p |", "|---|---:|---:|---:|---:|---:|"]
    rows = [
        f"| {name} | {one.queries} | {one.before:.4f} | {one.after:.4f} | {one.difference:+.4f} | {one.p:.4f} |"
        for name, one in changes.items()
    ]
    return [*head, *rows, ""]
