"""`quire profile mute`, `unmute`, `declare`, `undeclare`, `forget`: what a reader may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.index_argument import INDEX
from quire.progress import plural
from quire.readers_option import TENANT, USER, open_readers
from quire.terminal import harmless, typed

if TYPE_CHECKING:
    from indexer.opening import Place

NAME = click.argument("names", metavar="NAME...", nargs=-1, required=True)


@click.command("mute")
@INDEX
@USER
@NAME
@TENANT
def profile_mute_command(index_path: Place, user_id: str, names: tuple[str, ...], tenant: str) -> int:
    """Turn interests of USER off: they stay to be seen, and weigh nothing.

    NAME is what `quire profile show` names the interest by: a document's id, or the words of a declared one.
    """
    with open_readers(index_path, tenant) as store:
        for name in map(typed, names):
            changed = store.mute(typed(user_id), name)
            _say(f"{name} is off now." if changed else f"{name} was off already.")
    return DONE


@click.command("unmute")
@INDEX
@USER
@NAME
@TENANT
def profile_unmute_command(index_path: Place, user_id: str, names: tuple[str, ...], tenant: str) -> int:
    """Turn interests of USER on again."""
    with open_readers(index_path, tenant) as store:
        for name in map(typed, names):
            changed = store.unmute(typed(user_id), name)
            _say(f"{name} is on again." if changed else f"{name} was not off.")
    return DONE


@click.command("declare")
@INDEX
@USER
@click.argument("words", metavar="TEXT...", nargs=-1, required=True)
@click.option("--weight", type=float, default=1.0, metavar="W", help="How much it counts beside others (1).")
@TENANT
def profile_declare_command(
    index_path: Place, user_id: str, words: tuple[str, ...], weight: float, tenant: str
) -> int:
    """Add an interest of USER in words: TEXT is one interest, whatever its number of words.

    It does not fade with time; declared again, its weight is changed.
    """
    text = " ".join(" ".join(map(typed, words)).split())
    with open_readers(index_path, tenant, writing=True) as store:
        store.declare(typed(user_id), text, weight=weight)
    _say(f"{user_id} is interested in: {text}")
    return DONE


@click.command("undeclare")
@INDEX
@USER
@click.argument("words", metavar="TEXT...", nargs=-1, required=True)
@TENANT
def profile_undeclare_command(index_path: Place, user_id: str, words: tuple[str, ...], tenant: str) -> int:
    """Take back an interest that USER declared in these words."""
    text = " ".join(" ".join(map(typed, words)).split())
    with open_readers(index_path, tenant) as store:
        found = store.undeclare(typed(user_id), text)
    _say(f"Taken back: {text}" if found else f"{user_id} declared no interest in these words: {text}")
    return DONE


@click.command("forget")
@INDEX
@USER
@click.argument("doc_ids", metavar="DOC_ID...", nargs=-1, required=True)
@TENANT
def profile_forget_command(index_path: Place, user_id: str, doc_ids: tuple[str, ...], tenant: str) -> int:
    """Forget what USER did with documents, as if it had not happened. To erase a reader: `quire profile erase`."""
    with open_readers(index_path, tenant) as store:
        for doc_id in map(typed, doc_ids):
            gone = store.forget_document(typed(user_id), doc_id)
            _say(f"{doc_id}: {plural(gone, 'event')} forgotten." if gone else f"{doc_id}: nothing to forget.")
    return DONE


def _say(text: str) -> None:
    click.echo(harmless(text))
