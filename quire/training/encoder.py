"""`train_encoder` and `resume_encoder`: a log of lists in, a run's folder with an encoder fitted to readers out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.personal.joint.example import JointData
from engine.personal.joint.settings import JointSettings
from quire.training.events import Doing, Tell, silent
from quire.training.impression_source import ImpressionSource
from quire.training.impressions import read_impressions
from quire.training.run import RECIPE, interruptible
from reranker.errors import InvalidTrainingSettings
from reranker.training.libraries import need
from reranker.training.run_folder import CONFIG, REPORT

if TYPE_CHECKING:
    from engine.personal.joint import JointOutcome

LISTS = Path("data") / "lists.jsonl.gz"


def train_encoder(
    source: ImpressionSource,
    settings: JointSettings,
    out: str | Path,
    *,
    tell: Tell = silent,
    command: Sequence[str] | None = None,
) -> JointOutcome:
    """Fit an encoder to what readers clicked, given what they had met before.

    Args:
        source: The log, the readers, the index.
        settings: How it learns.
        out: The run's folder, a new one; the encoder is `model` in it. The lists that it learns from are in
            `data`: texts of what readers met, under numbers for readers. Delete it when it is no longer needed.
        tell: Told how far it is, and what should be known.
        command: What a user would type to resume, for the message of `TrainingInterrupted`.

    Raises:
        MissingDependency: what training needs is not installed (`quire-search[train]`).
        InvalidTrainingSettings: settings cannot be, or the folder holds a run.
        TrainingDataError: there is nothing to learn from.
        RerankerModelError: the base cannot be loaded.
        TrainingInterrupted: Ctrl-C was pressed; what was done is kept.
        IndexingError, SearchError, EvalError: the index or a file cannot be read.
    """
    out = Path(out)
    if (out / RECIPE).exists() or (out / CONFIG).exists():
        raise InvalidTrainingSettings(
            f"{out} holds a run already: go on with it (--resume {out}), or give a folder of its own to the new one"
        )
    need(*(["peft"] if settings.method == "lora" else []), purpose="fitting an encoder")
    out.mkdir(parents=True, exist_ok=True)
    recipe = {"source": source.to_json(), "settings": settings.to_json()}
    (out / RECIPE).write_text(json.dumps(recipe, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return _run(source, settings, out, tell, command)


def resume_encoder(
    out: str | Path, *, tell: Tell = silent, command: Sequence[str] | None = None
) -> JointOutcome:
    """Go on with a run that was stopped; `train_encoder` describes arguments and errors."""
    out = Path(out)
    if (out / REPORT).is_file():
        raise InvalidTrainingSettings(
            f"{out} is a finished run: {out / REPORT} says what came of it; begin a new one"
        )
    source, settings = _saved(out)
    return _run(source, settings, out, tell, command)


def _saved(out: Path) -> tuple[ImpressionSource, JointSettings]:
    path = out / RECIPE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        given = dict(values["source"])
        given["events"] = tuple(given["events"])
        return ImpressionSource(**given), JointSettings.from_mapping(values["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidTrainingSettings(
            f"{out} holds no run of `quire train-encoder` to go on with: {RECIPE} cannot be read ({error}); begin a "
            "new one"
        ) from error


def _run(
    source: ImpressionSource,
    settings: JointSettings,
    out: Path,
    tell: Tell,
    command: Sequence[str] | None,
) -> JointOutcome:
    with interruptible(out, command):
        if (out / LISTS).is_file():
            data = JointData.read(out / LISTS)
        else:
            data = read_impressions(source, tell)
            data.write(out / LISTS)
        tell(Doing("measuring before training"))
        from engine.personal.joint import train

        begun = (out / CONFIG).is_file()
        return train(settings, data, out, resume=begun, progress=_told(tell), command=command)


def _told(tell: Tell) -> Callable[[Any], None]:
    return tell
