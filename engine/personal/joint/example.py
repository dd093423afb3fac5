"""What an encoder is fitted to: lists that readers were shown, with what each had met before.

Texts are kept once and named by their numbers, for the same document is in many histories and lists. Readers are
numbers, too: the file that a run keeps names nobody.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from reranker.errors import TrainingDataError

FORMAT = "quire lists of readers 1"
PARTS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class JointExample:
    """One list that one reader was shown.

    Args:
        reader: A number that stands for the reader; -1 where nobody knows who it was.
        query: What was asked.
        history: What the reader had met before, as numbers of texts; none of them is of a document in `shown`.
        shares: How much each of these counts, above 0.
        shown: The documents of the list, as numbers of texts.
        grades: 1 for each that was clicked, 0 for the others.
        weights: How much a click on each counts: the inverse of how often its place is looked at.

    Raises:
        TrainingDataError: lengths differ, or a share is not above 0.
    """

    reader: int
    query: str
    history: tuple[int, ...]
    shares: tuple[float, ...]
    shown: tuple[int, ...]
    grades: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        sizes = len(self.shown), len(self.grades), len(self.weights)
        if len(set(sizes)) > 1 or len(self.history) != len(self.shares):
            raise TrainingDataError(
                f"query {self.query!r:.60}: each document shown has a grade and a weight, each of the history a share; "
                f"found {sizes} and {len(self.history)}, {len(self.shares)}"
            )
        if not all(0 < share < float("inf") for share in self.shares):
            raise TrainingDataError(
                f"query {self.query!r:.60}: shares of a history are above 0, found {self.shares!r:.80}"
            )

    def numbers(self) -> set[int]:
        """Return the texts that it needs."""
        return {*self.history, *self.shown}


@dataclass(frozen=True)
class JointData:
    """Lists in three parts, no reader in two of them.

    Args:
        texts: Of all documents, each as the index encodes it.
        train: To learn from.
        dev: To choose the best weights by.
        test: To measure before and after.
    """

    texts: tuple[str, ...]
    train: tuple[JointExample, ...]
    dev: tuple[JointExample, ...]
    test: tuple[JointExample, ...]

    @cached_property
    def fingerprint(self) -> str:
        """A hash (BLAKE2b, 32 hexadecimal digits) that changes with any text, example, or part."""
        digest = blake2b(digest_size=16)
        for line in self._lines():
            digest.update(len(line).to_bytes(8, "big"))
            digest.update(line)
        return digest.hexdigest()

    def described(self) -> dict[str, Any]:
        """Return the fingerprint and the counts."""
        return {"fingerprint": self.fingerprint, "texts": len(self.texts)} | {
            name: _counts(getattr(self, name)) for name in PARTS
        }

    def write(self, path: Path) -> None:
        """Write a gzipped file of JSON lines, whole or not at all."""
        partial = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(partial, "wb") as file:
            for line in self._lines():
                file.write(line + b"\n")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> JointData:
        """Return what `write` wrote.

        Raises:
            TrainingDataError: the file is not one.
        """
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                lines = file.read().splitlines()
            head = json.loads(lines[0])
            if head["format"] != FORMAT:
                raise ValueError(f"its format is {head['format']!r:.60}")
            ends = np.cumsum([1, head["texts"], *(head[name] for name in PARTS)]).tolist()
            if ends[-1] != len(lines):
                raise ValueError(f"{ends[-1]} lines were written, {len(lines)} are there")
            texts = tuple(str(json.loads(line)) for line in lines[1 : ends[1]])
            parts = {
                name: tuple(map(_example, lines[ends[at] : ends[at + 1]])) for at, name in enumerate(PARTS, 1)
            }
        except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
            raise TrainingDataError(
                f"{path}: holds no lists of readers to learn from ({type(error).__name__}: {error}); begin a new run"
            ) from error
        return cls(texts, **parts)

    def _lines(self) -> Iterable[bytes]:
        parts = {name: len(getattr(self, name)) for name in PARTS}
        yield json.dumps({"format": FORMAT, "texts": len(self.texts)} | parts).encode()
        for text in self.texts:
            yield json.dumps(text).encode()
        for name in PARTS:
            for one in getattr(self, name):
                row = [one.reader, one.query, one.history, one.shares, one.shown, one.grades, one.weights]
                yield json.dumps(row).encode()


def _example(line: str) -> JointExample:
    reader, query, history, shares, shown, grades, weights = json.loads(line)
    return JointExample(
        int(reader), str(query), tuple(history), tuple(shares), tuple(shown), tuple(grades), tuple(weights)
    )


def _counts(part: Sequence[JointExample]) -> dict[str, int]:
    return {
        "lists": len(part),
        "readers": len({one.reader for one in part if one.reader >= 0}),
        "without_history": sum(not one.history for one in part),
        "clicks": sum(sum(grade > 0 for grade in one.grades) for one in part),
    }
