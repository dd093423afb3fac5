"""quire serve: what it hands on, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from engine.configuration import Configuration

Quire = Callable[..., Result]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, Configuration]]:
    """What was to be served."""
    found: list[tuple[object, Configuration]] = []

    def serve(place: object, configuration: Configuration, *, say: Callable[[str], None]) -> None:
        found.append((place, configuration))
        say("http://127.0.0.1:7")

    monkeypatch.setattr("engine.service.running.serve", serve)
    return found


def test_options_beat_the_section_service(
    quire: Quire, served: list[tuple[object, Configuration]], tmp_path: Path
) -> None:
    (tmp_path / "quire.toml").write_text("[service]\nport = 1111\nworkers = 3\nbox = 'token'\n")
    result = quire("serve", "some-index", "--port", "2222", "--state", "here", "--host", "::1")
    assert result.exit_code == 0, result.output
    [(place, configuration)] = served
    settings = configuration.service
    assert place == Path("some-index")
    assert (settings.port, settings.workers, settings.box) == (2222, 3, "token")
    assert (settings.state, settings.host) == ("here", "::1")
    assert "http://127.0.0.1:7" in result.stdout


def test_the_browser_is_opened_where_it_was_asked_for(
    quire: Quire, served: list[tuple[object, Configuration]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert quire("serve", "elasticsearch://localhost:9200/books").exit_code == 0
    assert opened == []
    assert quire("serve", "elasticsearch://localhost:9200/books", "--open").exit_code == 0
    assert opened == ["http://127.0.0.1:7"]
    assert served[0][0] == "elasticsearch://localhost:9200/books"


def test_what_is_missing_is_said_in_one_line(
    quire: Quire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = quire("serve", tmp_path / "nothing", "--port", "0")
    assert gone.exit_code == 3
    assert gone.stderr.count("\n") == 1
    assert "nothing" in gone.stderr
    wrong = quire("serve", tmp_path / "nothing", "--port", "70000")
    assert wrong.exit_code == 2
    assert "--port" in wrong.stderr
    monkeypatch.setattr("engine.service.running.find_spec", lambda _: None)
    bare = quire("serve", tmp_path / "nothing")
    assert bare.exit_code == 3
    assert 'pip install "quire-search[service]"' in bare.stderr
