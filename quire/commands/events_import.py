"""`quire events import`: a log of what readers did, into the store of an index's readers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, PARTLY
from quire.count_line import CountLine
from quire.index_argument import INDEX, opened
from quire.profile_lines import listed
from quire.progress import duration, plural
from quire.readers_option import JSON, TENANT, open_readers

if TYPE_CHECKING:
    from engine.event import Event
    from engine.personal.history import Recorded
    from engine.personal.readers import Readers
    from indexer.opening import Place
    from indexer.protocol import IndexReader

BATCH = 5_000  # events committed at once


@dataclass(slots=True)
class Import:
    """What came of a log so far.

    Args:
        reader: The index, to tell which documents it has.
        unknown: Documents of the log that the index lacks, in the log's order.
    """

    reader: IndexReader
    recorded: Recorded
    unknown: dict[str, None] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def take(self, store: Readers, events: list[Event]) -> None:
        """Commit some events."""
        self.recorded += store.add(events)
        new = list({event.doc_id: None for event in events}.keys() - self._known - self.unknown.keys())
        places = self.reader.find_all(new).tolist() if new else []
        self._known.update(doc_id for doc_id, place in zip(new, places, strict=True) if place >= 0)
        absent = {doc_id for doc_id, place in zip(new, places, strict=True) if place < 0}
        self.unknown.update({event.doc_id: None for event in events if event.doc_id in absent})

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return {
            "added": self.recorded.added,
            "duplicates": self.recorded.duplicates,
            "future": self.recorded.future,
            "flooding": list(self.recorded.flooding),
            "unknown_documents": list(self.unknown),
        }


@click.command("import")
@INDEX
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@TENANT
@JSON
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def events_import_command(
    index_path: Place, files: tuple[Path, ...], tenant: str, as_json: bool, quiet: bool
) -> int:
    """Add what the logs FILE say that readers did to what is known of the readers of INDEX.

    The suffix says which kind of file it is: .jsonl, .csv, .tsv (each also .gz) or .parquet. A record has user_id and
    doc_id, and may have kind, at, weight and event_id. What is known already is not added again, so the same file may
    be imported twice, and an import that was interrupted is finished by the same command.
    """
    from engine.personal.history import Recorded

    began = time.monotonic()
    with opened(index_path) as index, open_readers(index_path, tenant) as store:
        came = Import(index.reader(), Recorded())
        try:
            with CountLine("event", quiet=quiet) as line:
                done = 0
                for batch in _batches(files):
                    came.take(store, batch)
                    done += len(batch)
                    line(done)
        except BaseException:
            if came.recorded.added:
                click.echo(
                    f"What was added before this is kept: {plural(came.recorded.added, 'event')}.", err=True
                )
            raise
    if as_json:
        click.echo(json.dumps(came.to_json(), ensure_ascii=False))
    else:
        for text in _lines(came, time.monotonic() - began):
            click.echo(text)
    return PARTLY if came.recorded.future else DONE


def _batches(files: tuple[Path, ...]) -> Iterator[list[Event]]:
    """Yield the events of files; what stands before a malformed line is yielded before its error is raised."""
    from eval.errors import EvalError
    from eval.personal import each_event

    batch: list[Event] = []
    try:
        for path in files:
            for event in each_event(path):
                batch.append(event)
                if len(batch) == BATCH:
                    yield batch
                    batch = []
    except EvalError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _lines(came: Import, seconds: float) -> Iterator[str]:
    recorded = came.recorded
    known = f", {recorded.duplicates:,} known already" if recorded.duplicates else ""
    yield f"{plural(recorded.added, 'event')} added{known}, in {duration(seconds)}."
    if recorded.future:
        first = recorded.ahead[0]
        when = first.at.isoformat(timespec="minutes") if first.at else ""
        yield (
            f"{plural(recorded.future, 'event')} refused: the clock is over a day ahead "
            f"({listed([f'{first.user_id}, {first.doc_id}, {when}'], 1)}, for one)."
        )
    if recorded.flooding:
        yield (
            f"{plural(len(recorded.flooding), 'reader')} with more events than a person makes: "
            f"{listed(recorded.flooding)}. Nothing is learnt from them for others, and each document counts once."
        )
    if came.unknown:
        be = "is" if len(came.unknown) == 1 else "are"
        yield (
            f"{plural(len(came.unknown), 'document')} {be} not in the index: {listed([*came.unknown])}. "
            "What was done with them is kept, and counts once they are."
        )
