"""`train`: settings and data in, a run folder with a trained reranker out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback

from reranker.data.example import TrainingData
from reranker.errors import InvalidTrainingSettings, TrainingDataError
from reranker.training.body import Body, build
from reranker.training.card import model_card
from reranker.training.libraries import need, quiet
from reranker.training.lora import add_lora, round_to_half, save_adapter
from reranker.training.machine import machine, threads
from reranker.training.objectives import objective
from reranker.training.outcome import Scored, TrainingOutcome, changes, measured, over_prior, summed
from reranker.training.progress import Progress, Stop, Watch, go_through
from reranker.training.report import write_report
from reranker.training.rows import Rows
from reranker.training.run_folder import REPORT, RunFolder, described, open_to_others, step_of
from reranker.training.scoring import score_examples
from reranker.training.settings import TrainingSettings
from reranker.training.trainer import Evaluator, Trainer, make_trainer


def train(
    settings: TrainingSettings,
    data: TrainingData,
    out: str | Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
) -> TrainingOutcome:
    """Train a reranker.

    Ctrl-C stops after the current step and saves a checkpoint. A run that is resumed ends, on a CPU, with the same
    weights bit for bit as one that was never stopped.

    Args:
        settings: What to do.
        data: What to learn from, and what to measure on while learning.
        out: The run's folder: a new one, or with `resume` that of a run that was stopped.
        resume: Whether to go on with a run; from its beginning where it has no checkpoint yet.
        progress: Told of each step that is logged and of each measurement.
        command: What a user would type to resume, for the message of `TrainingInterrupted`; None for the call.

    Raises:
        MissingDependency: torch or another library of the extra `train` is not installed.
        InvalidTrainingSettings: settings do not fit the base or the run, or led to numbers that are not finite.
        TrainingDataError: there is nothing to learn from, or a prior is missing that the settings ask for.
        RerankerModelError: the base, or a checkpoint, cannot be read.
        TrainingInterrupted: Ctrl-C was pressed, and a checkpoint is saved.
    """
    need(*(["peft"] if settings.method == "lora" else []))
    check(settings, data)
    device, precision = machine(settings)
    folder = RunFolder(Path(out))
    checkpoint = folder.resume(settings, data.fingerprint) if resume else None
    if not resume:
        folder.make_sure_free()
    with quiet(), threads(settings.threads):
        body = prepared(settings, device)
        if not resume:
            folder.begin(settings, described(data))
        run = _Run(settings, data, folder, body, device, precision, progress)
        seconds = run.learn(checkpoint, command)
        return run.finish(seconds)


def check(settings: TrainingSettings, data: TrainingData) -> None:
    """Make sure that there is something to learn from, and priors where they are asked for.

    Raises:
        TrainingDataError: there is not.
    """
    if not len(data.train):
        raise TrainingDataError("there is nothing to train on: found 0 examples, expected at least 1")
    parts = {"train": data.train, "dev": data.dev} if settings.prior_scale else {}
    for part, examples in parts.items():
        for one in examples:
            if one.prior is None:
                raise TrainingDataError(
                    f"query {one.query_id!r} of {part} has no prior, and prior_scale is {settings.prior_scale:g}: mine "
                    "with the first stage's scores, or set prior_scale to 0"
                )


def prepared(settings: TrainingSettings, device: str) -> Body:
    """Return the model with that set to be trained which the method trains.

    Raises:
        RerankerModelError: the base cannot be read.
        InvalidTrainingSettings: settings and base do not go together.
    """
    body = build(settings, device)
    if settings.method == "lora":
        add_lora(body, settings)
    elif settings.method == "frozen":
        _freeze(body, settings.frozen_layers)
    return body


def _freeze(body: Body, layers: int) -> None:
    blocks = body.blocks()
    if layers > len(blocks):
        raise InvalidTrainingSettings(
            f"frozen_layers must be at most {len(blocks)}, the model's layers; found {layers}"
        )
    above = {id(p) for block in blocks[layers:] for p in block.parameters()} | {
        id(p) for p in body.head.parameters()
    }
    inside = {id(p) for block in blocks for p in block.parameters()}
    reached = False
    for parameter in body.transformer.parameters():
        reached = reached or id(parameter) in inside
        parameter.requires_grad_(id(parameter) in above or (reached and id(parameter) not in inside))


class _Run:
    """One run, from the model that was built to the report."""

    def __init__(
        self,
        settings: TrainingSettings,
        data: TrainingData,
        folder: RunFolder,
        body: Body,
        device: str,
        precision: str,
        progress: Progress | None,
    ) -> None:
        self._settings, self._data, self._folder, self._body = settings, data, folder, body
        self._precision = precision
        options: dict[str, Any] = {
            "prior_scale": settings.prior_scale,
            "tokens_per_pass": settings.tokens_per_pass,
        }
        options |= {"queries_per_batch": settings.batch_queries, "reader": body.reader}
        options |= {"grade_aware": True} if settings.grade_aware else {}
        self._loss = objective(settings.objective, body.encoder, **options)
        self._before = self._scores()
        self._stop = Stop()
        self._watch = Watch(folder, self._stop, lambda: self._loss.pairs, bool(len(data.dev)), progress)
        callbacks: list[Any] = [self._watch]
        if settings.patience and len(data.dev):
            callbacks.append(EarlyStoppingCallback(settings.patience))
        self._trainer: Trainer = make_trainer(
            settings,
            body,
            self._loss,
            Rows(data.train, settings.passages_per_query, settings.seed),
            folder.checkpoints,
            device=device,
            precision=precision,
            evaluator=Evaluator(self._measure) if len(data.dev) else None,
            callbacks=callbacks,
        )

    def learn(self, checkpoint: Path | None, command: Sequence[str] | None) -> float:
        """Go through the steps, and return how many seconds they took."""
        return go_through(self._trainer, self._stop, self._watch, self._folder, checkpoint, command)

    def finish(self, seconds: float) -> TrainingOutcome:
        """Save what was trained, measure it as it was saved, and report."""
        settings, state = self._settings, self._trainer.state
        best = state.best_model_checkpoint if settings.keep == "best" else None
        outcome_of = {
            "steps": state.global_step,
            "kept_step": step_of(Path(best)) if best else state.global_step,
        }
        if settings.method == "lora":
            round_to_half(self._body)
        after = self._scores()
        dev = self._data.dev
        outcome = TrainingOutcome(
            folder=self._folder.path,
            model=self._folder.model,
            seconds=seconds,
            stopped_early=state.global_step < state.max_steps,
            changes=changes(dev, self._before, after, settings.seed),
            over_prior=over_prior(dev, after, settings.seed),
            **outcome_of,
        )
        card = model_card(settings, self._body.base, self._body.pooling, self._data.fingerprint, outcome)
        if settings.method == "lora":
            save_adapter(self._body, settings, self._folder.model, card)
        else:
            self._body.encoder.save_pretrained(str(self._folder.model), create_model_card=False)
            (self._folder.model / "README.md").write_text(card, encoding="utf-8")
        open_to_others(self._folder.model)
        self._folder.write(REPORT, outcome.to_json())
        write_report(self._folder, settings, outcome)
        return outcome

    def _scores(self) -> Scored:
        """Return the scores that development queries are ordered by, with the model as it is now."""
        found = score_examples(
            self._body.encoder,
            self._data.dev,
            self._body.reader,
            self._settings.tokens_per_pass,
            self._precision,
        )
        return summed(self._data.dev, found, self._settings.prior_scale)

    def _measure(self) -> float:
        return float(measured(self._data.dev, self._scores()).mean())
