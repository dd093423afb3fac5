"""Trials on disk, so that a tuning that was interrupted, or is asked for again, does not try anything twice.

One small file a trial and collection, in a folder named after everything else that decides its values: the index's
generation, the collection, the measure, the code of the engine. A file that is damaged counts as absent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from eval.tuning.trial import Floats
from indexer.local.durable import replace_atomically


def default_folder() -> Path:
    """Return where trials are kept: `trials` in QUIRE_CACHE, else in `quire` of the user's cache folder."""
    own = os.environ.get("QUIRE_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return (Path(own) if own else Path(home) / "quire") / "trials"


def hashed(parts: Iterable[str | bytes]) -> str:
    """Return a short hash of some strings, in order."""
    digest = blake2b(digest_size=12)
    for part in parts:
        data = part.encode("utf-8", "replace") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


@cache
def code_fingerprint(packages: tuple[str, ...] = ("indexer", "reranker", "engine", "eval.measures")) -> str:
    """Return a hash of the source of these packages: what was measured with other code is another trial."""
    files: list[Path] = []
    for name in packages:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            files += sorted(Path(folder).rglob("*.py"))
    return hashed(part for file in files for part in (file.name, file.read_bytes()))


class TrialStore:
    """The trials of one collection on one index with one measure.

    Args:
        folder: Where all stores are; None keeps nothing.
        name: A hash of what decides the values besides the settings.
        query_ids: The queries, in the order of values.
    """

    def __init__(self, folder: Path | None, name: str, query_ids: Sequence[str]) -> None:
        self._folder = folder / name if folder else None
        self._query_ids = list(query_ids)

    def read(self, fingerprint: str) -> Floats | None:
        """Return the values of a setting, shape (n,); None where they are not there, or cannot be read."""
        if self._folder is None:
            return None
        try:
            record = json.loads((self._folder / f"{fingerprint}.json").read_text(encoding="utf-8"))
            if record["queries"] != self._query_ids:
                return None
            values = np.array(record["values"], dtype=np.float64)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return values if values.shape == (len(self._query_ids),) and bool(np.isfinite(values).all()) else None

    def write(self, fingerprint: str, values: Floats) -> None:
        """Keep the values of a setting."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            record = {"queries": self._query_ids, "values": values.tolist()}
            replace_atomically(self._folder / f"{fingerprint}.json", json.dumps(record).encode())
