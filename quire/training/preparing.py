"""From a recipe to the two files that are trained on: `prepare`, and `read_data`, which reads them.

data/mined/            what each source gave
data/train.jsonl.gz    what is learnt from, weighed and mixed: exactly what the trainer reads
data/dev.jsonl.gz      what is measured on
data/ready.json        written last
indexes/               of collections that have none
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from indexer.local.durable import replace_atomically
from quire.training.checking import checked, noted, refuse
from quire.training.dividing import Chosen, Place, all_places, divided, mixed, weighed
from quire.training.events import Doing, Tell
from quire.training.library import Library
from quire.training.mining import measuring, mined, teacher_of
from quire.training.recipe import DataSource, Recipe
from quire.training.sources import Opened, opened
from reranker.data.checks import check
from reranker.data.example import Example, TrainingData
from reranker.data.example_file import ExampleFile, write_examples
from reranker.errors import TrainingDataError

DATA, INDEXES = "data", "indexes"
TRAIN, DEV, READY = "train.jsonl.gz", "dev.jsonl.gz", "ready.json"


def check_only(recipe: Recipe, folder: Path, tell: Tell) -> list[tuple[str, int]]:
    """Read all that is known, and return how many queries each source has; nothing is mined.

    Raises:
        TrainingDataError: it cannot be trained on.
    """
    with Library(folder / INDEXES, recipe.indexing, tell) as library:
        ready, finished = _opened(recipe, library, tell)
        names = [source.name for source in ready]
        counts = list(zip(names, _checked(recipe, ready, tell), strict=True))
    for source in finished:
        with ExampleFile(source.examples) as examples:
            counts.append((source.label, len(examples)))
    return counts


def prepare(recipe: Recipe, folder: Path, tell: Tell) -> None:
    """Read, check, mine, split, weigh and mix; what was done before is not done again.

    Raises:
        TrainingDataError: the data cannot be trained on.
        IndexingError, SearchError, EvalError: an index or a collection cannot be read.
    """
    data = folder / DATA
    if (data / READY).is_file():
        return
    with ExitStack() as stack:
        with Library(folder / INDEXES, recipe.indexing, tell) as library:
            ready, _ = _opened(recipe, library, tell)
            counts = _checked(recipe, ready, tell)
            whole = _Mining(recipe, ready, counts, data / "mined", stack, tell).data()
        if recipe.replay.path:
            old = stack.enter_context(_old(recipe, tell))
            whole = mixed(whole, old, recipe, tell)
        for name, examples in ((TRAIN, whole.train), (DEV, whole.dev)):
            _write(data / name, examples, tell)
    counted = {"train": len(whole.train), "dev": len(whole.dev)}
    replace_atomically(data / READY, json.dumps(counted).encode())


@contextmanager
def read_data(folder: Path) -> Iterator[TrainingData]:
    """Read what `prepare` wrote in a run's folder; the examples are read as they are asked for.

    Raises:
        TrainingDataError: there is nothing, or it cannot be read.
    """
    _make_sure_ready(folder)
    data = folder / DATA
    with ExampleFile(data / TRAIN) as train, ExampleFile(data / DEV) as dev:
        yield TrainingData.of(train, dev)


def _make_sure_ready(path: Path) -> None:
    """Make sure that a folder has what was trained on; a file may be one of examples."""
    if path.is_dir() and not (path / DATA / READY).is_file():
        raise TrainingDataError(
            f"{path} is no folder of a run whose data are ready: {DATA}/{READY} is not there; name the --out of a "
            "`quire train`, or a file of examples"
        )


def _opened(recipe: Recipe, library: Library, tell: Tell) -> tuple[list[Opened], list[DataSource]]:
    """Return the sources to be mined, opened, and the finished ones."""
    every = (*recipe.data, *recipe.dev)
    finished = [source for source in every if source.kind == "examples"]
    named = [*(source.examples for source in finished), recipe.replay.path]
    missing = [path for path in named if path and not Path(path).exists()]
    if missing:
        raise TrainingDataError(f"there is no {missing[0]}, which the data name")
    if recipe.replay.path:
        _make_sure_ready(Path(recipe.replay.path))
    return [opened(source, recipe, library, tell) for source in every if source not in finished], finished


def _checked(recipe: Recipe, ready: Sequence[Opened], tell: Tell) -> list[int]:
    learnt = sum(source.kind != "examples" for source in recipe.data)
    return checked(ready[:learnt], tell, ready[learnt:])


class _Mining:
    """Mines a recipe's sources, and divides what comes of it.

    Args:
        recipe: Whose.
        ready: Its sources to be mined, opened: those of `data`, then those of `dev`.
        counts: How many queries each has.
        folder: Where mined examples are kept.
        stack: Closes their files.
        tell: Told how far it is.
    """

    def __init__(
        self,
        recipe: Recipe,
        ready: Sequence[Opened],
        counts: Sequence[int],
        folder: Path,
        stack: ExitStack,
        tell: Tell,
    ) -> None:
        self._recipe, self._folder, self._stack, self._tell = recipe, folder, stack, tell
        self._ready = {id(one.source): (one, count) for one, count in zip(ready, counts, strict=True)}
        self._teacher = teacher_of(recipe) if ready else None

    def data(self) -> TrainingData:
        """Return what is learnt from, weighed, and what is measured on; checked, without a fingerprint."""
        recipe = self._recipe
        pools = [self._pool("data", number, source) for number, source in enumerate(recipe.data)]
        if recipe.dev:
            places = all_places(pools)
            dev: list[Sequence[Example]] = [
                self._pool("dev", number, source) for number, source in enumerate(recipe.dev)
            ]
        else:
            places, kept = divided(pools, recipe.split, self._tell)
            dev = [self._measured(number, pools[number], kept) for number in range(len(pools))]
        measured = Chosen(dev, all_places(dev))
        self._tell(Doing("checking examples"))
        found = check(TrainingData(Chosen(pools, places), measured, ""))
        refuse(noted(found, "", self._tell))
        weights = [source.weight for source in recipe.data]
        return TrainingData(Chosen(pools, weighed(places, weights, recipe.split.seed)), measured, "")

    def _pool(self, part: str, number: int, source: DataSource) -> ExampleFile:
        """Return the examples of a source, mined where they are not."""
        if source.kind == "examples":
            return self._stack.enter_context(ExampleFile(source.examples))
        one, count = self._ready[id(source)]
        if part == "data":
            return self._mine(f"data-{number:02}", one, count)
        return self._mine(f"dev-{number:02}", self._as_found(one), count, taught=False)

    def _measured(self, number: int, pool: ExampleFile, kept: Sequence[Place]) -> Sequence[Example]:
        """Return the examples of a source that are measured on, mined anew as the first stage finds them."""
        source = self._recipe.data[number]
        own = [place[1] for place in kept if place[0] == number]
        if source.kind == "examples" or not own:
            return Chosen([pool], [(0, at) for at in own])
        names = frozenset(pool[at].query_id for at in own)
        one, _ = self._ready[id(source)]
        found = self._as_found(one.only(names))
        return self._mine(f"measured-{number:02}", found, len(names), taught=False)

    def _as_found(self, one: Opened) -> Opened:
        settings = measuring(one.mining, self._recipe.split.candidates)
        return replace(one, name=f"{one.name} to measure on", mining=settings)

    def _mine(self, name: str, one: Opened, count: int, *, taught: bool = True) -> ExampleFile:
        path = self._folder / f"{name}.jsonl.gz"
        mined([one], [count], path, self._teacher if taught else None, self._tell)
        return self._stack.enter_context(ExampleFile(path))


@contextmanager
def _old(recipe: Recipe, tell: Tell) -> Iterator[TrainingData]:
    """Yield what is to be replayed: the data of a run, or a file of examples, split as the new ones are."""
    path = Path(recipe.replay.path)
    if path.is_dir():
        with read_data(path) as data:
            yield data
        return
    with ExampleFile(path) as examples:
        train, dev = divided([examples], recipe.split, tell)
        yield TrainingData(Chosen([examples], train), Chosen([examples], dev), examples.made_from)


def _write(path: Path, examples: Sequence[Example], tell: Tell) -> None:
    """Write examples into a file; one that is there from a call that was interrupted is made anew."""
    path.unlink(missing_ok=True)
    write_examples(
        path,
        range(len(examples)),
        examples.__getitem__,
        progress=lambda done: tell(Doing(f"writing {path.name}", done, len(examples))),
    )
