"""`quire profile`: what is kept of a reader; to see, correct, take along and erase."""

from __future__ import annotations

import click

from quire.lazy_group import LazyGroup

# Name -> (module of quire.commands, what `quire profile --help` says of it).
COMMANDS = {
    "show": ("profile_show", "Show a reader's interests, and what they rest on."),
    "mute": ("profile_change", "Turn an interest off."),
    "unmute": ("profile_change", "Turn an interest on again."),
    "declare": ("profile_change", "Add an interest in the reader's own words."),
    "undeclare": ("profile_change", "Take such an interest back."),
    "forget": ("profile_change", "Forget what a reader did with a document."),
    "export": ("profile_export", "Write all that is kept of a reader as JSON."),
    "erase": ("profile_erase", "Erase readers, so that no byte of them is left."),
}


@click.group(cls=LazyGroup, name="profile", table=COMMANDS)
def profile_command() -> None:
    """What is kept of a reader: see it, correct it, take it along, erase it.

    \b
      quire profile show INDEX ann                   what Ann seems to be interested in, and why
      quire profile mute INDEX ann NAME              turn one of these interests off
      quire profile declare INDEX ann medieval maps  add one in words
    """  # noqa: D301  click reads the backspace
