"""The hub, played by a small server on this machine."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from indexer.encoder import load_encoder
from indexer.encoder.hub import FILES
from indexer.encoder.locate import locate
from indexer.errors import ModelError, ModelNotFound

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """Serves one model, `someone/small`, as the hub would."""

    def __init__(self, root: Path) -> None:
        self.files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        self.files["onnx/model.onnx"] = b"never asked for"
        self.spoiled: set[str] = set()
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.tokens.add(self.headers.get("Authorization"))
        path = self.path.split("?")[0]
        if path.startswith("/api/models/someone/small/tree/"):
            listing = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in self.server.files.items()
            ]
            return self.send(200, json.dumps(listing).encode())
        if path.startswith("/api/models/someone/small"):
            about = {"id": "someone/small", "sha": COMMIT, "private": False, "tags": [], "downloads": 0}
            about["siblings"] = [{"rfilename": name} for name in self.server.files]
            return self.send(200, json.dumps(about).encode())
        name = path.removeprefix(f"/someone/small/resolve/{COMMIT}/")
        if name in self.server.files:
            data = self.server.files[name]
            tag = hashlib.sha256(data).hexdigest()
            if name in self.server.spoiled:
                data = data[:-1] + bytes([data[-1] ^ 1])
            return self.send(200, data, {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT})
        return self.send(404, b"{}", {"X-Error-Code": "RepoNotFound" if "/api/" in path else "EntryNotFound"})

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def hub(make_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Hub(make_model("served"))
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.chdir(tmp_path)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_model_comes_from_the_hub_once(hub: Hub, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    encoder = load_encoder("someone/small", device="cpu", offline=False, cache_dir=cache)
    expected = load_encoder(str(tmp_path / "served"), device="cpu").encode_query("the cat")
    assert np.array_equal(encoder.encode_query("the cat"), expected)
    assert not [line for line in hub.asked if "onnx" in line and "resolve" in line]
    asked = len(hub.asked)
    again = load_encoder("someone/small", device="cpu", offline=True, cache_dir=cache)
    assert again.fingerprint == encoder.fingerprint
    assert len(hub.asked) == asked


def test_the_token_is_sent(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_made_up")
    locate("someone/small", offline=False, cache_dir=tmp_path / "cache")
    assert "Bearer hf_made_up" in hub.tokens


def test_a_revision_is_asked_for(hub: Hub, tmp_path: Path) -> None:
    found = locate("someone/small", offline=False, cache_dir=tmp_path / "cache", revision=COMMIT)
    assert found.root.name == COMMIT


def test_a_damaged_file_is_removed_and_can_be_fetched_again(hub: Hub, tmp_path: Path) -> None:
    hub.spoiled = {"model.safetensors"}
    cache = tmp_path / "cache"
    with pytest.raises(ModelError, match="came damaged"):
        locate("someone/small", offline=False, cache_dir=cache)
    assert not [path for path in cache.rglob("*.safetensors") if path.exists()]
    hub.spoiled = set()
    assert locate("someone/small", offline=False, cache_dir=cache).name == "small"


def test_what_the_hub_has_not_is_not_found(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(
        ModelNotFound, match=r"there is no someone/else on http://127.*Looked before at: the path"
    ):
        locate("someone/else", offline=False, cache_dir=tmp_path / "cache")


def test_a_hub_out_of_reach_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hub: Hub) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as taken:
        port = taken.server_port
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    with pytest.raises(ModelError, match="could not fetch someone/small on http://127"):
        locate("someone/small", offline=False, cache_dir=tmp_path / "cache")


def test_offline_asks_nobody(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="offline is set"):
        locate("someone/small", offline=True, cache_dir=tmp_path / "cache")
    assert hub.asked == []


def test_every_file_that_a_model_is_read_from_is_fetched(make_model: Callable[..., Path]) -> None:
    from fnmatch import fnmatch

    root = make_model()
    for path in root.rglob("*"):
        name = str(path.relative_to(root))
        assert path.is_dir() or any(fnmatch(name, pattern) for pattern in FILES), name
