"""Examples in a file: written line by line, read in any order; what is interrupted goes on where it was.

The first line says what the file is made from. Each line after it holds one example and `at`, the place of its judged
query among all: some give no example, and going on must not do their work again. Files may be gzipped (`.gz`).
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import threading
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, overload

from reranker.data.example import Example
from reranker.errors import TrainingDataError

FORMAT = 1
_FLUSH = 50
_START = b'{"quire": "examples"'


def write_examples(
    path: str | Path,
    items: Iterable[Any],
    make: Callable[[Any], Example | None],
    made_from: str = "",
    *,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the examples that `make` gives for some items, and go on after what the file already holds.

    Args:
        path: The file. If it is there, its whole lines are kept, and items up to the last of them are passed over
            without being made again.
        items: The same at every call, in the same order.
        make: Returns an item's example, or None where it has none.
        made_from: A fingerprint of all that the examples depend on; a file made from something else is refused.
        progress: Called with the number of items done.

    Returns:
        How many examples the file holds.

    Raises:
        TrainingDataError: the file is something else, or was made from something else.
    """
    path = Path(path)
    headed, done, written = _resumed(path, made_from)
    if progress is not None and done:
        progress(done)
    with _open_to_append(path) as file:
        if not headed:
            head = {"quire": "examples", "format": FORMAT, "made_from": made_from}
            file.write((json.dumps(head) + "\n").encode())
        for at, item in enumerate(items):
            if at < done:
                continue
            example = make(item)
            if example is not None:
                file.write((json.dumps(example.to_json() | {"at": at}) + "\n").encode())
                written += 1
                if written % _FLUSH == 0:
                    file.flush()
            if progress is not None:
                progress(at + 1)
    return written


class ExampleFile(Sequence[Example]):
    """The examples of a file, each read when it is asked for: memory holds eight bytes an example.

    Safe to share between threads. A gzipped file is unpacked to a temporary one, which goes when this is closed.
    A file without a first line of `write_examples` may have been written by hand.

    Args:
        path: The file. What it was made from is then in `made_from`; the empty string where the file does not say.

    Raises:
        TrainingDataError: it cannot be read, or ends in the middle of a line.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self._file = _plain(self.path)
        except (OSError, EOFError, zlib.error) as error:
            raise TrainingDataError(f"{self.path} cannot be read: {error}") from error
        self.made_from = ""
        self._starts = array("Q")
        at = 0
        for number, line in enumerate(self._file):
            head = _head(line) if number == 0 else None
            if head is not None:
                self.made_from = str(head.get("made_from", ""))
            elif line.strip():
                self._starts.append(at)
            at += len(line)
            if not line.endswith(b"\n") and not _whole(line):
                self.close()
                raise TrainingDataError(
                    f"{self.path}:{number + 1}: the file ends in the middle of a line; make it again with the same "
                    "command, which goes on from there"
                )

    def __len__(self) -> int:
        """How many examples."""
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> Example: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...

    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        """The example at a place, or a list of those of a slice."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        start = self._starts[index]
        with self._lock:
            self._file.seek(start)
            line = self._file.readline()
        try:
            return Example.from_json(json.loads(line))
        except (ValueError, TrainingDataError) as error:
            raise TrainingDataError(f"{self.path}, example {index}: {error}") from error

    def __iter__(self) -> Iterator[Example]:
        """The examples in order."""
        return (self[at] for at in range(len(self)))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> ExampleFile:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


def _plain(path: Path) -> IO[bytes]:
    if path.suffix != ".gz":
        return path.open("rb")
    unpacked = tempfile.TemporaryFile()
    try:
        with gzip.open(path, "rb") as packed:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
    except BaseException:
        unpacked.close()
        raise
    unpacked.seek(0)
    return unpacked


def _open_to_append(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return gzip.open(path, "ab", compresslevel=5) if path.suffix == ".gz" else path.open("ab")  # type: ignore[return-value]


def _head(line: bytes) -> dict[str, Any] | None:
    """Return the record of a first line, or None where it is something else."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("quire") == "examples" else None


def _whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return not line.strip()
    return True


def _resumed(path: Path, made_from: str) -> tuple[bool, int, int]:
    """Cut what is half-written off a file; return whether it has a head, how many items are done, and its examples."""
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return False, 0, 0
    if not _looks_right(path):
        raise _no_examples(path)
    kept = path.with_name(path.name + ".kept")
    headed, done, written = False, 0, 0
    with gzip.open(kept, "wb", compresslevel=5) if path.suffix == ".gz" else kept.open("wb") as file:
        for number, line in enumerate(_whole_lines(path)):
            if number == 0:
                _check_head(path, line, made_from)
                headed = True
            else:
                try:
                    done = int(json.loads(line)["at"]) + 1
                except (ValueError, KeyError, TypeError) as error:
                    raise TrainingDataError(
                        f"{path}:{number + 1}: not a line of a file of examples; move the file away to make a new one"
                    ) from error
                written += 1
            file.write(line)
    os.replace(kept, path)
    return headed, done, written


def _looks_right(path: Path) -> bool:
    """Tell by its first bytes whether a file may be one of examples, perhaps cut short."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_START))
    except OSError as error:
        raise TrainingDataError(f"{path} cannot be read: {error}") from error
    return b"\x1f\x8b".startswith(start[:2]) if path.suffix == ".gz" else _START.startswith(start)


def _no_examples(path: Path) -> TrainingDataError:
    return TrainingDataError(
        f"{path} is there already and is no file of examples of format {FORMAT}; give another name"
    )


def _check_head(path: Path, line: bytes, made_from: str) -> None:
    head = _head(line)
    if head is None or head.get("format") != FORMAT:
        raise _no_examples(path)
    if head.get("made_from") != made_from:
        raise TrainingDataError(
            f"{path} was made from other data or settings ({head.get('made_from')!r:.80}, now {made_from!r:.80}); "
            "give another name, or delete it to make it anew"
        )


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file that end; what is behind a fault of the compression is left out."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while True:
            try:
                line = file.readline()
            except (EOFError, zlib.error, gzip.BadGzipFile):
                return
            if not line.endswith(b"\n"):
                return
            yield line
