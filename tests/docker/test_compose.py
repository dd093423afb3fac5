"""docker/compose.yaml keeps what docs/deployment.md promises; no container engine is needed: it is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_lines import understood
from linters import run_linter

from engine.configuration import load, settings_class
from indexer.elastic.address import parse_address

VARIABLE = re.compile(r"\$\{?(\w+)(:-[^}]*)?\}?")
NODES = ("es01", "es02", "es03")
ENDLESS = (*NODES, "serve")
ONCE = ("prepare",)


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docker" / "compose.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose(text: str) -> dict[str, Any]:
    """The file, with every variable as it is where nobody sets it."""
    found: dict[str, Any] = yaml.safe_load(VARIABLE.sub(lambda match: (match[2] or ":-")[2:], text))
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def ours(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the services that run Quire."""
    return {name: one for name, one in services.items() if one["image"].startswith("quire:")}


def jobs(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return those that run Quire, and end."""
    return {name: one for name, one in ours(services).items() if name not in ENDLESS}


def mounts(service: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a service mounts, the short form spelt out."""
    found = []
    for mount in service.get("volumes", []):
        if isinstance(mount, str):
            source, target, *mode = mount.split(":")
            mount = {"source": source, "target": target, "read_only": mode == ["ro"]}
        found.append(mount)
    return found


def megabytes(size: str) -> int:
    return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]]


