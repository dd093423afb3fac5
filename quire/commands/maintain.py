"""`quire stats`, `verify`, `compact`, `delete`: look after an index."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

import click

from indexer.elastic.address import is_address
from quire.cli import DONE, PARTLY
from quire.index_argument import INDEX, opened
from quire.progress import plural
from quire.terminal import Screen, harmless, typed

if TYPE_CHECKING:
    from indexer.backend import DocumentIndex, IndexStats, Verification
    from indexer.opening import Place


@click.command("stats")
@INDEX
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def stats_command(index_path: Place, as_json: bool) -> int:
    """Say what INDEX holds: documents, passages, metadata fields, size, and what it was made with."""
    with opened(index_path) as index:
        stats = index.stats()
    if as_json:
        click.echo(json.dumps(asdict(stats), ensure_ascii=False))
        return DONE
    screen = Screen.of()
    kept = "an HNSW graph and exact search" if stats.graph_passages else "exact search"
    rows = [
        ("documents", f"{stats.documents:,}"),
        ("passages", f"{stats.passages:,}"),
        ("vectors", f"{stats.vectors:,}, by {kept}"),
        ("tokens", _tokens(stats)),
        ("size", f"{stats.megabytes:,} MB{', all copies included' if is_address(stats.path) else ''}"),
        ("encoder", stats.encoder),
        ("analyser", stats.analyser),
        ("generation", f"{stats.generation:,}"),
        (
            "fields",
            ", ".join(f"{name} ({'/'.join(kinds)})" for name, kinds in stats.fields.items()) or "none",
        ),
    ]
    if stats.removed_passages:
        room = (
            f"{plural(stats.removed_passages, 'passage')} still on disk; `quire compact` gives the room back"
        )
        rows.insert(4, ("deleted", room))
    for name, value in rows:
        label = f"{name:<11}"
        for line in screen.wrap([(value, False)], " " * len(label)):
            click.echo(screen.style(label, "dim") + line[len(label) :], color=True)
            label = " " * len(label)
    return DONE


def _tokens(stats: IndexStats) -> str:
    if stats.token_vectors is None:
        return "no vectors of single tokens"
    return f"vectors of those of {plural(stats.token_vectors, 'passage')}, {stats.token_megabytes:,} MB"


@click.command("verify")
@INDEX
@click.option("--repair", is_flag=True, help="Make anew, or remove, what is damaged or was left half done.")
def verify_command(index_path: Place, repair: bool) -> int:
    """Check INDEX: every invariant within and between its stores. Exit status 1 when one does not hold.

    With --repair the word and vector indexes of a folder are made anew where they are damaged; on Elasticsearch what
    writers that died had left is removed.
    """
    with opened(index_path) as index:
        found = index.verify()
        _name(found)
        if repair and found.problems and all(problem.repairable for problem in found.problems):
            click.echo(_repaired(index))
            found = index.verify()
            _name(found)
    if found.sound:
        click.echo(
            f"{index_path} is sound: {plural(found.documents, 'document')}, {plural(found.passages, 'passage')}, "
            f"generation {found.generation}."
        )
        return DONE
    if is_address(index_path):
        click.echo(
            f"What writers that died had left goes with `quire verify --repair {index_path}`; documents that are named "
            f"after that:  quire delete {index_path} DOC_ID...  and index them again."
        )
    elif all(problem.repairable for problem in found.problems):
        click.echo(f"The documents are unharmed. Repair the rest:  quire verify --repair {index_path}")
    else:
        click.echo("The documents themselves are damaged: restore a copy, or index them again.")
    return PARTLY


def _name(found: Verification) -> None:
    for problem in found.problems:
        click.echo(harmless(f"{problem.store}: {problem.found}"))


def _repaired(index: DocumentIndex) -> str:
    """Repair what can be; return what was done."""
    from indexer.index import Index

    if isinstance(index, Index):
        index.rebuild()
        return "Made the word and vector indexes anew."
    with index.writer():  # which tidies up when it begins
        return "Removed what writers that died had left."


@click.command("compact")
@INDEX
def compact_command(index_path: Place) -> int:
    """Write INDEX anew without what was deleted or replaced, and give its room on the disk back."""
    with opened(index_path) as index:
        before = index.stats().megabytes
        index.compact()
        after = index.stats().megabytes
    click.echo(f"{index_path}: {before:,} MB before, {after:,} MB now.")
    return DONE


@click.command("delete")
@INDEX
@click.argument("doc_ids", nargs=-1, metavar="DOC_ID...")
@click.option(
    "--from", "listing", type=click.File("r"), help="A file with one id a line; - for standard input."
)
def delete_command(index_path: Place, doc_ids: tuple[str, ...], listing: TextIO | None) -> int:
    """Delete documents from INDEX. Exit status 1 when one of them was not there."""
    wanted = [typed(doc_id) for doc_id in doc_ids]
    if listing is not None:
        wanted += [line.rstrip("\r\n") for line in listing if line.strip()]
    if not wanted:
        raise click.UsageError("name the documents to delete, or a file of their ids with --from")
    with opened(index_path) as index, index.writer() as writer:
        missing = [doc_id for doc_id in dict.fromkeys(wanted) if not writer.delete(doc_id)]
        writer.commit()
    for doc_id in missing:
        click.echo(harmless(f"there is no document {doc_id!r}"), err=True)
    sys.stderr.flush()
    click.echo(f"{plural(len(set(wanted)) - len(missing), 'document')} deleted.")
    return PARTLY if missing else DONE
