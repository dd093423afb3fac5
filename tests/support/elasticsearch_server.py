"""A real Elasticsearch for tests: found, started on loopback, broken on purpose, and always stopped.

Tests ask for the fixtures in `conftest.py`, not for this module. `QUIRE_TEST_ELASTICSEARCH_URL` names a server that
runs already (without security); otherwise the folder that `QUIRE_TEST_ELASTICSEARCH_FOLDER` names, or else
`../shared/elasticsearch` beside the repository, holds a script `cluster` that starts one.
"""

from __future__ import annotations

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Runs until the process that started it is gone, in whatever way, and takes the server down with it.
GUARD = "import subprocess, sys; sys.stdin.read(); subprocess.run(sys.argv[1:], capture_output=True)"


class NoServer(Exception):
    """There is no Elasticsearch to test with; the message says what was looked for, and where."""


def server_folder() -> Path:
    """Return the folder that holds the script `cluster` and the archive it needs.

    Raises:
        NoServer: there is none, or no full JDK of version 21 or later to run it.
    """
    named = os.environ.get("QUIRE_TEST_ELASTICSEARCH_FOLDER")
    folder = Path(named or ROOT.parent / "shared" / "elasticsearch")
    if not (folder / "cluster").is_file() or not list(folder.glob("elasticsearch-*.zip")):
        raise NoServer(
            f"no Elasticsearch: {folder} holds no server (name its folder in QUIRE_TEST_ELASTICSEARCH_FOLDER, "
            "or a running server in QUIRE_TEST_ELASTICSEARCH_URL)"
        )
    try:
        runpy.run_path(str(folder / "cluster"), run_name="cluster")["java_home"]()
    except SystemExit as missing:
        raise NoServer(f"no Elasticsearch: {missing.code}") from None
    return folder


def can_be_had(*, own: bool) -> bool:
    """Whether tests can have a server here (one of their own, to break), so that none has a reason to be skipped."""
    if not own and os.environ.get("QUIRE_TEST_ELASTICSEARCH_URL"):
        return True
    try:
        server_folder()
    except NoServer:
        return False
    return True


class Cluster:
    """Elasticsearch nodes of our own, numbered from 0, gone with the process that started them.

    Attributes:
        urls: Where each node answers.
    """

    def __init__(self, nodes: int = 1, *, heap: str = "512m", words: tuple[str, ...] = ()) -> None:
        """Start `nodes` nodes and wait until they have found each other.

        Args:
            nodes: How many.
            heap: Java's memory for each.
            words: Further words for `cluster start`: security, users, TLS, settings.

        Raises:
            NoServer: there is nothing to start it with.
            RuntimeError: it did not start; the message is the script's.
        """
        self._script = server_folder() / "cluster"
        # In the system's own temporary folder, not a test's: as root, the nodes run as `nobody`, who must get there.
        self.folder = Path(tempfile.mkdtemp(prefix="quire-elasticsearch-"))
        stopping = [sys.executable, str(self._script), "stop", str(self.folder)]
        self._guard = subprocess.Popen(
            [sys.executable, "-c", GUARD, *stopping], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            started = self._run("start", "--nodes", str(nodes), "--heap", heap, *words)
        except BaseException:
            self.stop()
            raise
        self.state: dict[str, Any] = json.loads(started)
        self.urls: list[str] = self.state["urls"]

    @property
    def url(self) -> str:
        """Where node 0 answers."""
        return self.urls[0]

    def kill(self, node: int) -> None:
        """End a node at once, as a machine that is lost."""
        self._run("kill", node)

    def pause(self, node: int) -> None:
        """Freeze a node, as a machine that hangs: it accepts connections and says nothing."""
        self._run("pause", node)

    def resume(self, node: int) -> None:
        """Wake a paused node, or start a killed one on its data, and wait until it answers."""
        self._run("resume", node)

    def wait_for(
        self, health: str = "green", nodes: int | None = None, ask: int = 0, seconds: float = 60
    ) -> None:
        """Wait until the cluster is as healthy as that, by the word of node `ask`, with all of its nodes."""
        wanted = len(self.urls) if nodes is None else nodes
        path = f"/_cluster/health?wait_for_status={health}&wait_for_nodes={wanted}&timeout=1s"

        def healthy() -> bool:
            try:
                return not call(self.urls[ask], "GET", path).get(
                    "timed_out", True
                )  # without a master it is an error
            except (OSError, TimeoutError):
                return False

        wait_until(healthy, seconds, f"{wanted} nodes and {health}")

    def stop(self) -> None:
        """Stop every node and remove its data; what was stopped already stays so."""
        for group in self.folder.glob("node-*/group"):
            try:
                os.killpg(int(group.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        self._guard.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, command: str, *words: object) -> str:
        line = [sys.executable, str(self._script), command, str(self.folder), *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"cluster {command} failed: {done.stderr.strip()}")
        return done.stdout


def call(url: str, method: str, path: str, body: Any = None, timeout: float = 10) -> Any:
    """Ask a server without the code under test: returns its answer, of whatever status, as JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return json.load(refused)


def drop(url: str, name: str) -> None:
    """Remove every index whose name begins with `name`."""
    there = call(url, "GET", f"/{name}*/_settings?expand_wildcards=all&filter_path=*.settings.index.uuid")
    if there:
        call(url, "DELETE", "/" + ",".join(there), timeout=60)


def wait_until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask again and again until it holds.

    Raises:
        AssertionError: it does not after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
