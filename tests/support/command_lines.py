"""Command lines of Quire that stand in other files: whether they can be understood, without doing what they say."""

from __future__ import annotations

from collections.abc import Sequence

import click

from quire.cli import cli


def understood(words: Sequence[str]) -> str:
    """Make sure that the words after `quire` name a command that takes those after it; return its name.

    Raises:
        click.UsageError: there is no such command, or it does not take these words.
    """
    command: click.Command = cli
    names, rest = [], list(words)
    context = click.Context(cli, info_name="quire")
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        if name is None or found is None:
            raise click.UsageError(f"no command in {' '.join(words)}")
        names.append(name)
        context, command = click.Context(found, parent=context, info_name=name), found
    command.make_context(names[-1], rest, parent=context.parent).close()
    return " ".join(names)
