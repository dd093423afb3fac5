"""`quire keys list`: the API keys of a service, without their secrets, which nobody has."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import click

from quire.cli import DONE, State
from quire.columns import Column, table_lines
from quire.index_argument import INDEX
from quire.readers_option import JSON
from quire.service_state import STATE, service_state
from quire.terminal import Screen

if TYPE_CHECKING:
    from engine.service.access.keys import Key
    from indexer.opening import Place


@click.command("list")
@INDEX
@STATE
@JSON
@click.pass_obj
def keys_list_command(state: State, index_path: Place, folder: str | None, as_json: bool) -> int:
    """List the API keys of the service over INDEX, the oldest first: what each may do, and until when."""
    from engine.service.access.keys import KeyRing

    keys = KeyRing(service_state(state, index_path, folder)[0]).list()
    if as_json:
        click.echo(json.dumps([key.to_json() for key in keys], ensure_ascii=False))
        return DONE
    if not keys:
        click.echo("There are no keys; `quire keys add` makes one.")
        return DONE
    columns = [
        Column("key", [key.key_id for key in keys], left=True),
        Column("scopes", [" ".join(cast("list[str]", key.to_json()["scopes"])) for key in keys], left=True),
        Column("expires", [_end(key) for key in keys], left=True),
        Column("name", [key.name for key in keys], 1, left=True),
        Column("tenant", [key.tenant for key in keys], 2, left=True),
        Column("a minute", [f"{key.rate_per_minute:,}" if key.rate_per_minute else "" for key in keys], 3),
        Column("created", [f"{key.created:%Y-%m-%d}" for key in keys], 4, left=True),
    ]
    for line in table_lines(columns, Screen.of()):
        click.echo(line, color=True)
    return DONE


def _end(key: Key) -> str:
    if key.expires is None:
        return "never"
    return f"{key.expires:%Y-%m-%d}" if key.expires > datetime.now(UTC) else "expired"
