"""`quire events export`: all that readers did, in a file that `quire events import` reads."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.index_argument import INDEX
from quire.progress import plural
from quire.readers_option import TENANT, open_readers

if TYPE_CHECKING:
    from engine.event import Event
    from indexer.opening import Place


@click.command("export")
@INDEX
@click.argument("file", default="-", type=click.Path(path_type=Path, allow_dash=True))
@TENANT
def events_export_command(index_path: Place, file: Path, tenant: str) -> int:
    """Write what the readers of INDEX did to FILE: .jsonl, .csv, .tsv (each also .gz) or .parquet, by its suffix.

    Without FILE it goes to standard output, as JSON lines. What readers declared and turned off is in
    `quire profile export`.
    """
    from eval.personal import write_events

    readers: Counter[str] = Counter()

    def counted(events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            readers[event.user_id] += 1
            yield event

    with open_readers(index_path, tenant) as store:
        if str(file) == "-":
            for event in store.events():
                sys.stdout.write(json.dumps(event.to_record(), ensure_ascii=False) + "\n")
            return DONE
        write_events(counted(store.events()), file)
    click.echo(f"{plural(readers.total(), 'event')} of {plural(len(readers), 'reader')} written to {file}.")
    return DONE
