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

INDEXING = ("indexer.index", "indexer.encoder", "indexer.pipeline")
"""The code that makes an index and reads it."""

FOLLOWED = ("engine", "indexer", "reranker")
"""Packages into which imports are followed. The harness itself names what decides an answer, module by module."""


def digest(value: object) -> str:
    """Return a hash of plain values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


@cache
def code_fingerprint(sources: tuple[str, ...]) -> str:
    """Return a hash of what the code of some packages and modules does, and of what they import of `FOLLOWED`.

    It is taken of the source files themselves, so that it is right in a checkout with changes as well as in an
    installed wheel; comments, docstrings and layout do not count. The versions of the libraries in `LIBRARIES` do.
    """
    said: dict[str, str] = {}
    waiting = [path for source in sources for path in _files_of(source)]
    while waiting:
        path = waiting.pop()
        if str(path) not in said:
            said[str(path)], imported = _read(path)
            waiting += [file for name in imported for file in [_file_of(name)] if file is not None]
    return digest([sorted(said.values()), library_versions(LIBRARIES)])


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


def _place(module: str) -> Path | None:
    """Return where a module's file would be, without its suffix; None where its package is not installed."""
    package, *rest = module.split(".")
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent.joinpath(*rest) if spec and spec.origin else None


def _file_of(module: str) -> Path | None:
    """Return the file of a module, or a package's own; None where there is none. Nothing is imported."""
    place = _place(module)
    if place is None:
        return None
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _files_of(source: str) -> list[Path]:
    """Return the file of a module, or all those of a package."""
    place, file = _place(source), _file_of(source)
    if place is not None and place.is_dir():
        return list(place.rglob("*.py"))
    return [file] if file is not None else []


def _read(path: Path) -> tuple[str, set[str]]:
    """Return a hash of a module's syntax tree without its docstrings, and the modules of `FOLLOWED` that it names."""
    tree = ast.parse(path.read_bytes())
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {name for alias in node.names if _file_of(name := f"{node.module}.{alias.name}")}
            imported |= inner if len(inner) == len(node.names) else {node.module, *inner}
    meaning = hashlib.blake2b(ast.dump(tree).encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
    return meaning, {name for name in imported if name.partition(".")[0] in FOLLOWED}
