"""`quire keys`: who may ask a service: API keys for programs, tokens for readers."""

from __future__ import annotations

import click

from quire.lazy_group import LazyGroup

# Name -> (module of quire.commands, what `quire keys --help` says of it).
COMMANDS = {
    "add": ("keys_add", "Make an API key; its secret is shown once."),
    "list": ("keys_list", "List the API keys."),
    "revoke": ("keys_add", "Take API keys back."),
    "token": ("keys_token", "Issue a reader's token."),
}


@click.group(cls=LazyGroup, name="keys", table=COMMANDS)
def keys_command() -> None:
    """Who may ask a service that runs over INDEX: API keys for programs, tokens for readers.

    \b
      quire keys add INDEX --scope search --scope events    a key; its secret is shown once
      quire keys revoke INDEX 3f9a1c7e                      from the next request on it opens nothing
      quire keys token INDEX ann                            a token that says: this is Ann
    """  # noqa: D301  click reads the backspace