def test_the_schema_of_compose_files_is_kept(root: Path) -> None:
    files = [str(root / "docker" / name) for name in ("compose.yaml", "compose.cuda.yaml")]
    run_linter("check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)


def test_every_variable_has_a_value_and_is_told_of(text: str) -> None:
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    used = {match[1]: match[2] for match in VARIABLE.finditer(body)}
    assert used
    assert [name for name, default in used.items() if not default] == []
    told = set(re.findall(r"^#   ([A-Z_]+) ", text, re.MULTILINE)) | set(re.findall(r"; ([A-Z_]+) is", text))
    assert told == used.keys()


def test_images_are_pinned_and_of_this_release(services: dict[str, dict[str, Any]], root: Path) -> None:
    version = re.search(r'^version = "(.*)"', (root / "pyproject.toml").read_text(), re.MULTILINE)
    client = re.search(r"^elasticsearch==(\d+)\.", (root / "constraints.txt").read_text(), re.MULTILINE)
    assert version is not None
    assert client is not None
    images = {one["image"] for one in services.values()}
    assert images == {
        f"quire:{version[1]}",
        *(
            image
            for image in images
            if image.startswith(f"docker.elastic.co/elasticsearch/elasticsearch:{client[1]}.")
        ),
    }
    assert len(images) == 2
    assert all(re.search(r":\d+\.\d+\.\d+$", image) for image in images)


def test_nobody_has_rights_that_they_do_not_need(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "pid", "ipc", "devices"} & one.keys(), name
        if name in ONCE:  # gives files to those who need them, and talks to nobody
            assert one["network_mode"] == "none"
            assert set(one["cap_add"]) == {"CHOWN", "DAC_OVERRIDE"}
        else:
            assert int(one["user"].split(":")[0]) >= 1000, name
            assert "cap_add" not in one, name


def test_everything_is_limited(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        assert megabytes(one["mem_limit"]) <= 4096, name
        assert one["memswap_limit"] == one["mem_limit"], f"{name} must not swap"
        assert one["pids_limit"] <= 4096, name
    for name in NODES:
        heap = re.fullmatch(r"-Xms(\w+) -Xmx(\w+)", services[name]["environment"]["ES_JAVA_OPTS"])
        assert heap is not None
        assert heap[1] == heap[2]
        assert 2 * megabytes(heap[1]) <= megabytes(services[name]["mem_limit"])


def test_quire_runs_on_a_read_only_file_system(services: dict[str, dict[str, Any]]) -> None:
    assert ours(services).keys() >= {"index", "quire"}
    for name, one in ours(services).items():
        assert one["read_only"] is True, name
        assert [place.split(":")[0] for place in one["tmpfs"]] == ["/scratch"], name
        written = {mount["target"] for mount in mounts(one) if not mount["read_only"]}
        assert written == ({one["environment"]["QUIRE_SERVICE_STATE"]} if name == "serve" else set()), name
        assert one["build"]["target"] == "cpu", name


def test_nothing_is_reached_from_other_machines(services: dict[str, dict[str, Any]]) -> None:
    for one in services.values():
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", []))


def test_who_waits_for_whom(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        for other, how in one.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for {other}"
            else:
                assert how == {"condition": "service_completed_successfully"}
                assert other in ONCE
    for name in ENDLESS:
        assert services[name]["restart"] == "unless-stopped"
        assert "profiles" not in services[name], "`up` starts it"
    for name in NODES:
        assert services[name]["depends_on"].keys() == set(ONCE)
    for name, one in ours(services).items():
        assert one["depends_on"].keys() == set(NODES), name
    assert jobs(services).keys() == {"index", "quire"}
    for name, one in jobs(services).items():
        assert one["profiles"] == ["jobs"], f"`up` does not start {name}"


def test_the_service_is_given_the_time_it_takes_to_stop(services: dict[str, dict[str, Any]]) -> None:
    from engine.service.worker import POLITE_SECONDS

    seconds = int(services["serve"]["stop_grace_period"].removesuffix("s"))
    assert seconds > settings_class("service")().drain_seconds + POLITE_SECONDS


def test_jobs_are_asked_for_their_configuration_and_the_service_whether_it_answers(
    services: dict[str, dict[str, Any]],
) -> None:
    for one in jobs(services).values():
        kind, program, *words = one["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "quire")
        assert understood(words) == "config show"
    assert "healthcheck" not in services["serve"], "the image's own"


def test_the_search_box_answers_under_the_name_that_is_told(
    services: dict[str, dict[str, Any]], text: str, tmp_path: Path
) -> None:
    serve = services["serve"]
    [address, outside, inside] = serve["ports"][0].split(":")
    environment = {"HOME": str(tmp_path), **serve["environment"]}
    del environment["QUIRE_ELASTICSEARCH_PASSWORD_FILE"], environment["QUIRE_ELASTICSEARCH_USERNAME"]
    settings = load(environ=environment, folder=tmp_path).service
    assert (address, inside) == ("127.0.0.1", str(settings.port))
    assert settings.hosts == ("localhost",), "or a page elsewhere could have a browser here ask for it"
    assert f"http://localhost:{outside}" in text


def test_volumes_networks_and_files_are_there(compose: dict[str, Any], root: Path) -> None:
    used: set[str] = set()
    for one in compose["services"].values():
        assert set(one.get("networks", [])) <= compose["networks"].keys()
        for mount in mounts(one):
            source = mount["source"]
            if source.startswith("."):
                assert (root / "docker" / source).exists(), source
                assert mount["read_only"]
            else:
                used.add(source)
    assert used == compose["volumes"].keys()


def test_the_authority_s_key_and_the_operator_s_password_stay_where_they_are_needed(
    services: dict[str, dict[str, Any]],
) -> None:
    def mounting(volume: str) -> set[str]:
        return {
            name for name, one in services.items() if any(mount["source"] == volume for mount in mounts(one))
        }

    assert mounting("authority") == {"prepare"}
    assert mounting("server-keys") == {"prepare", *NODES}
    assert mounting("client-keys") == {"prepare", *jobs(services)}
    assert mounting("serve-keys") == {"prepare", "serve"}


def test_no_secret_is_in_the_environment(services: dict[str, dict[str, Any]]) -> None:
    for name, one in services.items():
        for variable, value in one.get("environment", {}).items():
            secret = re.search("password|api_key|secret|token", variable, re.IGNORECASE)
            assert not secret or variable.endswith("_FILE"), f"{name}: {variable}"
            assert not re.search(r"://[^/]*@", str(value)), f"{name}: {variable}"


def test_nodes_know_each_other_and_speak_tls(services: dict[str, dict[str, Any]]) -> None:
    names = ",".join(NODES)
    assert services["prepare"]["environment"]["NODES"].split() == list(NODES)
    for name in NODES:
        settings = services[name]["environment"]
        assert settings["node.name"] == name
        assert settings["discovery.seed_hosts"] == settings["cluster.initial_master_nodes"] == names
        assert settings["xpack.license.self_generated.type"] == "basic"
        assert settings["xpack.security.enabled"] == "true"
        for layer in ("http", "transport"):
            prefix = f"xpack.security.{layer}.ssl"
            assert settings[f"{prefix}.enabled"] == "true"
            assert settings[f"{prefix}.certificate"] == f"quire/{name}/{name}.crt"
            assert settings[f"{prefix}.key"] == f"quire/{name}/{name}.key"
            assert settings[f"{prefix}.certificate_authorities"] == "quire/ca.crt"
        data = [mount for mount in mounts(services[name]) if mount["source"] == name]
        assert [mount["target"] for mount in data] == ["/usr/share/elasticsearch/data"]
        assert not data[0]["read_only"]


def test_roles_are_those_that_are_explained_and_quire_has_no_others(
    services: dict[str, dict[str, Any]], root: Path
) -> None:
    """What these roles may and may not do is tested on a real server, in tests/integration/test_security.py."""
    told = (root / "docs" / "elasticsearch-security.md").read_text(encoding="utf-8")
    [explained] = re.findall(r"^```yaml\n(.*?)^```", told, re.MULTILINE | re.DOTALL)
    [name] = {word.rpartition("/")[2] for word in services["index"]["command"] if "://" in word}
    roles = yaml.safe_load((root / "docker" / "elasticsearch" / "roles.yml").read_text(encoding="utf-8"))
    assert roles == yaml.safe_load(explained.replace("books", name))
    script = (root / "docker" / "elasticsearch" / "prepare.sh").read_text(encoding="utf-8")
    users = dict(re.findall(r"useradd (\w+) .* -r (\S+)", script))
    assert set(users["quire"].split(",")) <= roles.keys()
    assert users["serve"].split(",") == ["quire_search", "quire_readers"], "it may not change the index"
    assert users == {"operator": "superuser", "quire": users["quire"], "serve": users["serve"]}


def test_the_linter_of_shell_scripts_finds_nothing(root: Path) -> None:
    run_linter("shellcheck", str(root / "docker" / "elasticsearch" / "prepare.sh"))


def test_quire_s_settings_are_settings(services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x" * 32 + "\n")
    for service, one in ours(services).items():
        environment = {
            name: str(secret) if name.endswith("_FILE") else value
            for name, value in one["environment"].items()
        }
        settings = load(environ={"HOME": str(tmp_path), **environment}, folder=tmp_path).elasticsearch
        user = "serve" if service == "serve" else "quire"
        assert (settings.username, settings.password) == (user, "x" * 32)
        assert one["environment"]["QUIRE_ELASTICSEARCH_PASSWORD_FILE"] == f"/run/quire/{user}.password"


def test_commands_are_ones_that_there_are(services: dict[str, dict[str, Any]]) -> None:
    for one in ours(services).values():
        if "command" in one:
            understood(one["command"])
    index = services["index"]["command"]
    [address] = [word for word in index if "://" in word]
    assert services["serve"]["command"][1] == address
    assert [host for host, _ in parse_address(address).hosts] == list(NODES)
    assert parse_address(address).secure
    [documents] = [mount for mount in mounts(services["index"]) if mount["target"] == index[1]]
    assert documents["bind"] == {"create_host_path": False}, (
        "a mistyped folder is an error, and not an empty one"
    )


def test_the_commands_in_its_first_lines_are_ones_that_there_are(
    text: str, services: dict[str, dict[str, Any]]
) -> None:
    shown = [line for line in text.splitlines() if line.startswith("#   docker compose")]
    assert len(shown) >= 3
    for line in shown:
        assert "-f docker/compose.yaml" in line
        run = re.search(r"run --rm (\w+)(.*)", line)
        if run is not None:
            assert run[1] in services
            if run[2].strip() and run[1] == "quire":
                understood(re.findall(r'"[^"]*"|\S+', run[2]))
        inside = re.search(r"exec (\w+) quire (.*)", line)
        if inside is not None:
            assert inside[1] in ENDLESS
            understood(inside[2].split())
