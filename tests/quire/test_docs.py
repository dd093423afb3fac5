"""docs/cli.md and docs/configuration.md say what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from engine.configuration import SECTIONS, keys
from indexer.setting_values import from_toml
from quire import cli
from quire.cli import COMMANDS


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented_with_its_default(root: Path, section: str) -> None:
    text = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    [part] = re.findall(rf"^## `\[{section}\]`.*?(?=^## )", text, re.MULTILINE | re.DOTALL)
    documented: dict[str, str] = {}
    for names, default in re.findall(r"^\| (`[^|]+`) \| ([^|]*) \|", part, re.MULTILINE):
        documented |= dict.fromkeys(re.findall(r"`(\w+)`", names), default.strip())
    # What docs/readers.md has in place of this page.
    elsewhere = ("max_",) if section == "reading" else ()
    wanted = {key: default for key, (_, default) in keys(section).items() if not key.startswith(elsewhere)}
    assert documented.keys() == wanted.keys()
    for key, default in documented.items():
        if default.startswith("`"):
            value = tomllib.loads(f"x = {default.strip('`')}")["x"]
            assert from_toml(keys(section)[key][0], value) == wanted[key], key


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


def test_the_readme_s_figures_are_those_of_the_results(root: Path) -> None:
    """Every mean in README.md's table is the one of the generated tables, for the same system and collection."""
    generated = (root / "docs" / "results-tables.md").read_text(encoding="utf-8")
    [summary] = re.findall(r"^## Summary\n(.*?)^## ", generated, re.MULTILINE | re.DOTALL)
    systems, means = _table(summary)
    shown_systems, shown = _table((root / "README.md").read_text(encoding="utf-8"))
    assert len(shown) >= 10
    for collection, row in shown.items():
        for system, value in zip(shown_systems, row, strict=True):
            assert value == means[collection][systems.index(system)], (collection, system)


def _table(text: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the systems and, by collection, the means to three digits of the first table headed by `collection`."""
    lines = iter(text[text.index("\n| collection |") + 1 :].splitlines())
    header = [cell.strip(" *") for cell in next(lines).strip("|").split("|")]
    systems = [name for name in header if name not in ("collection", "queries")]
    rows: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        numbers = [re.search(r"\d?\.\d+", cell) for cell in cells[-len(systems) :]]
        if all(numbers):
            name = re.sub(r"\[(.*?)\].*", r"\1", cells[0]).split(",")[0]
            rows[name] = [f"{float(number.group()):.3f}" for number in numbers if number]
    return systems, rows
