"""`quire completion`: the script that completes commands, options and paths in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Print the script that completes `quire` commands in SHELL.

    \b
      bash   quire completion bash > ~/.local/share/bash-completion/completions/quire
      zsh    quire completion zsh > "${fpath[1]}/_quire"
      fish   quire completion fish > ~/.config/fish/completions/quire.fish
    """  # noqa: D301  click reads the backspace
    from quire.cli import COMPLETE, cli

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"completion for {shell} is not known to this version of click")
    click.echo(script(cli, {}, "quire", COMPLETE).source())
