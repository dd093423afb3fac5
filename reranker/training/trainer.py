"""sentence-transformers' trainer with Quire's rows, and checkpoints that hold what is trained and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
from torch.utils.data import DataLoader
from transformers import PrinterCallback

from reranker.errors import RerankerModelError
from reranker.training.rows import Batches, Order
from reranker.training.steps import StepSettings

WEIGHTS = "trained.safetensors"
NDCG = "ndcg@10"


class Trainable(Protocol):
    """What is trained. `reranker.training.body.Body` is one, and `engine.personal.joint` has another."""

    @property
    def encoder(self) -> Any:
        """The whole model; it has `preprocess` and `device` as sentence-transformers' models do."""

    @property
    def head(self) -> torch.nn.Module:
        """The part of it that learns at a rate of its own."""

    def blocks(self) -> list[torch.nn.Module]:
        """Return the layers, from below."""


class Trainer(CrossEncoderTrainer):
    """The loop of optimiser steps, mixed precision, accumulation and checkpoints is the library's.

    It hands a batch's columns to the loss as they are, so that any model can be trained with it. Checkpoints hold
    the trained parameters in full precision; the base's are not copied.
    """

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Leave the library's model card out: it reads all of the data to describe them."""

    def preprocess_dataset(self, dataset: Any = None, dataset_name: str | None = None) -> Any:
        """Return the rows as they are."""
        return dataset

    def get_train_dataloader(self) -> Any:
        """Return batches in the order of seed and epoch."""
        order = Order(len(self.train_dataset), self.args.seed)
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=Batches(order, self.args.per_device_train_batch_size),
            collate_fn=self.data_collator,
            pin_memory=self.args.dataloader_pin_memory,
        )
        self.accelerator.even_batches = False
        return self.accelerator.prepare(loader)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(trained(self.model), str(folder / WEIGHTS))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_trained(self.model, Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        if self.state.best_model_checkpoint:
            self._load_from_checkpoint(self.state.best_model_checkpoint)


def trained(model: Any) -> dict[str, torch.Tensor]:
    """Return what is trained of a model, on the CPU."""
    return {
        name: parameter.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    }


def load_trained(model: Any, checkpoint: Path) -> None:
    """Give a model what a checkpoint holds.

    Raises:
        RerankerModelError: the file cannot be read, or is of another model.
    """
    path = checkpoint / WEIGHTS
    own = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    try:
        saved = load_file(str(path))
    except Exception as error:  # whatever the library finds wrong with a file
        raise RerankerModelError(
            f"{path}: the checkpoint cannot be read ({error}); go on from an earlier one"
        ) from error
    wrong = sorted(name for name in own.keys() ^ saved.keys())
    wrong += [name for name in own.keys() & saved.keys() if own[name].shape != saved[name].shape]
    if wrong:
        raise RerankerModelError(
            f"{path}: is a checkpoint of another model: {len(wrong)} of its parameters are not those of this one, such "
            f"as {wrong[0]}; go on with the settings that the run began with"
        )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(saved[name])


class Evaluator(BaseEvaluator):
    """Measures the model on the development queries whenever the trainer asks.

    Args:
        measure: Returns the mean nDCG@10 of the model as it is.
    """

    def __init__(self, measure: Callable[[], float]) -> None:
        super().__init__()
        self._measure = measure

    def __call__(
        self, model: Any, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return the measure, by its name."""
        return {NDCG: self._measure()}


def make_trainer(
    settings: StepSettings,
    body: Trainable,
    loss: Any,
    rows: Any,
    folder: Path,
    *,
    device: str,
    precision: str,
    evaluator: Evaluator | None,
    callbacks: Sequence[Any],
) -> Trainer:
    """Put settings, model, loss and data together.

    Args:
        settings: Checked ones.
        body: What is trained.
        loss: Makes a number of a batch's columns, such as a `QueryLoss`.
        rows: The examples by epoch and number, such as `reranker.training.rows.Rows`.
        folder: Where checkpoints go.
        device: `cpu` or `cuda`.
        precision: `fp32`, `bf16` or `fp16`.
        evaluator: Measures on development queries; None where there are none.
        callbacks: The library's `TrainerCallback`s.
    """
    steps = total_steps(settings, len(rows))
    every = settings.evaluate_every or max(1, steps // 10)
    arguments = CrossEncoderTrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=settings.batch_queries,
        gradient_accumulation_steps=settings.accumulate,
        max_steps=steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type={"constant": "constant_with_warmup"}.get(settings.schedule, settings.schedule),
        warmup_steps=round(settings.warm_up * steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.clip,
        seed=settings.seed,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=device == "cpu",
        logging_steps=settings.log_every,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluator else "no",
        eval_steps=every if evaluator else None,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=bool(evaluator) and settings.keep == "best",
        metric_for_best_model=f"eval_{NDCG}" if evaluator else None,
        greater_is_better=True if evaluator else None,
        dataloader_pin_memory=device == "cuda",
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
    )
    trainer = Trainer(
        model=body.encoder,
        args=arguments,
        train_dataset=rows,
        loss=loss,
        evaluator=evaluator,
        callbacks=list(callbacks),
        optimizers=(optimiser(settings, body), None),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def total_steps(settings: StepSettings, examples: int) -> int:
    """Return how many steps of the optimiser a run has."""
    batches = -(-examples // settings.batch_queries)
    epoch = -(-batches // settings.accumulate)
    steps = max(1, round(settings.epochs * epoch)) if settings.epochs else settings.max_steps
    return min(steps, settings.max_steps) if settings.max_steps else steps


def optimiser(settings: StepSettings, body: Trainable) -> torch.optim.Optimizer:
    """Return AdamW with a learning rate for each layer and the head, and no decay of biases and norms.

    Layer n of N learns at learning_rate · layer_decay^(N - 1 - n), the embeddings one step below the lowest.
    """
    depth = {id(p): n for n, block in enumerate(body.blocks()) for p in block.parameters()}
    head = {id(p) for p in body.head.parameters()}
    layers = len(body.blocks())
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    above = False
    for parameter in body.encoder.parameters():
        above = above or id(parameter) in depth
        if not parameter.requires_grad:
            continue
        if id(parameter) in head:
            rate = settings.head_learning_rate or settings.learning_rate
        else:
            level = depth.get(id(parameter), layers - 1 if above else -1)
            rate = settings.learning_rate * settings.layer_decay ** (layers - 1 - level)
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    listed = [
        {"params": members, "lr": rate, "weight_decay": decay} for (rate, decay), members in groups.items()
    ]
    return torch.optim.AdamW(listed, lr=settings.learning_rate)
