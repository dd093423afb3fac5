"""`quire profile erase`: readers, so that nothing is left of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.index_argument import INDEX
from quire.progress import plural
from quire.readers_option import TENANT, open_readers
from quire.terminal import harmless, typed

if TYPE_CHECKING:
    from engine.personal.readers import Readers
    from indexer.opening import Place


@click.command("erase")
@INDEX
@click.argument("user_ids", metavar="USER...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@TENANT
def profile_erase_command(index_path: Place, user_ids: tuple[str, ...], yes: bool, tenant: str) -> int:
    """Erase all that is kept of USER: afterwards no file of INDEX holds a byte of it.

    It cannot be undone, nor stopped half-way: once begun, it is finished when the readers are opened next. Whatever
    holds all readers is written anew, once for all readers named. Copies that you made are yours to erase.
    """
    names = list(dict.fromkeys(map(typed, user_ids)))
    with open_readers(index_path, tenant) as store:
        if not yes and not _confirmed(store, names):
            click.echo("Nothing was erased.")
            return DONE
        try:
            gone = store.forget(*names)
        except KeyboardInterrupt:
            click.echo("Once begun, erasing is finished when the readers are opened next.", err=True)
            raise
    if not gone.readers:
        click.echo(harmless(f"Nothing was kept of {', '.join(names)}."))
        return DONE
    click.echo(
        f"Erased: {plural(gone.readers, 'reader')}, {plural(gone.events, 'event')}, "
        f"{plural(gone.declared, 'declared interest')}; {plural(gone.documents, 'document')} that nobody else had met."
    )
    return DONE


def _confirmed(store: Readers, names: list[str]) -> bool:
    """Ask on a terminal."""
    if not sys.stdin.isatty():
        raise click.UsageError("erasing cannot be undone; where nobody can be asked, say --yes")
    for name in names:
        history = store.history(name)
        click.echo(
            harmless(
                f"{name}: {plural(len(history), 'event')} with {plural(len(set(history.doc_ids)), 'document')}, "
                f"{plural(len(history.declared), 'declared interest')}"
            )
        )
    return click.confirm("Erase all that is kept of them? This cannot be undone.")
