"""What the containers do, done without them: the same commands, against a real server with the files that they make."""

from __future__ import annotations

import contextlib
import json
import os
import re
import runpy
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from elasticsearch_server import Cluster, NoServer, server_folder, wait_until
from read_only import owner, run_read_only, start_read_only

pytestmark = pytest.mark.elasticsearch
TEXTS = {
    "lighthouse.md": "# The lighthouse\n\nThe lamp of the lighthouse turns every twelve seconds.\n",
    "harbour.md": "# Harbour\n\nShips wait in the harbour until the tide has risen.\n",
    "notes/tide.txt": "Tide tables\n\nThe tide rises twice a day.\n",
    "zh.md": "# 灯塔\n\n灯塔的灯每十二秒转一圈。\n",
}


@dataclass(frozen=True)
class Image:
    """The image, as far as there is one without an engine: its environment, and a place to run its command."""

    root: Path
    folder: Path
    keys: Path
    documents: Path
    port: int

    def run(self, words: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command line of compose.yaml or the Dockerfile, its paths and hosts being those of this machine."""
        scratch, environment = self.prepared("index", more)
        return run_read_only([self.here(word) for word in words], scratch, environment)

    @contextlib.contextmanager
    def serving(self, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
        """Run the service of compose.yaml; yields it with its URL, once it answers, or else an empty string."""
        scratch, environment = self.prepared("serve", more)
        words = [self.here(word, "service") for word in self.service("serve")["command"]]
        process = start_read_only(["quire", *words], scratch, environment)
        try:
            assert process.stdout is not None
            url = re.search(r"http://\S+", process.stdout.readline())
            yield process, url[0] if url else ""
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def prepared(self, service: str, more: dict[str, str]) -> tuple[Path, dict[str, str]]:
        """Return a folder that can be written to, and the environment of a service, as it is on this machine."""
        scratch = self.folder / f"scratch-{secrets.token_hex(4)}"
        scratch.mkdir(mode=0o777)
        clients = "service" if service == "serve" else "clients"
        environment = {name: self.here(value, clients) for name, value in self.environment(service).items()}
        environment |= {"PATH": f"{self.folder}:/usr/bin:/bin", "TMPDIR": str(scratch)}
        environment |= {"XDG_CACHE_HOME": str(scratch), "HOME": "/nonexistent"}
        if "QUIRE_SERVICE_STATE" in environment:
            environment["QUIRE_SERVICE_STATE"] = f"{scratch}/state"
        return scratch, environment | more

    def environment(self, service: str) -> dict[str, str]:
        """Return what the Dockerfile and compose.yaml say together."""
        dockerfile = (self.root / "docker" / "Dockerfile").read_text(encoding="utf-8")
        stage = dockerfile[dockerfile.index(" AS run") : dockerfile.index(" AS cuda")]
        [block] = re.findall(r"^ENV ((?:.*\\\n)*.*)", stage, re.MULTILINE)
        said = dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())
        del said["PATH"]
        return said | self.service(service)["environment"]

    def service(self, name: str) -> dict[str, Any]:
        compose = yaml.safe_load((self.root / "docker" / "compose.yaml").read_text(encoding="utf-8"))
        found: dict[str, Any] = compose["services"][name]
        return found

    def here(self, word: str, clients: str = "clients") -> str:
        """Return a word of a command, or a value, with what stands for it on this machine."""
        word = re.sub(r"(elasticsearch\+https://)[^/]+", rf"\1localhost:{self.port}", word)
        word = word.replace("/run/quire", str(self.keys / clients))
        return str(self.documents) if word == "/documents" else word


@pytest.fixture(scope="module")
def keys(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `prepare` makes, by its own script and Elasticsearch's own tools."""
    for tool in ("bash", "curl", "unzip"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here, which the image of Elasticsearch has")
    try:
        cluster = runpy.run_path(str(server_folder() / "cluster"), run_name="cluster")
    except NoServer as missing:
        pytest.skip(str(missing))
    folder = tmp_path_factory.mktemp("keys")
    _open_to_all(folder)
    for name in ("authority", "servers", "clients", "service"):
        (folder / name).mkdir()
    prepare = yaml.safe_load((root / "docker" / "compose.yaml").read_text())["services"]["prepare"]
    mine = f"{os.geteuid()}:{os.getegid()}"
    environment = prepare["environment"] | {
        "PATH": os.environ["PATH"],
        "KEYS": str(folder),
        "ROLES": str(root / "docker" / "elasticsearch" / "roles.yml"),
        "SERVER_OWNER": mine,
        "CLIENT_OWNER": owner(),
        "ES_HOME": str(cluster["unpacked"]()),
        "ES_JAVA_HOME": cluster["java_home"](),
        "CLI_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    words = ["bash", str(root / "docker" / "elasticsearch" / "prepare.sh")]
    first = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    before = _contents(folder)
    again = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert _contents(folder) == before, "a second start keeps everything"
    said = first.stdout + first.stderr + again.stdout + again.stderr
    passwords = [
        (folder / place).read_text().strip() for place in ("clients/quire.password", "service/serve.password")
    ]
    assert len(set(passwords)) == 2
    for password in passwords:
        assert re.fullmatch("[A-Za-z0-9]{32}", password)
        assert password not in said
    return folder


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _open_to_all(folder: Path) -> None:
    """Let other users of this machine get to a folder of pytest's."""
    for path in (folder, *folder.parents):
        if path.owner() == Path.home().owner() and path.name.startswith(("pytest-", folder.name)):
            path.chmod(0o755)


@pytest.fixture(scope="module")
def server(keys: Path) -> Iterator[Cluster]:
    """A node with the certificate, the users and the roles that `prepare` made, as compose.yaml starts it."""
    certificate = [str(keys / "servers" / name) for name in ("es01/es01.crt", "es01/es01.key", "ca.crt")]
    roles = str(keys / "servers" / "roles.yml")
    unused = secrets.token_hex(16)
    words = ("--password", unused, "--roles", roles, "--tls", *certificate)
    cluster = Cluster(1, words=words)
    try:
        config = cluster.folder / "node-0" / "config"
        for name in ("users", "users_roles", "roles.yml"):  # which the node reads anew when they change
            (config / name).write_bytes((keys / "servers" / name).read_bytes())
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def image(root: Path, keys: Path, server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("image")
    _open_to_all(folder)
    documents = folder / "documents"
    for name, text in TEXTS.items():
        (documents / name).parent.mkdir(parents=True, exist_ok=True)
        (documents / name).write_text(text, encoding="utf-8")
    source = "" if os.environ.get("QUIRE_TEST_INSTALLED") else f"PYTHONPATH='{root}' "
    (folder / "quire").write_text(f"#!/bin/sh\n{source}exec '{sys.executable}' -P -m quire \"$@\"\n")
    (folder / "quire").chmod(0o755)
    port = int(server.url.rpartition(":")[2])
    made = Image(root, folder, keys, documents, port)
    check = made.service("es01")["healthcheck"]["test"]

    def healthy() -> bool:
        return _health(check, made).returncode == 0

    wait_until(healthy, 60, "the health check of a node, by the operator whom `prepare` made")
    return made


def _health(check: list[str], image: Image) -> subprocess.CompletedProcess[str]:
    words = [
        word.replace("config/quire", str(image.keys / "servers")).replace(":9200", f":{image.port}")
        for word in check[1:]
    ]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def _health_of_image(image: Image, url: str) -> subprocess.CompletedProcess[str]:
    """Do the image's health check, where the service is on this machine."""
    text = (image.root / "docker" / "Dockerfile").read_text(encoding="utf-8")
    [words] = re.findall(r"^HEALTHCHECK (?:.*\\\n)*.*CMD (\[.*\])$", text, re.MULTILINE)
    _, *rest = json.loads(words)
    here = [sys.executable, *(word.replace("http://127.0.0.1:8765", url) for word in rest)]
    return subprocess.run(here, capture_output=True, text=True, check=False)


def test_without_an_index_the_service_ends_and_says_why(image: Image) -> None:
    """Stands first, since the tests after it make the index."""
    with image.serving(QUIRE_SERVICE_PORT="0", QUIRE_SERVICE_HOST="127.0.0.1") as (process, url):
        assert url == ""
        assert process.wait(60) == 3
        assert "library" in process.communicate()[1]


def test_a_node_s_health_is_asked_without_a_password_in_the_command(image: Image) -> None:
    check = image.service("es01")["healthcheck"]["test"]
    assert check[0] == "CMD"
    wrong = [word.replace("operator.curl", "nothing.curl") for word in check]
    assert _health(check, image).returncode == 0
    assert _health(wrong, image).returncode != 0


def test_a_job_s_health_check_tells_whether_it_can_work(image: Image) -> None:
    words = image.service("index")["healthcheck"]["test"][1:]
    good = image.run(words)
    assert good.returncode == 0, good.stderr
    assert (image.keys / "clients" / "quire.password").read_text().strip() not in good.stdout
    bad = image.run(words, QUIRE_ELASTICSEARCH_PASSWORD_FILE="/nonexistent")
    assert bad.returncode == 2
    assert "/nonexistent" in bad.stderr


def test_the_indexing_job_and_then_a_search(image: Image) -> None:
    command = ["quire", *image.service("index")["command"]]
    done = image.run(command)
    assert done.returncode == 0, done.stderr
    assert "The index holds 4 documents" in done.stdout
    again = image.run(command)
    assert again.returncode == 0, again.stderr
    assert "4 unchanged" in again.stdout
    [address] = [word for word in command if "://" in word]
    found = image.run(["quire", "search", address, "when does the tide rise", "--json"])
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["hits"][0]["doc_id"] == "notes/tide.txt"
    known = image.run(["quire", "profile", "declare", address, "ann", "lighthouses"])
    assert known.returncode == 0, known.stderr


def test_the_service_answers_and_knows_readers_with_rights_that_change_nothing_else(image: Image) -> None:
    indexed = image.run(["quire", *image.service("index")["command"]])
    assert indexed.returncode == 0, indexed.stderr
    here = {"QUIRE_SERVICE_HOST": "127.0.0.1", "QUIRE_SERVICE_PORT": "0"}
    with image.serving(**here) as (process, url):
        assert url, process.communicate()[1]
        assert _health_of_image(image, url).returncode == 0
        with httpx.Client(base_url=url.replace("127.0.0.1", "localhost"), timeout=60) as browser:
            found = browser.get("/", params={"q": "when does the tide rise"})
            assert found.status_code == 200
            assert "notes/tide.txt" in found.text
            known = browser.post(
                "/feedback",
                data={"doc_id": "notes/tide.txt", "kind": "like", "back": "/"},
                headers={"Origin": str(browser.base_url).rstrip("/")},
            )
            assert known.status_code == 303, known.text
            assert browser.get("/you").status_code == 200
            stranger = browser.get("/", headers={"Host": "elsewhere.example"})
            assert stranger.status_code == 421
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=60)
        assert process.returncode == 0
    assert (image.keys / "service" / "serve.password").read_text().strip() not in logged
    assert _health_of_image(image, url).returncode != 0
    password = str(image.keys / "service" / "serve.password")
    rights = {"QUIRE_ELASTICSEARCH_USERNAME": "serve", "QUIRE_ELASTICSEARCH_PASSWORD_FILE": password}
    (image.documents / "new.txt").write_text("Something new.\n")
    try:
        refused = image.run(["quire", *image.service("index")["command"]], **rights)
    finally:
        (image.documents / "new.txt").unlink()
    assert refused.returncode == 3, refused.stdout
    assert "unauthorized" in refused.stderr


def test_the_workers_of_kubernetes_together_take_everything(image: Image) -> None:
    text = (image.root / "docker" / "kubernetes" / "indexing-job.yaml").read_text(encoding="utf-8")
    [container] = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
    count = 3
    shell, option, script = (*container["command"], *container["args"])
    address = image.here("elasticsearch+https://es01:9200/library")
    script = script.replace("/documents", str(image.documents))

    def worker(number: int) -> subprocess.CompletedProcess[str]:
        return image.run(
            [shell, option, script],
            JOB_COMPLETION_INDEX=str(number),
            SHARDS=str(count),
            ADDRESS=address,
        )

    with ThreadPoolExecutor(count) as pool:
        done = list(pool.map(worker, range(count)))
    assert [one.returncode for one in done] == [0] * count, [one.stderr for one in done]
    stats = image.run(["quire", "stats", address, "--json"])
    assert json.loads(stats.stdout)["documents"] == len(TEXTS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"QUIRE_ELASTICSEARCH_USERNAME": "stranger"}, "stranger"),
        ({"QUIRE_ELASTICSEARCH_CA": ""}, "certificate"),
    ],
    ids=["an unknown user", "an unknown authority"],
)
def test_who_is_not_let_in_is_told_why(image: Image, change: dict[str, str], said: str) -> None:
    refused = image.run(["quire", "stats", "elasticsearch+https://es01:9200/library"], **change)
    assert refused.returncode == 3, refused.stderr
    assert said in refused.stderr
    assert (image.keys / "clients" / "quire.password").read_text().strip() not in refused.stderr


def test_quire_may_not_touch_another_index(image: Image) -> None:
    address = "elasticsearch+https://es01:9200/another"
    refused = image.run(["quire", "index", "/documents", address, "-q"])
    assert refused.returncode == 3, refused.stdout
    assert "quire" in refused.stderr
    assert "unauthorized" in refused.stderr
