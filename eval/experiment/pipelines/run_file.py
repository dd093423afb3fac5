"""The `run-file` kind: what another system answered, read from a run file in any format that `read_run` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from eval.collection import Topic
from eval.errors import InvalidExperiment
from eval.experiment.pipeline import Answer, Ground, PipelineFailed, Ready


@dataclass(frozen=True, slots=True)
class RunFile:
    """Another system's run.

    Args:
        file: Where it is, from the experiment's folder; `{collection}` stands for the collection's name.

    Raises:
        InvalidExperiment: no file is named.
    """

    kind: ClassVar[str] = "run-file"
    sources: ClassVar[tuple[str, ...]] = ("eval.formats", "eval.run")
    file: str = ""

    def __post_init__(self) -> None:
        if not self.file:
            raise InvalidExperiment(
                "a run-file needs `file`: the path of a run; {collection} in it stands for the collection's name"
            )

    def settings(self) -> Mapping[str, str]:
        """Return every setting in words."""
        return {"file": self.file}

    def ingredients(self, ground: Ground) -> Mapping[str, str]:
        """Return a hash of the file."""
        try:
            return {"file": hashlib.blake2b(self._path(ground).read_bytes(), digest_size=16).hexdigest()}
        except OSError as error:
            raise PipelineFailed(f"{self._path(ground)}: the run cannot be read: {error.strerror}") from error

    @contextmanager
    def prepare(self, ground: Ground) -> Iterator[Ready]:
        """Read the run."""
        from eval.formats import read_run

        path = self._path(ground)
        run = read_run(path)
        topics = ground.collection.topics
        missing = sum(query_id not in run.rankings for query_id in topics)
        strange = sum(query_id not in topics for query_id in run.rankings)
        if missing == len(topics):
            first, asked = next(iter(run.rankings), ""), next(iter(topics), "")
            raise PipelineFailed(
                f"{path}: none of its {len(run.rankings):,} queries (such as {first!r}) is a topic of "
                f"{ground.collection.name} (such as {asked!r}); is it a run on another collection?"
            )
        deepest, wanted = max(map(len, run.rankings.values())), 0

        def answer(topic: Topic, k: int) -> Answer:
            nonlocal wanted
            wanted = max(wanted, k)
            ranked = list(run.rankings.get(topic.query_id, {}).items())[:k]
            return Answer(ranked, run.spans.get(topic.query_id, ()), run.seconds.get(topic.query_id))

        def warnings() -> list[str]:
            found = []
            if missing:
                found.append(
                    f"{missing:,} of {len(topics):,} topics are not in the run file; they count as answered with "
                    "nothing"
                )
            if strange:
                found.append(f"{strange:,} queries of the run file are no topics here, and count nowhere")
            if deepest < wanted:
                found.append(
                    f"its longest ranking has {deepest:,} documents, where {wanted:,} were asked for: measures that "
                    "look deeper do it wrong"
                )
            return found

        yield Ready(answer, timed=False, warnings=warnings)

    def _path(self, ground: Ground) -> Path:
        return ground.folder / self.file.replace("{collection}", ground.collection.name)
