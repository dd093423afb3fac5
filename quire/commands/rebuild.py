"""`quire rebuild`: make an index anew from what it keeps."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quire.cli import DONE, INTERRUPTED, State
from quire.index_argument import INDEX
from quire.indexing import stopping_politely
from quire.progress import duration, plural
from quire.rebuild_lines import RebuildLine

if TYPE_CHECKING:
    from engine.configuration import Configuration
    from indexer.elastic.rebuilding.layout import Wanted
    from indexer.elastic.rebuilding.rebuild import RebuildReport
    from indexer.opening import Place

_CHANGES = ("quantisation", "shards", "replicas", "encoder", "precision", "tokens", "overlap", "language")


@click.command("rebuild")
@INDEX
@click.option("--quantisation", metavar="Q", help="How vectors are searched: int8, int4, bbq or none.")
@click.option("--shards", type=click.IntRange(1, 1024), metavar="N", help="Primary shards.")
@click.option("--replicas", type=click.IntRange(0, 20), metavar="N", help="Copies of each shard.")
@click.option("--language", metavar="NAME", help="Of text in the Latin script, for word stems.")
@click.option("--encoder", metavar="NAME", help="Another model for the vectors; encodes every passage again.")
@click.option("--precision", metavar="P", help="That model's precision: auto, fp32, int8 or bf16.")
@click.option("--tokens", type=int, metavar="N", help="The most tokens of a passage; encodes all again.")
@click.option(
    "--overlap", type=int, metavar="N", help="Tokens shared with the one before; encodes all again."
)
@click.option(
    "--keep-old/--drop-old",
    default=True,
    help="Keep the generation before, to roll back to (the default), or delete it.",
)
@click.option("--threads", type=click.IntRange(1, 64), metavar="N", help="How many copy at once (2).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.pass_obj
def rebuild_command(state: State, /, index_path: Place, **options: Any) -> int:
    """Make INDEX anew from what it keeps, and switch to that when it is whole.

    On Elasticsearch searches and indexing go on meanwhile. What is not asked to be different stays as it is; vectors
    are copied, and made anew only for another encoder or other passages. Stopped at any moment, it goes on when it is
    run again with the same options. In a folder the indexes of words and vectors are made anew.
    """
    if isinstance(index_path, Path):
        return _rebuild_folder(index_path, options)
    configuration = state.configuration(
        elasticsearch__quantisation=("--quantisation", options["quantisation"]),
        indexing__language=("--language", options["language"]),
        indexing__encoder=("--encoder", options["encoder"]),
        indexing__precision=("--precision", options["precision"]),
    )
    from indexer.elastic.address import parse_address
    from indexer.elastic.rebuilding.rebuild import THREADS, RebuildStopped, rebuild
    from indexer.elastic.wire.connection import Cluster

    line = RebuildLine(quiet=options["quiet"])
    address = parse_address(index_path)
    with Cluster.open(address, configuration.elasticsearch) as cluster:
        wanted = _wanted(cluster, address.name, configuration, options)
        try:
            with stopping_politely(line) as should_stop:
                report = rebuild(
                    cluster,
                    address.name,
                    wanted,
                    progress=line,
                    should_stop=should_stop,
                    drop_old=not options["keep_old"],
                    threads=options["threads"] or THREADS,
                )
        except RebuildStopped as stopped:
            line.clear()
            click.echo(f"quire: {stopped}", err=True)
            return INTERRUPTED
        finally:
            line.clear()
    if options["as_json"]:
        click.echo(json.dumps(asdict(report)))
    else:
        click.echo(_summary(report, index_path))
    return DONE


def _rebuild_folder(path: Path, options: dict[str, Any]) -> int:
    given = [f"--{name}" for name in _CHANGES if options[name] is not None]
    if given:
        raise click.UsageError(
            f"{' and '.join(given)}: an index in a folder is rebuilt as it was made; make another one with "
            f"`quire index`, or with `quire export {path}` and `quire import`"
        )
    from indexer.index import Index

    with Index.open(path) as index:
        index.rebuild()
    click.echo(f"{path}: the indexes of words and vectors were made anew.")
    return DONE


def _wanted(cluster: Any, name: str, configuration: Configuration, options: dict[str, Any]) -> Wanted:
    """Return what was asked to be different; what was not stays as it is, whatever the configuration says."""
    from indexer.elastic.rebuilding.generations import Generations
    from indexer.elastic.rebuilding.layout import Wanted, made_of
    from indexer.splitter import SplitterSettings

    encoder = passages = None
    if options["encoder"] is not None:
        from indexer.encoder import load_encoder

        settings = configuration.indexing
        encoder = load_encoder(
            settings.encoder,
            precision=settings.precision,
            device=settings.device,
            offline=settings.offline or None,
        )
    if options["tokens"] is not None or options["overlap"] is not None:
        now = made_of(Generations(cluster, name).current()).passages
        tokens, overlap = options["tokens"], options["overlap"]
        passages = SplitterSettings(
            now.tokens if tokens is None else tokens, now.overlap if overlap is None else overlap
        )
    return Wanted(
        quantisation=options["quantisation"],
        shards=options["shards"],
        replicas=options["replicas"],
        language=options["language"],
        encoder=encoder,
        precision=configuration.indexing.precision,
        passages=passages,
    )


def _summary(report: RebuildReport, place: str) -> str:
    lines = [
        f"Generation {report.new} counts now: {plural(report.total, 'document')}, made in {duration(report.seconds)}; "
        f"writers were held back for {report.held_seconds:.1f} s."
    ]
    if report.torn:
        lines.append(
            f"{plural(report.torn, 'document')} that writers had under way at the end were left to them; when one of "
            "them has died, run `quire index` with its sources again."
        )
    if report.copies_missing:
        lines.append("Its replicas were not all made yet: see the cluster's health.")
    if report.dropped:
        lines.append(f"Dropped: {', '.join(map(str, report.dropped))}.")
    else:
        lines.append(
            f"Generation {report.old} is kept: `quire generations {place} --rollback` goes back to it, "
            f"`--drop {report.old}` deletes it."
        )
    return "\n".join(lines)
