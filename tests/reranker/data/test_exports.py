"""What the package exports is what it says, and importing it loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import reranker.data


def test_every_name_is_what_it_is_called() -> None:
    for name in reranker.data.__all__:
        found = getattr(reranker.data, name)
        assert not isinstance(found, ModuleType)
        assert found.__name__ == name
    assert set(reranker.data._HOME) == set(reranker.data.__all__)


def test_nothing_heavy_is_loaded() -> None:
    names = ", ".join(reranker.data.__all__)
    code = (
        f"import sys; from reranker.data import {names}; "
        "print([m for m in ('torch', 'onnxruntime', 'transformers', 'indexer.index', 'engine') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
