"""Training a reranker from indexes and collections: what `quire train` and `quire mine` do, as Python calls.

    recipe = Recipe(data=(DataSource(index="my-index", clicks="log.jsonl"),))
    outcome = train(recipe, "runs/first", tell=print)
    engine = SearchEngine.open("my-index", reranker=str(outcome.model))

- `Recipe` is everything that decides a run: `DataSource`s, and the settings of mining, splitting and training.
- `read_recipe` reads one from TOML.
- `train` reads, checks, mines, splits and trains, in one folder; `resume` goes on where it was stopped.
- `train_encoder` fits an encoder to readers: `ImpressionSource` says where the lists are that they were shown.
- `mine` stops after the mining, and writes one file of examples.

It stands here and not in `reranker`, which knows neither an index nor a collection's files. Importing it imports
nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quire.training.encoder import resume_encoder, train_encoder
    from quire.training.events import Doing, Noted, Tell
    from quire.training.impression_source import ImpressionSource
    from quire.training.mining import mine
    from quire.training.read import read_recipe
    from quire.training.recipe import ClickSettings, DataSource, Recipe, ReplaySettings, SplitSettings
    from quire.training.run import resume, train

__all__ = [
    "ClickSettings",
    "DataSource",
    "Doing",
    "ImpressionSource",
    "Noted",
    "Recipe",
    "ReplaySettings",
    "SplitSettings",
    "Tell",
    "mine",
    "read_recipe",
    "resume",
    "resume_encoder",
    "train",
    "train_encoder",
]

_MODULES = {
    "encoder": ("resume_encoder", "train_encoder"),
    "events": ("Doing", "Noted", "Tell"),
    "impression_source": ("ImpressionSource",),
    "mining": ("mine",),
    "read": ("read_recipe",),
    "recipe": ("ClickSettings", "DataSource", "Recipe", "ReplaySettings", "SplitSettings"),
    "run": ("resume", "train"),
}
_HOME = {name: f"quire.training.{module}" for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
