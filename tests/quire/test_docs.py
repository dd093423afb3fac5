"""docs/cli.md and docs/configuration.md say what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from engine.configuration import SECTIONS, keys
from quire import cli
from quire.cli import COMMANDS


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented_with_its_default(root: Path, section: str) -> None:
    text = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    [part] = re.findall(rf"^## `\[{section}\]`.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    documented: dict[str, str] = {}
    for names, default in re.findall(r"^\| (`[^|]+`) \| ([^|]*) \|", part, re.MULTILINE):
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", names), default.strip())
    wanted = {key: default for key, (_, default) in keys(section).items() if not key.startswith("max_")}
    assert documented.keys() == wanted.keys()
    for key, default in documented.items():
        if default.startswith("`"):
            value = tomllib.loads(f"x = {default.strip('`')}")["x"]
            assert (tuple(value) if isinstance(value, list) else value) == wanted[key], key


def test_every_command_and_exit_status_is_documented(root: Path) -> None:
    text = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert re.search(rf"\b{name}\b", text), name
    documented = {int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    names = ("DONE", "PARTLY", "USAGE", "FAILED", "FAULT", "INTERRUPTED", "UNREAD")
    assert documented == {getattr(cli, name) for name in names}
    assert documented == {
        int(number) for number in re.findall(r"^    (\d+) +\w", cli.__doc__ or "", re.MULTILINE)
    }
