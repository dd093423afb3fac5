"""`quire generations`: the makings of an index on Elasticsearch; go back to the one before, delete old ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.columns import Column, table_lines
from quire.index_argument import INDEX, elastic_settings
from quire.progress import plural
from quire.terminal import Screen

if TYPE_CHECKING:
    from indexer.elastic.rebuilding.generations import Generations
    from indexer.elastic.wire.connection import Cluster
    from indexer.opening import Place

_MADE = ("created", "language", "analyser", "quantisation")


@click.command("generations")
@INDEX
@click.option("--rollback", is_flag=True, help="Go back to the generation before the one that counts.")
@click.option("--drop", "dropped", type=int, multiple=True, metavar="N", help="Delete generation N.")
@click.option("--delete-index", metavar="NAME", help="Delete the index whole; NAME is its name, typed again.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def generations_command(
    index_path: Place, rollback: bool, dropped: tuple[int, ...], delete_index: str | None, as_json: bool
) -> int:
    """List the generations of INDEX, an address on Elasticsearch: each `quire rebuild` makes one.

    The one that counts is searched and written to. Older ones are kept until they are dropped.
    """
    if isinstance(index_path, Path):
        raise click.UsageError(f"{index_path} is a folder, which has one generation; expected an address")
    if sum((rollback, bool(dropped), delete_index is not None)) > 1:
        raise click.UsageError("give one of --rollback, --drop and --delete-index at a time")
    from indexer.elastic.address import parse_address
    from indexer.elastic.rebuilding.generations import Generations
    from indexer.elastic.wire.connection import Cluster

    address = parse_address(index_path)
    with Cluster.open(address, elastic_settings()) as cluster:
        generations = Generations(cluster, address.name)
        if rollback:
            _roll_back(cluster, generations)
        elif dropped:
            for number in dropped:
                generations.drop(number)
            click.echo(f"Dropped: {', '.join(map(str, dropped))}.")
        elif delete_index is not None:
            _delete(generations, delete_index)
        else:
            _show(generations, as_json)
    return DONE


def _show(generations: Generations, as_json: bool) -> None:
    generations.current()  # there is an index
    rows = [(each, generations.room(each)) for each in generations.all()]
    if as_json:
        told = [
            {
                "number": each.number,
                "state": each.state,
                "documents": room.documents,
                "passages": room.passages,
                "megabytes": room.megabytes,
                "shards": each.shards,
                "replicas": each.replicas,
                "made": {name: each.meta.get(name) for name in _MADE},
            }
            for each, room in rows
        ]
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    columns = [
        Column("generation", [str(each.number) for each, _ in rows]),
        Column("", [each.state for each, _ in rows], left=True),
        Column("documents", [f"{room.documents:,}" for _, room in rows]),
        Column("passages", [f"{room.passages:,}" for _, room in rows], 1),
        Column("MB", [f"{room.megabytes:,}" for _, room in rows], 2),
        Column("shards", [f"{each.shards} x {each.replicas + 1}" for each, _ in rows], 3),
        Column("vectors", [str(each.meta.get("quantisation", "")) for each, _ in rows], 4, left=True),
        Column("language", [str(each.meta.get("language", "")) for each, _ in rows], 5, left=True),
        Column("made", [str(each.meta.get("created", "")) for each, _ in rows], 6, left=True),
    ]
    for line in table_lines(columns, Screen.of()):
        click.echo(line, color=True)


def _roll_back(cluster: Cluster, generations: Generations) -> None:
    from indexer.elastic.rebuilding.differences import missing_after

    left, counts = generations.roll_back()
    click.echo(f"Generation {counts.number} counts again; {left.number} is kept.")
    lacks, has = missing_after(cluster, left, counts)
    if lacks or has:
        click.echo(
            f"Since the switch {plural(lacks, 'document')} came or changed and {plural(has, 'document')} went, which "
            "this generation does not know: run `quire index` with your sources, or `quire delete`."
        )


def _delete(generations: Generations, name: str) -> None:
    if name != generations.name:
        raise click.UsageError(f"the index is called {generations.name!r}, not {name!r}: nothing was deleted")
    numbers = [each.number for each in generations.all()]
    generations.delete_all()
    click.echo(
        f"Deleted: {plural(len(numbers), 'generation')} of {name}. What readers did is kept apart, and was not."
    )
