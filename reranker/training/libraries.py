"""Whether what training needs is installed, said before anything is begun."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from reranker.errors import MissingDependency

NEEDED = ("torch", "transformers", "sentence_transformers", "accelerate", "datasets")
"""What training imports, beside peft for LoRA."""


def need(*more: str, purpose: str = "training a reranker") -> None:
    """Make sure that training's libraries are there, and that none of them asks the network for anything.

    Args:
        *more: Others that are needed.
        purpose: What for.

    Raises:
        MissingDependency: one is not; it names the install line.
    """
    missing = [name.replace("_", "-") for name in (*NEEDED, *more) if find_spec(name) is None]
    if missing:
        raise MissingDependency(purpose, missing, "train")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from writing to the terminal: what there is to say, progress and log say."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
