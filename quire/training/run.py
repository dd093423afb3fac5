"""`train` and `resume`: a recipe in, a run's folder with a trained reranker out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from quire.training.events import Doing, Tell, silent
from quire.training.preparing import DATA, prepare, read_data
from quire.training.read import recipe_of
from quire.training.recipe import Recipe
from reranker.errors import InvalidTrainingSettings, TrainingInterrupted
from reranker.training.libraries import need, quiet
from reranker.training.run_folder import CONFIG, REPORT
from reranker.training.settings import TrainingSettings

if TYPE_CHECKING:
    from reranker.training import TrainingOutcome

RECIPE = "recipe.json"


def train(
    recipe: Recipe, out: str | Path, *, tell: Tell = silent, command: Sequence[str] | None = None
) -> TrainingOutcome:
    """Train a reranker: read the sources, check them, mine, split, train, measure before and after, report.

    What can be known to be wrong is known before anything is mined. Ctrl-C stops at any time and loses nothing that
    took long: `resume` goes on.

    Args:
        recipe: What to do.
        out: The run's folder, a new one. `reranker.training.run_folder` and `quire.training.preparing` say what is in
            it; the reranker itself is `model` in it.
        tell: Told how far it is, and what should be known.
        command: What a user would type to resume, for the message of `TrainingInterrupted`.

    Raises:
        MissingDependency: what training needs is not installed (`quire-search[train]`).
        InvalidTrainingSettings: settings cannot be, or the folder holds a run.
        TrainingDataError: the data cannot be trained on; the message tells all that is wrong.
        RerankerModelError: the base or the teacher cannot be loaded.
        TrainingInterrupted: Ctrl-C was pressed; what was done is kept.
        IndexingError, SearchError, EvalError: an index or a collection cannot be read.
    """
    out = Path(out)
    if (out / DATA).exists() or (out / CONFIG).exists():
        raise InvalidTrainingSettings(
            f"{out} holds a run already: go on with it (--resume {out}), or give a folder of its own to the new one"
        )
    _check_training(recipe.training, tell)
    out.mkdir(parents=True, exist_ok=True)
    (out / RECIPE).write_text(
        json.dumps(recipe.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return _run(recipe, out, tell, command)


def resume(out: str | Path, *, tell: Tell = silent, command: Sequence[str] | None = None) -> TrainingOutcome:
    """Go on with a run that was stopped, at whatever it was stopped; `train` describes arguments and errors."""
    out = Path(out)
    recipe = read_saved(out)
    if (out / REPORT).is_file():
        raise InvalidTrainingSettings(
            f"{out} is a finished run: {out / REPORT} says what came of it; begin a new one"
        )
    _check_training(recipe.training, tell)
    return _run(recipe, out, tell, command)


def read_saved(out: Path) -> Recipe:
    """Return the recipe of a run's folder.

    Raises:
        InvalidTrainingSettings: it holds none that can be read.
    """
    path = out / RECIPE
    try:
        return recipe_of(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError) as error:
        raise InvalidTrainingSettings(
            f"{out} holds no run to go on with: {RECIPE} cannot be read ({error}); begin a new one"
        ) from error


def _run(recipe: Recipe, out: Path, tell: Tell, command: Sequence[str] | None) -> TrainingOutcome:
    from reranker.training import train as train_on

    with interruptible(out, command):
        prepare(recipe, out, tell)
        with read_data(out) as data:
            begun = (out / CONFIG).is_file()
            tell(Doing("measuring before training"))
            return train_on(recipe.training, data, out, resume=begun, progress=_told(tell), command=command)


def _told(tell: Tell) -> Callable[[object], None]:
    return tell  # type: ignore[return-value]  # what training tells is one of what `tell` takes


def _check_training(settings: TrainingSettings, tell: Tell) -> None:
    """Make sure that training can begin, by building what is to be trained: mining may take hours."""
    need(*(["peft"] if settings.method == "lora" else []))
    tell(Doing(f"loading {settings.base}"))
    from reranker.training.machine import machine
    from reranker.training.run import prepared

    with quiet():
        prepared(settings, machine(settings)[0])


@contextmanager
def interruptible(out: Path, command: Sequence[str] | None) -> Iterator[None]:
    """Say how to go on where Ctrl-C comes outside of the steps of training, which say so themselves."""
    import shlex

    try:
        yield
    except KeyboardInterrupt:
        typed = shlex.join(command) if command else f"quire.training.resume({str(out)!r})"
        raise TrainingInterrupted(f"stopped, as asked; what was done is kept. Go on with: {typed}") from None
