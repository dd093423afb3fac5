"""`quire config show`: every setting, and where it comes from."""

from __future__ import annotations

import json

import click

from engine.configuration import Configuration, Value
from indexer.setting_values import NONE
from quire.cli import State
from quire.terminal import Screen, cells


@click.group("config")
def config_command() -> None:
    """Show the configuration.

    The file is the one named by --config, or by QUIRE_CONFIG, or ./quire.toml, or quire/quire.toml in your
    configuration folder. QUIRE_SECTION_KEY in the environment overrides it, and options override both.
    """


@config_command.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(state: State, as_json: bool) -> None:
    """Print every setting, its value, and where the value comes from."""
    configuration = state.configuration()
    click.echo(_json(configuration) if as_json else _toml(configuration), nl=False)


def _json(configuration: Configuration) -> str:
    values = [
        {"section": v.section, "key": v.key, "value": None if v.hidden else v.value}
        | {"origin": v.origin, "where": v.where}
        | ({"hidden": True} if v.hidden else {})
        for v in configuration
    ]
    file = str(configuration.path) if configuration.path else None
    return json.dumps({"file": file, "values": values}, ensure_ascii=False, indent=2) + "\n"


def _toml(configuration: Configuration) -> str:
    """Return the configuration as TOML that could be saved, the origins as comments; without the secrets."""
    screen = Screen.of()
    lines = [f"# file: {configuration.path or 'none'}"]
    section = ""
    values = list(configuration)
    assignments = [
        f"# {value.key} is set, and not shown" if value.hidden else f"{value.key} = {toml_value(value.value)}"
        for value in values
    ]
    column = min(44, max(cells(line) for line in assignments))
    for value, line in zip(values, assignments, strict=True):
        if value.section != section:
            section = value.section
            lines += ["", screen.style(f"[{section}]", "bold")]
        space = " " * max(1, column - cells(line) + 2)
        lines.append(
            line + space + screen.style(f"# {_origin(value)}", "dim" if value.origin == "default" else "cyan")
        )
    return "\n".join(lines) + "\n"


def _origin(value: Value) -> str:
    return {"default": "default", "environment": f"environment: {value.where}"}.get(value.origin, value.where)


def toml_value(value: object) -> str:
    """Return a setting's value as TOML writes it."""
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return str(value)
