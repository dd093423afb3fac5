"""What an experiment asks of a pipeline, and what a pipeline may ask of the experiment.

A `Pipeline` is a value: what is to be run, with every setting. On a `Ground`, which is one collection with whatever
pipelines share there, it becomes a `Ready` system that answers topics. A new kind is a class with these three
methods, and a line in `eval.experiment.pipelines.KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from eval.collection import Collection, Topic
from eval.errors import EvalError
from eval.experiment.result import IndexFacts
from eval.run import Span

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.configuration import IndexingSettings
    from indexer.document import Document
    from indexer.encoding import Encoder
    from indexer.index import Index


class PipelineFailed(EvalError):
    """A pipeline cannot be made ready, or cannot answer; says which part of it, and what was expected."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system says to one topic.

    Args:
        ranked: Documents with scores, best first; no document twice. Scores may be equal: the order counts.
        spans: The passages shown, as a reader meets them; empty for a system that returns whole documents.
        seconds: How long it took, where the system itself says so; None to have the experiment's clock count.
    """

    ranked: Sequence[tuple[str, float]]
    spans: Sequence[Span] = ()
    seconds: float | None = None


def _nothing() -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A pipeline made ready on one collection.

    Args:
        answer: Topic and number of documents wanted to the answer.
        index: The index that it searches, where it has one.
        timed: Whether the time that `answer` takes means anything; not so where it looks the answer up.
        paged: Whether a short answer takes less time than a long one. If so, the page that a user sees is what
            is timed, and the long answer that measures need is asked for separately.
        warnings: Asked when all topics are answered: what a reader of the numbers should know, in sentences.
    """

    answer: Callable[[Topic, int], Answer]
    index: IndexFacts | None = None
    timed: bool = True
    paged: bool = False
    warnings: Callable[[], Sequence[str]] = _nothing


class Ground(Protocol):
    """One collection, and what the pipelines that run on it share."""

    @property
    def collection(self) -> Collection:
        """The collection, with the topics that are to be answered and no others."""
        ...

    @property
    def folder(self) -> Path:
        """The folder that relative paths of the experiment's file start from."""
        ...

    def documents(self) -> Iterator[Document]:
        """Yield the collection's documents.

        Raises:
            FormatError: one of them cannot be read.
        """
        ...

    def encoder(self, settings: IndexingSettings) -> Encoder:
        """Return the encoder that the settings name."""
        ...

    def index_fingerprint(self, settings: IndexingSettings) -> str:
        """Return what decides the content of the collection's index, without making it."""
        ...

    def index(self, settings: IndexingSettings) -> tuple[Index, IndexFacts]:
        """Return the collection's index, made now if it is not there. It is closed with the ground."""
        ...

    def kept(self, key: str, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return an array that is expensive to make, from the cache if it is there under this key."""
        ...

    def progress(self, doing: str, done: int, total: int = 0) -> None:
        """Say what is being done, and how far it is; `total` is 0 where nobody knows."""
        ...


class Pipeline(Protocol):
    """A way to answer topics, with all of its settings; hashable by value, as a frozen dataclass is."""

    kind: ClassVar[str]
    sources: ClassVar[tuple[str, ...]]
    """The packages and modules whose code decides the answers, besides the pipeline's own module."""

    def settings(self) -> Mapping[str, str]:
        """Return every setting with its value in words, defaults included."""
        ...

    def ingredients(self, ground: Ground) -> Mapping[str, str] | None:
        """Return what decides the answers besides settings, code and collection: an index, a model, a file.

        None says that nobody can know, so that answers are never taken from the cache.
        """
        ...

    def prepare(self, ground: Ground) -> AbstractContextManager[Ready]:
        """Make ready to answer.

        Raises:
            PipelineFailed, or an error of the engine or the indexer: it cannot be.
        """
        ...
