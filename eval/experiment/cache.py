"""What an experiment keeps so as never to do it twice. Each thing is under a fingerprint of all that decides it.

    cells/FINGERPRINT/      run.jsonl.gz, the answers with times and spans; cell.json, written last, what was run
    indexes/NAME-FINGERPRINT/    index/, resumed where it was left; made.json once it is complete
    corpora/FINGERPRINT.json     how many documents there are, and a hash of what is in them
    arrays/FINGERPRINT.npy       vectors of whole documents

Files appear whole or not at all, so that an experiment that was killed goes on with the cell that it was at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.errors import EvalError
from eval.experiment.result import IndexFacts
from eval.formats import read_run, write_run
from eval.run import Run
from indexer.local.durable import checksum, replace_atomically

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RUN, _CELL = "run.jsonl.gz", "cell.json"


@dataclass(frozen=True, slots=True)
class KeptCell:
    """What is kept of a cell besides its run.

    Args:
        settings: What it was run with, in words.
        index: The index searched.
        warnings: What a reader of the numbers should know.
        seconds: What it took, its preparation included.
        finished: When, ISO 8601, UTC.
        machine: Where.
    """

    settings: Mapping[str, str]
    index: IndexFacts | None
    warnings: tuple[str, ...]
    seconds: float
    finished: str
    machine: str


class Cache:
    """The folder of everything kept. Several experiments may share one.

    Args:
        folder: Where; made when something is first kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has_cell(self, fingerprint: str) -> bool:
        """Return whether a cell is there, complete."""
        return (self._cell(fingerprint) / _CELL).is_file()

    def load_cell(self, fingerprint: str) -> tuple[Run, KeptCell] | None:
        """Return a cell, or None where it is not there or what is there cannot be read, and so is to be run again."""
        folder = self._cell(fingerprint)
        try:
            record = json.loads((folder / _CELL).read_text(encoding="utf-8"))
            if checksum(folder / _RUN) != record.pop("run"):
                return None
            index = IndexFacts(**record.pop("index")) if record["index"] else record.pop("index")
            kept = KeptCell(**record, index=index)
            return read_run(folder / _RUN), replace(kept, warnings=tuple(kept.warnings))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EvalError):
            return None

    def keep_cell(self, fingerprint: str, run: Run, kept: KeptCell) -> None:
        """Keep a cell."""
        folder = self._cell(fingerprint)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _CELL).unlink(missing_ok=True)
        write_run(run, folder / _RUN)
        record = asdict(kept) | {"run": checksum(folder / _RUN)}
        replace_atomically(folder / _CELL, json.dumps(record, ensure_ascii=False).encode())

    def index_folder(self, name: str, fingerprint: str) -> Path:
        """Return the folder of an index."""
        return self.folder / "indexes" / f"{name}-{fingerprint}"

    def record(self, path: Path) -> dict[str, Any]:
        """Return a small JSON object that was kept, or an empty one."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def keep_record(self, path: Path, record: Mapping[str, Any]) -> None:
        """Keep a small JSON object."""
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_atomically(path, json.dumps(record, ensure_ascii=False).encode())

    def array(self, fingerprint: str, make: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the array under a fingerprint; made and kept where it is not there."""
        import numpy as np

        path = self.folder / "arrays" / f"{fingerprint}.npy"
        if path.is_file():
            try:
                found: NDArray[np.float32] = np.load(path)
                return found
            except (ValueError, EOFError, OSError):
                path.unlink(missing_ok=True)
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.stem}.{os.getpid()}.npy")
        np.save(beside, made)
        beside.replace(path)
        return made

    def _cell(self, fingerprint: str) -> Path:
        return self.folder / "cells" / fingerprint
