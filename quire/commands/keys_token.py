"""`quire keys token`: a reader's signed token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX
from quire.readers_option import JSON, USER
from quire.service_state import STATE, service_state
from quire.terminal import harmless, typed

if TYPE_CHECKING:
    from indexer.opening import Place


@click.command("token")
@INDEX
@USER
@click.option("--hours", type=float, metavar="H", help="Hours that it holds; as long as may be without it.")
@click.option("--tenant", metavar="NAME", help="Among whose readers; the search box's without it.")
@STATE
@JSON
@click.pass_obj
def keys_token_command(
    state: State,
    index_path: Place,
    user_id: str,
    hours: float | None,
    tenant: str | None,
    folder: str | None,
    as_json: bool,
) -> int:
    """Issue a token that says who a reader is: whoever has it is USER to the service over INDEX while it holds.

    A program sends it with its requests, as the header Quire-Reader. A browser takes it along from the address
    /enter?token=TOKEN of the search box. It is signed with the secret in the service's folder, or with
    QUIRE_TOKEN_SECRET, which then has to be the one that the service has.
    """
    from engine.service.access.tokens import Tokens

    place, settings = service_state(state, index_path, folder)
    tokens = Tokens(place, settings)
    user_id = typed(user_id)
    token = tokens.issue(user_id, settings.tenant if tenant is None else tenant, hours=hours)
    found = tokens.read(token)
    if as_json:
        told = {
            "token": token,
            "user_id": found.user_id,
            "tenant": found.tenant,
            "expires": found.expires.isoformat(),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return DONE
    click.echo(token)
    until = f"{found.expires:%Y-%m-%d %H:%M} UTC"
    click.echo(harmless(f"Whoever has it is {found.user_id}, of {found.tenant}, until {until}."), err=True)
    return DONE
