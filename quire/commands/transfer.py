"""`quire export` and `quire import`: an index's documents as JSON lines, out and in."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.index_argument import INDEX, opened
from quire.indexing import open_or_create, report_as_json, run, summary
from quire.progress import plural

if TYPE_CHECKING:
    from indexer.opening import Place


@click.command("export")
@INDEX
@click.argument("file", default="-", type=click.Path(path_type=Path, allow_dash=True))
def export_command(index_path: Place, file: Path) -> int:
    """Write the documents of INDEX to FILE as JSON lines, gzipped if its name ends in .gz.

    Without FILE they go to standard output.
    """
    from indexer.transfer import document_to_json, export_documents, write_documents

    with opened(index_path) as index:
        documents = export_documents(index)
        if str(file) == "-":
            for document in documents:
                sys.stdout.write(json.dumps(document_to_json(document), ensure_ascii=False) + "\n")
            return DONE
        count = write_documents(documents, file)
    click.echo(f"{plural(count, 'document')} written to {file}.")
    return DONE


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@INDEX
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.pass_obj
def import_command(state: State, file: Path, index_path: Place, as_json: bool, quiet: bool) -> int:
    """Index the documents that `quire export` wrote to FILE into INDEX, made when it is not there."""
    from indexer.transfer import read_documents
    from quire.commands.index import status_of

    with open_or_create(index_path, state.configuration()) as index:
        report = run(index, read_documents(file), 0, quiet=quiet)
        reader = index.reader()
        documents, passages = reader.document_count, reader.passage_count
    click.echo((report_as_json if as_json else summary)(report, documents, passages))
    return status_of(report)
