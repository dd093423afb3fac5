"""What decides an answer, as one short hash: code, libraries, settings, data."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = (
    "hnswlib",
    "numpy",
    "onnxruntime",
    "PyStemmer",
    "rank-bm25",
    "rjieba",
    "tantivy",
    "tokenizers",
    "torch",
)
"""Libraries whose version may change an answer."""


def digest(value: object) -> str:
    """Return a hash of plain values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


@cache
def code_fingerprint(sources: tuple[str, ...]) -> str:
    """Return a hash of what the code of some packages and modules does.

    It is taken of the source files themselves, so that it is right in a checkout with changes as well as in an
    installed wheel; comments, docstrings and layout do not count. The versions of the libraries in `LIBRARIES` do.
    """
    files = sorted({path for source in sources for path in _files(source)})
    said = [(name, _meaning(path.read_bytes())) for name, path in files]
    return digest([said, library_versions(LIBRARIES)])


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those libraries that are installed."""
    return {name: found for name in names if (found := _version(name))}


def cell_fingerprint(parts: Mapping[str, object]) -> str:
    """Return the name that a cell is cached under."""
    return digest(parts)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _files(source: str) -> Iterable[tuple[str, Path]]:
    spec = importlib.util.find_spec(source)
    if spec is None:
        return
    if spec.submodule_search_locations is None:
        yield source, Path(str(spec.origin))
        return
    for location in spec.submodule_search_locations:
        folder = Path(location)
        for path in folder.rglob("*.py"):
            yield f"{source}/{path.relative_to(folder).as_posix()}", path


def _meaning(code: bytes) -> str:
    """Return a hash of a module's syntax tree without its docstrings."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return hashlib.blake2b(ast.dump(tree).encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
