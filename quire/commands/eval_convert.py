"""`quire eval convert`: a run, judgements or topics from one format to another."""

from __future__ import annotations

from pathlib import Path

import click

from quire.cli import DONE
from quire.terminal import harmless

FILE = click.Path(path_type=Path)


@click.command("convert")
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@click.option(
    "--as",
    "contents",
    type=click.Choice(["run", "qrels", "topics"]),
    help="What IN holds, where its first line does not tell.",
)
@click.option("--force", is_flag=True, help="Replace OUT where it exists.")
def eval_convert_command(source: Path, target: Path, contents: str | None, force: bool) -> int:
    """Convert IN, a run, judgements or topics, to the format that OUT's suffix names.

    .run, .trec, .txt and .qrels are TREC's formats; .jsonl, .csv, .tsv and .parquet tables; all but Parquet may end
    in .gz. A run's scores are written so that no tool reorders it.
    """
    from eval.formats import read_qrels, read_run, read_topics, write_qrels, write_run, write_topics
    from eval.formats.contents import contents_of
    from eval.formats.runs import lost

    contents = contents or contents_of(source)
    if target.exists() and not force:
        raise click.UsageError(f"{target} exists already; --force replaces it")
    if contents == "run":
        run = read_run(source)
        write_run(run, target)
        hits = sum(map(len, run.rankings.values()))
        for what, queries in lost(run, target).items():
            these = f"{queries:,} {'query' if queries == 1 else 'queries'}"
            click.echo(f"{target} does not hold the {what} of {these}; .jsonl would.", err=True)
        said = f"a run of {len(run):,} queries and {hits:,} documents"
    elif contents == "qrels":
        qrels = read_qrels(source)
        write_qrels(qrels, target)
        said = f"{sum(map(len, qrels.values())):,} judgements of {len(qrels):,} queries"
    else:
        topics = read_topics(source)
        write_topics(topics, target)
        said = f"{len(topics):,} topics"
    click.echo(harmless(f"{target}: {said}."))
    return DONE
