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
from pathlib import Path

from indexer.local.durable import replace_atomically
from quire.training.checking import checked, noted, refuse
from quire.training.dividing import Chosen, all_places, divided, mixed, weighed
from quire.training.events import Doing, Tell
from quire.training.library import Library
from quire.training.mining import mined, teacher_of
from quire.training.recipe import DataSource, Recipe
from quire.training.sources import Opened, opened
from reranker.data.checks import check
from reranker.data.example import Example, TrainingData
from reranker.data.example_file import ExampleFile, write_examples
from reranker.errors import TrainingDataError
from reranker.scorer import PairScorer

DATA, INDEXES = "data", "indexes"
TRAIN, DEV, READY = "train.jsonl.gz", "dev.jsonl.gz", "ready.json"


def check_only(recipe: Recipe, folder: Path, tell: Tell) -> dict[str, int]:
    """Read all that is known, and return how many queries each source has; nothing is mined.

    Raises:
        TrainingDataError: it cannot be trained on.
    """
    with Library(folder / INDEXES, recipe.indexing, tell) as library:
        ready, finished = _opened(recipe, library, tell)
        names = [source.name for source in ready]
        counts = dict(zip(names, _checked(recipe, ready, tell), strict=True))
    for source in finished:
        with ExampleFile(source.examples) as examples:
            counts[source.label] = len(examples)
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
            counts = dict(zip((id(one.source) for one in ready), _checked(recipe, ready, tell), strict=True))
            teacher = teacher_of(recipe) if ready else None
            pools = {
                part: _pools(part, recipe, ready, counts, data / "mined", teacher, stack, tell)
                for part in ("data", "dev")
            }
        train, dev = _divided(pools["data"], pools["dev"], recipe, tell)
        whole = TrainingData(*_weighed(pools["data"], pools["dev"], train, dev, recipe), "")
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


def _pools(
    part: str,
    recipe: Recipe,
    ready: Sequence[Opened],
    counts: dict[int, int],
    folder: Path,
    teacher: PairScorer | None,
    stack: ExitStack,
    tell: Tell,
) -> list[ExampleFile]:
    """Return the examples of each source of `data` or of `dev`, mined where they are not."""
    by_source = {id(one.source): one for one in ready}
    files = []
    for number, source in enumerate(recipe.data if part == "data" else recipe.dev):
        path = Path(source.examples)
        if source.kind != "examples":
            path = folder / f"{part}-{number:02}.jsonl.gz"
            mined([by_source[id(source)]], [counts[id(source)]], path, teacher, tell)
        files.append(stack.enter_context(ExampleFile(path)))
    return files


def _divided(
    pools: Sequence[ExampleFile], dev_pools: Sequence[ExampleFile], recipe: Recipe, tell: Tell
) -> tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]]:
    """Return what is learnt from and measured on, checked."""
    if recipe.dev:
        train, dev = all_places(pools), all_places(dev_pools)
    else:
        train, dev = divided(pools, recipe.split, tell)
    tell(Doing("checking examples"))
    found = check(TrainingData(Chosen(pools, train), Chosen(dev_pools if recipe.dev else pools, dev), ""))
    refuse(noted(found, "", tell))
    return train, dev


def _weighed(
    pools: Sequence[ExampleFile],
    dev_pools: Sequence[ExampleFile],
    train: Sequence[tuple[int, int]],
    dev: Sequence[tuple[int, int]],
    recipe: Recipe,
) -> tuple[Chosen, Chosen]:
    weights = [source.weight for source in recipe.data]
    learnt = Chosen(pools, weighed(train, weights, recipe.split.seed))
    return learnt, Chosen(dev_pools if recipe.dev else pools, dev)


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
