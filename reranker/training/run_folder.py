"""The folder of a training run: what went in, what was measured on the way, and what came out.

config.json      the settings
data.json        the data's fingerprint, and how many queries and passages come from each source
metrics.jsonl    a line for each step that is logged, and one for each measurement on the development queries
checkpoints/     what a run goes on from
model/           what was trained: an adapter folder, or a cross-encoder
report.json      before and after, with significance
report.html      the same to look at, with curves
curves.png       the curves, where matplotlib is installed
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reranker.data.example import Example, TrainingData
from reranker.errors import InvalidTrainingSettings, TrainingDataError
from reranker.training.steps import StepSettings

CONFIG, DATA, METRICS, REPORT = "config.json", "data.json", "metrics.jsonl", "report.json"
CHECKPOINTS, MODEL = "checkpoints", "model"
_HARMLESS = frozenset({"log_every", "threads", "tokens_per_pass"})


class RunFolder:
    """Writes and reads a run's folder.

    Args:
        path: The folder; made where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / CHECKPOINTS
        self.model = path / MODEL

    def make_sure_free(self) -> None:
        """Make sure that a run can begin here.

        Raises:
            InvalidTrainingSettings: the folder holds a run already.
        """
        if (self.path / CONFIG).exists() or self.last_checkpoint() is not None:
            raise InvalidTrainingSettings(
                f"{self.path} holds a run already: go on with it (resume), or give a folder of its own to the new one"
            )

    def begin(self, settings: StepSettings, data: Mapping[str, Any]) -> None:
        """Write what goes in: the settings, and what is said of the data, their fingerprint among it."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / METRICS).write_text("", encoding="utf-8")
        _write(self.path / DATA, data)
        _write(self.path / CONFIG, settings.to_json())

    def resume(self, settings: StepSettings, fingerprint: str) -> Path | None:
        """Make sure that a run can go on, and return its last checkpoint; None where it has none yet.

        Lines of metrics.jsonl that are of later steps are taken out.

        Raises:
            InvalidTrainingSettings: there is no run in the folder, or it has other settings.
            TrainingDataError: it has other data.
        """
        old, known = self._read(CONFIG), self._read(DATA)
        now = settings.to_json()
        other = [name for name in now if name not in _HARMLESS and _listed(now[name]) != old.get(name)]
        if other:
            shown = ", ".join(f"{name} = {now[name]!r} in the place of {old.get(name)!r}" for name in other)
            raise InvalidTrainingSettings(
                f"{self.path} cannot go on with other settings: found {shown}; give the run's own, or begin a new one"
            )
        if known.get("fingerprint") != fingerprint:
            raise TrainingDataError(
                f"{self.path} cannot go on with other data: its fingerprint is {known.get('fingerprint')}, and that of "
                f"the data given {fingerprint}; give the same data, or begin a new run"
            )
        checkpoint = self.last_checkpoint()
        step = step_of(checkpoint) if checkpoint else 0
        kept = [line for line in self.metrics() if line["step"] <= step]
        text = "".join(f"{json.dumps(line)}\n" for line in kept)
        (self.path / METRICS).write_text(text, encoding="utf-8")
        return checkpoint

    def last_checkpoint(self) -> Path | None:
        """Return the whole checkpoint of the highest step, or None."""
        whole = [path.parent for path in self.checkpoints.glob("checkpoint-*/trainer_state.json")]
        return max(whole, key=step_of, default=None)

    def add_metrics(self, line: Mapping[str, Any]) -> None:
        """Append a line to metrics.jsonl."""
        with (self.path / METRICS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl; one that was cut off is left out."""
        path = self.path / METRICS
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a JSON file."""
        _write(self.path / name, value)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InvalidTrainingSettings(
                f"{self.path} holds no run to go on with: {name} cannot be read ({error}); begin a new one"
            ) from error
        return dict(value)


def step_of(checkpoint: Path) -> int:
    """Return the step that a checkpoint was made after."""
    return int(checkpoint.name.rpartition("-")[2])


def open_to_others(model: Path) -> None:
    """Give all files the permissions of the card: the library that writes weights keeps them to their owner."""
    mode = (model / "README.md").stat().st_mode & 0o777
    for path in model.rglob("*"):
        if path.is_file():
            path.chmod(mode)


def described(data: TrainingData) -> dict[str, Any]:
    """Return the data's fingerprint and its counts, for the whole and for each source."""
    return {"fingerprint": data.fingerprint, "train": _counts(data.train), "dev": _counts(data.dev)}


def _counts(examples: Sequence[Example]) -> dict[str, Any]:
    queries: Counter[str] = Counter()
    passages: Counter[str] = Counter()
    for example in examples:
        queries[example.source] += 1
        passages[example.source] += len(example.passages)
    sources = {name: {"queries": queries[name], "passages": passages[name]} for name in sorted(queries)}
    return {"queries": queries.total(), "passages": passages.total(), "sources": sources}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
