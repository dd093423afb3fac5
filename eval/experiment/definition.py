"""What an experiment is: collections, pipelines, what is measured. Made in Python, or read from a file by `read`."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eval.collection import Collection, Judgements
from eval.errors import InvalidExperiment
from eval.experiment.pipeline import Pipeline

DEFAULT_MEASURES = ("nDCG@10", "R@100", "AP", "RR@10")
TESTS = ("t", "wilcoxon", "randomisation")
CORRECTIONS = ("holm", "benjamini-hochberg", "none")
_NAME = re.compile(r"[\w.+-]+")


@dataclass(frozen=True, slots=True)
class CollectionSource:
    """A collection that an experiment names.

    Args:
        path: A BEIR folder, or `irds:NAME`.
        split: Which of its splits; empty where it has one.
        topics: At most so many judged topics, spread evenly over all of them in their order; 0 for all.
        seed: Draw the topics by chance instead, with this seed.
        measures: To compute besides those of the experiment: of passages, say, where there is evidence.

    Raises:
        InvalidExperiment: a value is outside its range.
    """

    path: str
    split: str = ""
    topics: int = 0
    seed: int | None = None
    measures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.path:
            raise InvalidExperiment("path is the folder of a collection, or irds:NAME; found an empty string")
        if self.topics < 0:
            raise InvalidExperiment(f"topics is how many to take, 0 for all; found {self.topics}")


@dataclass(frozen=True, slots=True)
class Experiment:
    """Pipelines on collections.

    Args:
        name: Its title.
        collections: Collections by the name that tables give them.
        pipelines: Pipelines by name.
        measures: Names of measures; systems are compared by the first.
        baseline: The pipeline that others are compared with; empty for the first.
        k: How many documents each topic is answered with.
        page: How many documents an answer that is timed has: what a user waits for.
        test: The significance test.
        correction: The correction for many comparisons.
        description: What it is for.
        folder: Where relative paths start.
        collections_folder: Where relative paths of collections start; None for `folder`.
        definition: Its TOML text, for the record.
        only_on: Pipeline to the collections that it is run on, for those that are not run on all.
        instead: Collection and pipeline to the pipeline that runs there under that name: the same with other settings,
            such as an encoder that reads the collection's language.

    Raises:
        InvalidExperiment: a value is outside its range, or a name is not one of those that there are.
    """

    name: str
    collections: Mapping[str, CollectionSource]
    pipelines: Mapping[str, Pipeline]
    measures: Sequence[str] = DEFAULT_MEASURES
    baseline: str = ""
    k: int = 100
    page: int = 10
    test: str = "t"
    correction: str = "holm"
    description: str = ""
    folder: Path = Path()
    collections_folder: Path | None = None
    definition: str = ""
    only_on: Mapping[str, Sequence[str]] = field(default_factory=dict)
    instead: Mapping[tuple[str, str], Pipeline] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_names("collection", self.collections)
        self._check_names("pipeline", self.pipelines)
        self._check_one_of("baseline", self.baseline, ("", *self.pipelines))
        self._check_one_of("test", self.test, TESTS)
        self._check_one_of("correction", self.correction, CORRECTIONS)
        for pipeline, names in self.only_on.items():
            for name in names:
                self._check_one_of(f"what pipeline {pipeline!r} runs on", name, tuple(self.collections))
        if not self.measures:
            raise InvalidExperiment("measures is empty; name at least one, such as nDCG@10")
        if self.k < 1 or self.page < 1:
            raise InvalidExperiment(f"k and page are at least 1; found {self.k} and {self.page}")

    def _check_names(self, what: str, names: Mapping[str, object]) -> None:
        if not names:
            raise InvalidExperiment(f"an experiment needs at least one {what}")
        for name in names:
            if not _NAME.fullmatch(name) or not name.strip("."):
                raise InvalidExperiment(
                    f"the {what}'s name {name!r} becomes a file's: letters, digits and . _ + - only"
                )

    def _check_one_of(self, what: str, found: str, choices: Sequence[str]) -> None:
        if found not in choices:
            raise InvalidExperiment(f"{what} is one of {', '.join(filter(None, choices))}; found {found!r}")

    @property
    def compared_with(self) -> str:
        """The baseline: the one named, or the first pipeline."""
        return self.baseline or next(iter(self.pipelines))

    def pipeline(self, collection: str, name: str) -> Pipeline:
        """Return what runs on a collection under a pipeline's name."""
        return self.instead.get((collection, name), self.pipelines[name])

    def path_of(self, source: CollectionSource) -> str:
        """Return what `read_collection` is to read."""
        if source.path.startswith("irds:"):
            return source.path
        return str((self.collections_folder or self.folder) / source.path)

    def cells(self) -> list[tuple[str, str]]:
        """Return every collection with every pipeline that is run on it, in the order of tables."""
        return [
            (collection, pipeline)
            for collection in self.collections
            for pipeline in self.pipelines
            if collection in self.only_on.get(pipeline, (collection,))
        ]

    def only(self, wanted: Sequence[str]) -> list[tuple[str, str]]:
        """Return the cells that are meant by `collection`, `pipeline` or `collection/pipeline`; all if none is given.

        Raises:
            InvalidExperiment: one of them means none.
        """
        chosen: set[tuple[str, str]] = set()
        for name in wanted:
            of, slash, by = name.partition("/")
            meant = {
                cell
                for cell in self.cells()
                if (cell == (of, by) if slash else name in cell)
                or (slash and ((of == "" and cell[1] == by) or (by == "" and cell[0] == of)))
            }
            if not meant:
                raise InvalidExperiment(
                    f"{name!r} is no cell; collections are {', '.join(self.collections)}, "
                    f"pipelines {', '.join(self.pipelines)}"
                )
            chosen |= meant
        return [cell for cell in self.cells() if not wanted or cell in chosen]


def chosen_topics(collection: Collection, source: CollectionSource, name: str) -> Collection:
    """Return the collection under its name in the experiment, with the topics asked for and their judgements alone."""
    ids = [query_id for query_id in collection.topics if query_id in collection.judgements.qrels]
    if source.topics and source.topics < len(ids):
        if source.seed is None:
            ids = [ids[at * len(ids) // source.topics] for at in range(source.topics)]
        else:
            kept = set(random.Random(source.seed).sample(ids, source.topics))
            ids = [query_id for query_id in ids if query_id in kept]
    judgements = collection.judgements
    return replace(
        collection,
        name=name,
        topics={query_id: collection.topics[query_id] for query_id in ids},
        judgements=Judgements(
            {query_id: judgements.qrels[query_id] for query_id in ids},
            {query_id: judgements.evidence[query_id] for query_id in ids if query_id in judgements.evidence},
            {
                query_id: judgements.subtopics[query_id]
                for query_id in ids
                if query_id in judgements.subtopics
            },
        ),
    )
