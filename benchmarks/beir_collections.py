"""Where the development collections are: in QUIRE_DATASETS, or else `../shared/datasets` beside the repository."""

from __future__ import annotations

import os
from pathlib import Path


def datasets_folder() -> Path:
    """Return the folder of the collections, or stop with advice."""
    folder = Path(os.environ.get("QUIRE_DATASETS", Path(__file__).parents[2] / "shared" / "datasets"))
    if not folder.is_dir():
        raise SystemExit(f"no collections in {folder}; set QUIRE_DATASETS to a folder of BEIR collections")
    return folder
