"""`quire keys add` and `quire keys revoke`: an API key given out, and taken back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX
from quire.readers_option import JSON
from quire.service_state import STATE, service_state
from quire.terminal import harmless, typed

if TYPE_CHECKING:
    from engine.service.access.caller import Scope
    from engine.service.access.keys import Key
    from indexer.opening import Place


@click.command("add")
@INDEX
@click.option(
    "--scope",
    "scopes",
    metavar="SCOPE",
    multiple=True,
    required=True,
    help="search, events, index or admin; repeat it for several. None implies another.",
)
@click.option("--tenant", default="default", metavar="NAME", help="Whose readers it may speak for (default).")
@click.option("--name", default="", metavar="TEXT", help="What it is for.")
@click.option(
    "--expires", type=float, metavar="DAYS", help="Days that it holds; without it, until it is revoked."
)
@click.option(
    "--rate", type=int, metavar="N", help="Requests a minute; without it, rate_per_minute of [service]."
)
@STATE
@JSON
@click.pass_obj
def keys_add_command(
    state: State,
    index_path: Place,
    scopes: tuple[str, ...],
    tenant: str,
    name: str,
    expires: float | None,
    rate: int | None,
    folder: str | None,
    as_json: bool,
) -> int:
    """Make an API key for the service over INDEX, and show its secret: once, for only a hash of it is kept.

    A service that runs knows it at once. What is shown on standard output is the secret: keep it where the program that
    asks finds it, and nowhere else.
    """
    from engine.service.access.keys import KeyRing

    place, settings = service_state(state, index_path, folder)
    key, secret = KeyRing(place).create(
        cast("tuple[Scope, ...]", scopes),
        tenant=tenant,
        name=typed(name),
        expires=None if expires is None else _days(expires),
        rate_per_minute=rate,
    )
    if as_json:
        click.echo(json.dumps({**key.to_json(), "secret": secret}, ensure_ascii=False))
        return DONE
    click.echo(secret)
    click.echo(harmless(f"That is key {key.key_id}: {_account(key, settings.rate_per_minute)}."), err=True)
    click.echo("It is shown this once. Requests carry it as: Authorization: Bearer quire_...", err=True)
    return DONE


@click.command("revoke")
@INDEX
@click.argument("key_ids", metavar="KEY...", nargs=-1, required=True)
@STATE
@click.pass_obj
def keys_revoke_command(state: State, index_path: Place, key_ids: tuple[str, ...], folder: str | None) -> int:
    """Take API keys back: a service that runs refuses them from the next request on. It cannot be undone.

    KEY is a key's id of eight digits, which `quire keys list` shows.
    """
    from engine.service.access.keys import KeyRing

    ring = KeyRing(service_state(state, index_path, folder)[0])
    for key_id in key_ids:
        key = ring.revoke(key_id)
        click.echo(harmless(f"{key.key_id} is revoked{f': {key.name}' if key.name else ''}."))
    return DONE


def _days(days: float) -> timedelta:
    try:
        return timedelta(days=days)
    except (OverflowError, ValueError) as error:
        raise click.BadParameter(f"--expires is a number of days, found {days}") from error


def _account(key: Key, usual: int) -> str:
    """Return in words what a key is good for."""
    scopes = ", ".join(map(str, cast("list[str]", key.to_json()["scopes"])))
    until = "until it is revoked" if key.expires is None else f"until {key.expires:%Y-%m-%d %H:%M} UTC"
    rate = key.rate_per_minute or usual
    return f"{scopes}; readers of {key.tenant}; {rate:,} requests a minute; {until}"
