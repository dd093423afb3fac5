"""docker/kubernetes/service.yaml keeps what docs/deployment.md promises; no cluster is needed: it is read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_lines import understood

from engine.configuration import load


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docker" / "kubernetes" / "service.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def things(text: str) -> dict[str, dict[str, Any]]:
    return {thing["kind"]: thing for thing in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def pod(things: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = things["Deployment"]["spec"]["template"]["spec"]
    return found


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    [found] = pod["containers"]
    only: dict[str, Any] = found
    return only


def plain(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


def test_it_runs_a_command_that_there_is(container: dict[str, Any]) -> None:
    names = {one["name"] for one in container["env"]}
    words = [
        re.sub(
            r"\$\((\w+)\)", lambda m: "elasticsearch+https://es:9200/library" if m[1] in names else "", word
        )
        for word in container["args"]
    ]
    assert understood(words) == "serve"


def test_it_has_no_rights_and_limits(pod: dict[str, Any], container: dict[str, Any]) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] >= 1000
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}


def test_probes_ask_routes_that_there_are_and_stopping_is_given_its_time(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    from engine.service.watching.health import CHECK_SECONDS
    from engine.service.watching.requests import QUIET
    from engine.service.worker import POLITE_SECONDS

    [port] = container["ports"]
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[name]["httpGet"]
        assert asked["path"] in QUIET
        assert asked["port"] == port["name"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live", (
        "a cluster that is away is no reason to die"
    )
    assert container["readinessProbe"]["timeoutSeconds"] > CHECK_SECONDS
    [_, pause] = container["lifecycle"]["preStop"]["exec"]["command"]
    settings = load(environ={"HOME": "/nonexistent"}, folder=Path("/nonexistent")).service
    assert port["containerPort"] == settings.port
    assert pod["terminationGracePeriodSeconds"] > int(pause) + settings.drain_seconds + POLITE_SECONDS


def test_the_service_finds_its_pod(things: dict[str, dict[str, Any]], container: dict[str, Any]) -> None:
    labels = things["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert (
        things["Service"]["spec"]["selector"]
        == things["Deployment"]["spec"]["selector"]["matchLabels"]
        == labels
    )
    [port] = things["Service"]["spec"]["ports"]
    assert port["targetPort"] == container["ports"][0]["name"]


def test_secrets_are_files_and_everything_mounted_is_there(
    things: dict[str, dict[str, Any]], pod: dict[str, Any], container: dict[str, Any]
) -> None:
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    places = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert set(places.values()) == volumes.keys()
    files = {item["path"] for item in volumes["keys"]["secret"]["items"]}
    for name, value in plain(container).items():
        assert not re.search("KEY$|PASSWORD$|SECRET$", name)
        if value.startswith("/run/quire/"):
            assert value.removeprefix("/run/quire/") in files
    assert plain(container)["QUIRE_SERVICE_STATE"] in places
    claim = volumes["state"]["persistentVolumeClaim"]["claimName"]
    assert things["PersistentVolumeClaim"]["metadata"]["name"] == claim
    writable = {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"state", "scratch"}


def test_one_pod_at_a_time_has_the_state(things: dict[str, dict[str, Any]]) -> None:
    deployment = things["Deployment"]["spec"]
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert things["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_its_settings_are_settings(container: dict[str, Any], tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("abc")
    environment = {
        name: str(key) if name.endswith("_FILE") else value for name, value in plain(container).items()
    }
    configuration = load(environ={"HOME": str(tmp_path), **environment}, folder=tmp_path)
    assert configuration.elasticsearch.api_key == "abc"
    assert configuration.service.hosts == ("quire",)


def test_the_commands_in_its_first_lines_make_what_it_reads(text: str) -> None:
    comment = re.sub(r"\\\n#\s*", "", "\n".join(line for line in text.splitlines() if line.startswith("#")))
    [made] = re.findall(r"kubectl create secret generic (.*)", comment)
    name, *options = shlex.split(made)
    keys = {re.sub(r"--from-\w+=([^=]*).*", r"\1", option) for option in options}
    asked = re.findall(r"secretKeyRef: \{ name: ([\w-]+), key: ([\w.]+) \}|\{ key: ([\w.]+),", text)
    assert {one[1] or one[2] for one in asked} == keys
    assert {one[0] for one in asked} == {name, ""}
    [inside] = re.findall(r"-- sh -c '(.*)'", comment)
    words = shlex.split(inside.replace("$ADDRESS", "elasticsearch+https://es:9200/library"))
    assert words[0] == "quire"
    understood(words[1:])
