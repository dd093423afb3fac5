"""`quire profile export`: all that is kept of a reader, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.index_argument import INDEX
from quire.readers_option import TENANT, USER, open_readers
from quire.terminal import harmless, typed

if TYPE_CHECKING:
    from indexer.opening import Place


@click.command("export")
@INDEX
@USER
@click.argument("file", default="-", type=click.Path(path_type=Path, allow_dash=True))
@TENANT
def profile_export_command(index_path: Place, user_id: str, file: Path, tenant: str) -> int:
    """Write all that is kept of USER to FILE as JSON: events, declared interests, what is turned off.

    Without FILE it goes to standard output.
    """
    with open_readers(index_path, tenant) as store:
        kept = store.export(typed(user_id))
    text = json.dumps(kept, ensure_ascii=False, indent=2)
    if str(file) == "-":
        click.echo(text)
        return DONE
    file.write_text(text + "\n", encoding="utf-8")
    click.echo(harmless(f"All that is kept of {user_id} is in {file}."))
    return DONE
