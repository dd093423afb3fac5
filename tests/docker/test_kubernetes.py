"""docker/kubernetes keeps what docs/deployment.md promises; no cluster is needed: it is read."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_lines import understood
from linters import run_linter

from engine.configuration import load
from indexer.sharding import Shard


@pytest.fixture(scope="module")
def job(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / "docker" / "kubernetes" / "indexing-job.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def container(job: dict[str, Any]) -> dict[str, Any]:
    [found] = job["spec"]["template"]["spec"]["containers"]
    only: dict[str, Any] = found
    return only


def test_the_schema_of_kubernetes_is_kept(root: Path) -> None:
    for path in sorted((root / "docker" / "kubernetes").glob("*.yaml")):
        run_linter("kubernetes-validate", "--strict", str(path))


def commands(job: dict[str, Any], container: dict[str, Any], folder: Path) -> list[list[str]]:
    """Return the command line of each worker, as the shell that it names makes it."""
    said = folder / "quire"
    said.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    said.chmod(0o755)
    plain = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    lines = []
    for number in range(job["spec"]["completions"]):
        environment = plain | {
            "PATH": f"{folder}:/usr/bin:/bin",
            "JOB_COMPLETION_INDEX": str(number),
            "ADDRESS": "elasticsearch+https://es:9200/library",
        }
        words = [*container["command"], *container["args"]]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
        lines.append(done.stdout.splitlines())
    return lines


def test_its_workers_take_every_part_once(
    job: dict[str, Any], container: dict[str, Any], tmp_path: Path
) -> None:
    assert job["spec"]["completionMode"] == "Indexed"
    lines = commands(job, container, tmp_path)
    assert {understood(line) for line in lines} == {"index"}
    shards = [Shard.parse(line[line.index("--shard") + 1]) for line in lines]
    assert sorted(shard.number for shard in shards) == list(range(1, job["spec"]["completions"] + 1))
    assert {shard.count for shard in shards} == {job["spec"]["completions"]}
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert all(line[-2] in mounted and line[-1].startswith("elasticsearch+https://") for line in lines)


def test_it_has_no_rights_and_limits(job: dict[str, Any], container: dict[str, Any]) -> None:
    pod = job["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] >= 1000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    own = container["securityContext"]
    assert own == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_secrets_are_files_and_everything_mounted_is_there(
    job: dict[str, Any], container: dict[str, Any]
) -> None:
    volumes = {volume["name"]: volume for volume in job["spec"]["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys()
    places = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
    for one in container["env"]:
        value = one.get("value", "")
        if value.startswith("/"):
            folder, _, name = value.rpartition("/")
            assert name in {item["path"] for item in places[folder]["secret"]["items"]}
        assert not re.search("KEY$|PASSWORD$", one["name"])


def test_its_settings_are_settings(container: dict[str, Any], tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("abc")
    environment = {
        one["name"]: str(key) if one["name"].endswith("_FILE") else one["value"]
        for one in container["env"]
        if "value" in one
    }
    settings = load(environ={"HOME": str(tmp_path), **environment}, folder=tmp_path).elasticsearch
    assert settings.api_key == "abc"
    assert settings.shards == 3


def test_exit_statuses_mean_there_what_they_mean_here(job: dict[str, Any]) -> None:
    from quire.cli import PARTLY, USAGE

    rules = {
        rule["action"]: rule["onExitCodes"]["values"]
        for rule in job["spec"]["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
    }
    assert rules == {"FailJob": [USAGE], "FailIndex": [PARTLY]}
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never", "or the policy would not hold"


def test_the_secret_that_its_first_lines_make_is_the_one_it_reads(root: Path, job: dict[str, Any]) -> None:
    text = (root / "docker" / "kubernetes" / "indexing-job.yaml").read_text()
    comment = re.sub(r"\\\n#\s*", "", "\n".join(line for line in text.splitlines() if line.startswith("#")))
    [made] = re.findall(r"kubectl create secret generic (.*)", comment)
    name, *options = shlex.split(made)
    keys = {re.sub(r"--from-\w+=([^=]*).*", r"\1", option) for option in options}
    asked = re.findall(r"secretKeyRef: \{ name: ([\w-]+), key: ([\w.]+) \}|\{ key: ([\w.]+),", text)
    assert {one[1] or one[2] for one in asked} == keys
    assert {one[0] for one in asked} == {name, ""}
