"""`quire index`: make an index of files and folders, or bring one up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quire.cli import DONE, INTERRUPTED, PARTLY, State
from quire.index_argument import INDEX
from quire.indexing import open_or_create, report_as_json, run, summary
from quire.progress import total_bytes

if TYPE_CHECKING:
    from indexer import IndexingReport
    from indexer.opening import Place
    from indexer.sharding import Shard


def _shard(text: str) -> Shard:
    from indexer.errors import InvalidSettings
    from indexer.sharding import Shard

    try:
        return Shard.parse(text)
    except InvalidSettings as error:
        raise click.BadParameter(str(error)) from error


@click.command("index")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...", type=click.Path(path_type=Path))
@INDEX
@click.option("--encoder", metavar="NAME", help="The model that makes the vectors: a name or a path.")
@click.option("--precision", metavar="P", help="The model's precision: auto, fp32, int8 or bf16.")
@click.option("--tokens", type=int, metavar="N", help="The most tokens of one passage.")
@click.option("--overlap", type=int, metavar="N", help="Tokens that a passage shares with the one before.")
@click.option("--language", metavar="NAME", help="Of text in the Latin script, for word stems.")
@click.option(
    "--token-vectors/--no-token-vectors",
    default=None,
    help="Keep the vector of each token, for late interaction: finer results, a larger index.",
)
@click.option("--ignore", multiple=True, metavar="PATTERN", help="Leave these files out (as in .gitignore).")
@click.option(
    "--shard",
    type=_shard,
    metavar="N/M",
    help="Take the Nth of M parts of the sources only: M workers together take all.",
)
@click.option("--delete-missing", is_flag=True, help="Delete what is in the index and not in the sources.")
@click.option(
    "--failures", type=click.Path(path_type=Path), metavar="FILE", help="Write all failures there, as JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.pass_obj
def index_command(state: State, /, sources: tuple[Path, ...], index_path: Place, **options: Any) -> int:
    """Index every document in SOURCE... into INDEX, a folder, or an address such as elasticsearch://localhost:9200/books.

    A source is a file or a folder: plain text, Markdown, HTML, PDF, DOCX, EPUB, reStructuredText, JSON lines,
    CSV, or a BEIR folder. INDEX is made when it is not there. Run again, it takes in what is new or changed;
    what is unchanged costs nothing. Interrupted with Ctrl-C, it keeps what is done and goes on when run again.
    """
    check_paths(sources, index_path)
    configuration = state.configuration(
        **{
            f"indexing__{name}": (f"--{name}", options[name])
            for name in ("encoder", "precision", "tokens", "overlap", "language")
        },
        indexing__token_vectors=(
            "--no-token-vectors" if options["token_vectors"] is False else "--token-vectors",
            options["token_vectors"],
        ),
        reading__ignore=("--ignore", options["ignore"] or None),
    )
    from indexer.readers import read_corpus

    reading: Any = configuration.section("reading")
    with open_or_create(index_path, configuration) as index:
        report = run(
            index,
            read_corpus(sources, reading),
            total_bytes(sources),
            shard=options["shard"],
            delete_missing=options["delete_missing"],
            quiet=options["quiet"],
        )
        reader = index.reader()
        documents, passages = reader.document_count, reader.passage_count
    if options["failures"]:
        write_failures(report, options["failures"])
    say = report_as_json if options["as_json"] else summary
    click.echo(say(report, documents, passages))
    return status_of(report)


def check_paths(sources: tuple[Path, ...], index_path: Place) -> None:
    """Refuse what cannot be meant: a source that is not there, an index inside a source or the other way round.

    Raises:
        click.UsageError: naming the path.
    """
    for source in sources:
        if not source.exists():
            raise click.UsageError(f"there is no {source}; the sources come first, the index last")
        if isinstance(index_path, Path) and source.resolve() == index_path.resolve():
            raise click.UsageError(f"{source} is both a source and the index; the index comes last")
    if isinstance(index_path, Path) and index_path.is_file():
        raise click.UsageError(f"{index_path} is a file; the index, a folder, comes last")


def write_failures(report: IndexingReport, path: Path) -> None:
    """Write what failed as JSON lines."""
    lines = (
        json.dumps({"source": each.source, "reason": each.reason}, ensure_ascii=False)
        for each in report.failures
    )
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def status_of(report: IndexingReport) -> int:
    """Return the exit status that a report stands for."""
    if report.interrupted:
        return INTERRUPTED
    return PARTLY if report.failures else DONE
