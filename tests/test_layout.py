"""The rules of the house that a machine can hold: where files may be, how long, and what they may not contain."""

from __future__ import annotations

import ast
import gzip
import importlib
import io
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("quire", "indexer", "reranker", "engine", "eval")
ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
HEAVY = (
    "torch transformers sentence_transformers onnxruntime onnx tokenizers numpy hnswlib tantivy jieba rjieba lxml "
    "docutils pypdfium2 selectolax markdown_it trafilatura rapidfuzz scipy matplotlib pyarrow ir_measures jinja2 "
    "fastapi starlette pydantic uvicorn httpx jwt prometheus_client opentelemetry elasticsearch"
).split()


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_short_documented_and_well_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400, "ask what this file is really two of"
    assert path.name not in ("utils.py", "helpers.py", "types.py", "common.py", "misc.py")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "a module says what it is for"
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert not [name for name in classes if name.endswith("Manager")]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_has_no_stub_no_swallowed_error_and_no_assert(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: python -O drops it"
        if isinstance(node, ast.Raise) and node.exc is not None:
            assert "NotImplementedError" not in ast.unparse(node.exc), f"line {node.lineno} is a stub"
        if isinstance(node, ast.ExceptHandler) and isinstance(node.body[0], ast.Pass) and len(node.body) == 1:
            caught = ast.unparse(node.type) if node.type else ""
            assert caught not in ("", "Exception", "BaseException"), (
                f"line {node.lineno} swallows every error"
            )


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name]


def test_nothing_committed_names_a_place_on_one_machine() -> None:
    place = re.compile(r"(?<![\w.~$}])/(work|root|opt|home)/\w")
    mine = Path(__file__).resolve()
    found = []
    for path in tracked():
        if path.is_file() and path != mine and path.suffix in (".py", ".md", ".toml", ".txt", ".yaml", ""):
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                if place.search(line):
                    found.append(f"{name_of(path)}:{number}: {line.strip()[:80]}")
    assert not found, "\n".join(found)


def test_no_large_or_binary_file_is_committed() -> None:
    large = [name_of(path) for path in tracked() if path.is_file() and path.stat().st_size > 500_000]
    assert not large


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    code = f"import sys, {package}; print(' '.join(m for m in sys.argv[1:] if m in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert run.stdout.split() == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_exports_is_there_and_sorted(package: str) -> None:
    module = importlib.import_module(package)
    names = getattr(module, "__all__", [])
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(module, name, None) is not None, name
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


def test_the_public_names_of_quire_are_these() -> None:
    import quire

    assert quire.__all__ == sorted(quire.__all__)
    assert set(quire.__all__) == set(
        (
            "And AsyncClient Client Document ElasticSettings Encoder Eq Event Exists Hit In Index IndexingError Not Or "
            "PersonalSettings Query Range Ranking SearchEngine SearchError SearchSettings __version__ create_index "
            "filter_from_json index_corpus load_encoder open open_index read_corpus"
        ).split()
    )


@pytest.mark.parametrize("suffix", [".gz", ".zip"])
def test_the_name_of_a_test_holds_no_time(suffix: str, pytestconfig: pytest.Config) -> None:
    """Two processes that share the tests out must collect the same names, and do it at different times."""

    def name_at(moment: float) -> str | None:
        packed = io.BytesIO()
        if suffix == ".gz":
            packed.write(gzip.compress(b"text", mtime=moment))
        else:
            with zipfile.ZipFile(packed, "w") as file:
                file.writestr(zipfile.ZipInfo("a", time.gmtime(moment)[:6]), b"text")
        return pytestconfig.hook.pytest_make_parametrize_id(
            config=pytestconfig, val=packed.getvalue(), argname="data"
        )

    assert name_at(1_700_000_000) == name_at(1_800_000_002) == "data"
