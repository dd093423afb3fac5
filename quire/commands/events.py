"""`quire events`: what readers did, in and out."""

from __future__ import annotations

import click

from quire.lazy_group import LazyGroup

# Name -> (module of quire.commands, what `quire events --help` says of it).
COMMANDS = {
    "import": ("events_import", "Take in what readers did, from JSON lines, CSV, TSV or Parquet."),
    "export": ("events_export", "Write what readers did to such a file."),
}


@click.group(cls=LazyGroup, name="events", table=COMMANDS)
def events_command() -> None:
    """What readers did with the documents of an index: the log that personal results rest on.

    \b
      quire events import INDEX log.jsonl      add a log; what is known already is not added again
      quire events export INDEX log.jsonl      write all of it
    """  # noqa: D301  click reads the backspace
