"""What a running training says of itself, and how it is stopped."""

from __future__ import annotations

import math
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from transformers import TrainerCallback

from reranker.errors import InvalidTrainingSettings, TrainingInterrupted
from reranker.training.run_folder import RunFolder
from reranker.training.trainer import NDCG


@dataclass(frozen=True, slots=True)
class Progressed:
    """Where a run is.

    Args:
        step: Steps of the optimiser so far.
        steps: Steps of the whole run.
        epoch: How often the data have been gone through.
        loss: The mean over the steps since the last time; None when this is a measurement.
        learning_rate: Now; None when this is a measurement.
        pairs_per_second: Pairs learned from since the last time, by second; None when this is a measurement.
        ndcg: The mean nDCG@10 on the development queries, when this is a measurement.
        seconds: Since this call began.
    """

    step: int
    steps: int
    epoch: float
    loss: float | None
    learning_rate: float | None
    pairs_per_second: float | None
    ndcg: float | None
    seconds: float


Progress: TypeAlias = Callable[[Progressed], None]


class Stop:
    """Whether someone asked for the run to stop."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def on_interrupt(self) -> Iterator[None]:
        """Let Ctrl-C ask for a stop after the current step; a second Ctrl-C interrupts at once.

        Signals can be received in the main thread only; elsewhere this does nothing.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def ask(number: int, frame: Any) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self.asked = True

        before = signal.signal(signal.SIGINT, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


class Watch(TrainerCallback):
    """Writes metrics.jsonl, tells the caller, measures once more at the end, and stops a run that was asked to.

    Args:
        folder: Where metrics.jsonl is.
        stop: Set by Ctrl-C.
        pairs: Counts the pairs that the loss has seen.
        evaluates: Whether there are development queries.
        progress: Told of every line; None for nobody.
    """

    def __init__(
        self,
        folder: RunFolder,
        stop: Stop,
        pairs: Callable[[], int],
        evaluates: bool,
        progress: Progress | None,
    ) -> None:
        self._folder = folder
        self._stop = stop
        self._pairs = pairs
        self._evaluates = evaluates
        self._progress = progress
        self._began = self._marked = time.monotonic()
        self._seen = 0
        self._measuring = 0.0
        self.interrupted = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock."""
        self._began = self._marked = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Ask for a last measurement, or for the stop that was asked for."""
        if state.global_step >= state.max_steps:
            control.should_evaluate = self._evaluates
            control.should_save = True
        elif self._stop.asked:
            self.interrupted = True
            control.should_save = True
            control.should_training_stop = True

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Write a line of the loss, or of a measurement."""
        logs = logs or {}
        measured = logs.get(f"eval_{NDCG}")
        if measured is None and "loss" not in logs:
            return
        now = time.monotonic()
        line: dict[str, Any] = {"step": state.global_step, "epoch": round(float(state.epoch or 0.0), 6)}
        if measured is not None:
            line |= {NDCG: measured}
            self._measuring += float(logs.get("eval_runtime", 0.0))
        else:
            pairs, learning = self._pairs(), max(now - self._marked - self._measuring, 1e-9)
            pace = (pairs - self._seen) / learning
            self._marked, self._seen, self._measuring = now, pairs, 0.0
            line |= {"loss": float(logs["loss"]), "learning_rate": float(logs.get("learning_rate", 0.0))}
            line |= {"gradient": float(logs.get("grad_norm", 0.0)), "pairs_per_second": round(pace, 1)}
            if not math.isfinite(line["loss"]):
                raise InvalidTrainingSettings(
                    f"the loss is no finite number at step {state.global_step}: lower learning_rate (now "
                    f"{args.learning_rate:g}), or raise warm_up, or compute in fp32 (precision)"
                )
        line["seconds"] = round(now - self._began, 3)
        self._folder.add_metrics(line)
        if self._progress:
            self._progress(
                Progressed(
                    step=line["step"],
                    steps=state.max_steps,
                    epoch=line["epoch"],
                    loss=line.get("loss"),
                    learning_rate=line.get("learning_rate"),
                    pairs_per_second=line.get("pairs_per_second"),
                    ndcg=measured,
                    seconds=line["seconds"],
                )
            )


def go_through(
    trainer: Any,
    stop: Stop,
    watch: Watch,
    folder: RunFolder,
    checkpoint: Path | None,
    command: Sequence[str] | None,
) -> float:
    """Go through a run's steps, and return how many seconds they took.

    Args:
        trainer: Has them; `watch` is among its callbacks.
        stop: What Ctrl-C sets.
        watch: Knows whether it was heeded.
        folder: The run's.
        checkpoint: Where to go on from; None to begin.
        command: What a user would type to resume; None for the call.

    Raises:
        TrainingInterrupted: Ctrl-C was pressed, and a checkpoint is saved.
    """
    began = time.monotonic()
    with stop.on_interrupt():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if watch.interrupted:
        call = f"train(settings, data, {str(folder.path)!r}, resume=True)"
        raise TrainingInterrupted(
            f"stopped at step {trainer.state.global_step} of {trainer.state.max_steps}, as asked; a checkpoint is "
            f"saved. Go on with: {shlex.join(command) if command else call}"
        )
    return time.monotonic() - began
