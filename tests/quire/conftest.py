"""The quire command without a model, on a small folder of real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexer.encoder import HashingEncoder
from quire.cli import cli

TEXTS = {
    "lighthouse.md": "# The lighthouse\n\n## Lamp\n\nThe lamp of the lighthouse turns every twelve seconds.\n\n"
    "## Keeper\n\nA keeper trims the wick each evening and writes the weather into a book.\n",
    "harbour.md": "# Harbour\n\nShips wait in the harbour until the tide has risen. The pilot knows the channel.\n",
    "notes/tide.txt": "Tide tables\n\nThe tide rises twice a day; the error code of the gauge is E-4711.\n",
    "zh.md": "# 灯塔\n\n灯塔的灯每十二秒转一圈。守塔人每天晚上记录天气。\n",
}
RECORDS = [
    {"_id": "r1", "title": "One", "text": "A record of storms in winter.", "year": 1999, "lang": "en"},
    {"_id": "r2", "title": "Two", "text": "A record of storms in summer.", "year": 2005, "lang": "de"},
    {"_id": "r3", "title": "Three", "text": "A record of calm seas.", "year": 2012, "lang": "en"},
]

Quire = Callable[..., Result]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the user's, no colours, a known width, and an encoder that needs no model."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("indexer.encoder.load_encoder", lambda *_, **__: HashingEncoder(32), raising=False)


@pytest.fixture
def quire() -> Quire:
    """Run a quire command in this process."""

    def run(*arguments: object, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin)
        assert isinstance(result.exception, SystemExit | None), result.exception
        return result

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of documents."""
    root = tmp_path / "docs"
    for name, text in TEXTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def index(tmp_path: Path, folder: Path, quire: Quire) -> Path:
    """An index of the folder."""
    path = tmp_path / "index"
    result = quire("index", folder, path, "-q")
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def records(tmp_path: Path, quire: Quire) -> Path:
    """An index of records with metadata."""
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in RECORDS), encoding="utf-8")
    path = tmp_path / "records-index"
    assert quire("index", file, path, "-q").exit_code == 0
    return path
