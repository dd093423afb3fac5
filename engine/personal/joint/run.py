"""`train`: settings and lists of readers in, a run's folder with an encoder out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback

from engine.personal.joint.example import JointData
from engine.personal.joint.loss import Before, JointLoss
from engine.personal.joint.measure import Measured, measure
from engine.personal.joint.model import JointBody, build
from engine.personal.joint.outcome import NDCG, OWN, JointOutcome
from engine.personal.joint.report import write_report
from engine.personal.joint.rows import JointRows
from engine.personal.joint.saving import model_card, save_encoder
from engine.personal.joint.settings import JointSettings
from reranker.errors import TrainingDataError
from reranker.training.libraries import need, quiet
from reranker.training.machine import machine, threads
from reranker.training.measure import change
from reranker.training.progress import Progress, Stop, Watch, go_through
from reranker.training.run_folder import REPORT, RunFolder, open_to_others, step_of
from reranker.training.trainer import Evaluator, make_trainer

_FOR_WEIGHT = 2_000  # lists that β is chosen on before training


def train(
    settings: JointSettings,
    data: JointData,
    out: str | Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    command: Sequence[str] | None = None,
) -> JointOutcome:
    """Fit an encoder to readers.

    Ctrl-C stops after the current step and saves a checkpoint. A run that is resumed ends, on a CPU, with the same
    weights bit for bit as one that was never stopped.

    Args:
        settings: What to do.
        data: What to learn from, to choose the best weights by, and to measure on in the end.
        out: The run's folder: a new one, or with `resume` that of a run that was stopped.
        resume: Whether to go on with a run; from its beginning where it has no checkpoint yet.
        progress: Told of each step that is logged and of each measurement.
        command: What a user would type to resume, for the message of `TrainingInterrupted`; None for the call.

    Raises:
        MissingDependency: torch or another library of the extra `train` is not installed.
        InvalidTrainingSettings: settings do not fit the base or the run, or led to numbers that are not finite.
        TrainingDataError: there is nothing to learn from, or the run has other data.
        RerankerModelError: the base, or a checkpoint, cannot be read.
        TrainingInterrupted: Ctrl-C was pressed, and a checkpoint is saved.
    """
    need(*(["peft"] if settings.method == "lora" else []), purpose="fitting an encoder")
    if not data.train:
        raise TrainingDataError("there is nothing to learn from: found 0 lists, expected at least 1")
    device, precision = machine(settings)
    folder = RunFolder(Path(out))
    checkpoint = folder.resume(settings, data.fingerprint) if resume else None
    if not resume:
        folder.make_sure_free()
    with quiet(), threads(settings.threads):
        body = build(settings, device)
        if not resume:
            folder.begin(settings, data.described())
        return _Run(settings, data, folder, body, progress).go(device, precision, checkpoint, command)


class _Run:
    """One run, from the model as it was to the report."""

    def __init__(
        self,
        settings: JointSettings,
        data: JointData,
        folder: RunFolder,
        body: JointBody,
        progress: Progress | None,
    ) -> None:
        self._settings, self._data, self._folder, self._body = settings, data, folder, body
        self._progress = progress
        model = body.encoder
        learnt_before = Before(model, data.texts, data.train, settings.max_tokens)
        spaced = data.train[:: -(-len(data.train) // _FOR_WEIGHT)]
        self._weight_before = learnt_before.best_weight(spaced, settings.sharpness)
        model.history_weight.set(self._weight_before)
        self._before = self._tested(self._weight_before)
        self._loss = JointLoss(model, data.texts, settings, learnt_before)

    def go(
        self, device: str, precision: str, checkpoint: Path | None, command: Sequence[str] | None
    ) -> JointOutcome:
        """Go through the steps, save what was trained, measure it, and report."""
        settings, data, folder = self._settings, self._data, self._folder
        stop = Stop()
        watch = Watch(folder, stop, lambda: self._loss.pairs, bool(data.dev), self._progress)
        callbacks: list[Any] = [watch]
        if settings.patience and data.dev:
            callbacks.append(EarlyStoppingCallback(settings.patience))
        trainer = make_trainer(
            settings,
            self._body,
            self._loss,
            JointRows(data.train, settings),
            folder.checkpoints,
            device=device,
            precision=precision,
            evaluator=Evaluator(self._chosen_by) if data.dev else None,
            callbacks=callbacks,
        )
        seconds = go_through(trainer, stop, watch, folder, checkpoint, command)
        state = trainer.state
        best = state.best_model_checkpoint if settings.keep == "best" else None
        return self._finished(
            steps=state.global_step,
            kept_step=step_of(Path(best)) if best else state.global_step,
            stopped_early=state.global_step < state.max_steps,
            seconds=seconds,
        )

    def _finished(self, **ended: Any) -> JointOutcome:
        settings, folder, body = self._settings, self._folder, self._body
        weight = self._weight()
        after = self._tested(weight)
        outcome = JointOutcome(
            folder=folder.path,
            model=folder.model,
            weight_before=self._weight_before,
            weight=weight,
            changes=self._changes(after),
            kept=1.0 if after is None or self._before is None else _alike(self._before, after),
            **ended,
        )
        save_encoder(body, folder.model, model_card(settings, body, self._data.fingerprint, outcome))
        open_to_others(folder.model)
        folder.write(REPORT, outcome.to_json())
        write_report(folder, settings, outcome)
        return outcome

    def _weight(self) -> float:
        return float(self._body.encoder.history_weight().detach())

    def _tested(self, weight: float) -> Measured | None:
        data = self._data
        return measure(self._body.encoder, data.texts, data.test, weight) if data.test else None

    def _chosen_by(self) -> float:
        found = measure(self._body.encoder, self._data.texts, self._data.dev, self._weight())
        return float(found.values[NDCG][OWN].mean())

    def _changes(self, after: Measured | None) -> dict[str, dict[str, Any]]:
        if after is None or self._before is None:
            return {}
        before, seed = self._before.values, self._settings.seed
        return {
            name: {whose: change(before[name][whose], values, seed) for whose, values in ways.items()}
            for name, ways in after.values.items()
        }


def _alike(before: Measured, after: Measured) -> float:
    return float(torch.sum(before.vectors * after.vectors, dim=1).mean())
