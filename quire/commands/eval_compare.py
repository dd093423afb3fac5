"""`quire eval compare`: which run is better, by how much, how surely, on which queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from quire.cli import DONE
from quire.comparison_lines import case_lines, comparison_lines
from quire.terminal import Screen, harmless, typed

if TYPE_CHECKING:
    from eval.collection import Collection, Judgements
    from eval.comparison import QueryCase
    from eval.measures import Evaluation
    from eval.run import Run

    Cases: TypeAlias = tuple[Sequence[QueryCase], Sequence[QueryCase]]

FILE = click.Path(path_type=Path)
BEGINNING = 80  # characters of a document's text that stand for a title


@click.command("compare")
@click.argument("run_paths", nargs=-1, required=True, metavar="BASELINE RUN...", type=FILE)
@click.option("--qrels", "qrels_path", metavar="FILE", type=FILE, help="The judgements.")
@click.option(
    "--collection", "source", metavar="COLLECTION", help="In place of --qrels: a BEIR folder or irds:NAME."
)
@click.option("--split", default="", metavar="NAME", help="Which judgements of the collection.")
@click.option("--topics", "topics_path", metavar="FILE", type=FILE, help="The queries' texts, for --queries.")
@click.option(
    "-m", "--measure", "names", multiple=True, metavar="MEASURE", help="By what; repeat for more (nDCG@10)."
)
@click.option("--all-pairs", is_flag=True, help="Compare every pair, not only each with the first.")
@click.option(
    "--test",
    type=click.Choice(["t", "wilcoxon", "randomisation"]),
    default="t",
    help="The significance test (t, paired).",
)
@click.option(
    "--correction",
    type=click.Choice(["holm", "benjamini-hochberg", "none"]),
    default="holm",
    help="Over all comparisons and measures shown (holm).",
)
@click.option(
    "--level",
    type=click.FloatRange(0.5, 1, max_open=True),
    default=0.95,
    metavar="L",
    help="Of the intervals; a difference is marked where p is under 1 - L (0.95).",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Of the bootstrap and the randomisation (0).")
@click.option(
    "--queries", "count", type=click.IntRange(0), default=0, metavar="N", help="Show N queries each way."
)
@click.option(
    "--hits", "shown", type=click.IntRange(1), default=5, metavar="N", help="And N hits of each (5)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def eval_compare_command(
    run_paths: tuple[Path, ...],
    qrels_path: Path | None,
    source: str | None,
    split: str,
    topics_path: Path | None,
    names: tuple[str, ...],
    all_pairs: bool,
    test: str,
    correction: str,
    level: float,
    seed: int,
    count: int,
    shown: int,
    as_json: bool,
) -> int:
    """Compare each RUN with BASELINE: means, intervals, corrected significance, queries won and lost.

    p-values are corrected for everything that one call compares, so ask for the measures that the claim rests on.
    """
    from eval.comparison import compare, extremes
    from eval.measures import evaluate, parse_measure

    if len(run_paths) < 2:
        raise click.UsageError("name two runs at least: the baseline, then what is compared with it")
    measures = [parse_measure(typed(name)) for name in dict.fromkeys(names or ("nDCG@10",))]
    judgements, collection = judged(qrels_path, source, split)
    runs = read_runs(run_paths)
    evaluations = [evaluate(run, judgements, measures) for run in runs]
    comparison = compare(
        evaluations,
        None if all_pairs else runs[0].name,
        measures,
        test=test,
        correction=correction,
        level=level,
        seed=seed,
    )
    titles = _titles(collection, runs, shown) if count and collection is not None else {}
    texts = _texts(topics_path, collection) if count else {}
    found = {
        evaluation.run: extremes(
            evaluation,
            evaluations[0],
            measures[0],
            texts,
            run.rankings,
            runs[0].rankings,
            judgements.qrels,
            titles=titles,
            count=count,
            shown=shown,
        )
        for run, evaluation in zip(runs[1:], evaluations[1:], strict=True)
        if count
    }
    notices = [notice for evaluation in evaluations for notice in _notices(evaluation, len(judgements.qrels))]
    if as_json:
        document = comparison.to_json() | {"notices": notices} | ({"queries": _plain(found)} if count else {})
        click.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return DONE
    screen = Screen.of()
    for notice in notices:
        for line in screen.wrap([(notice, False)], "  ", "! "):
            click.echo(line)
    for line in comparison_lines(comparison, screen):
        click.echo(line, color=True)
    if found:
        click.echo()
    for name, (lost, gained) in found.items():
        for line in case_lines(lost, gained, name, runs[0].name, str(measures[0]), screen):
            click.echo(line, color=True)
    return DONE


def judged(qrels_path: Path | None, source: str | None, split: str) -> tuple[Judgements, Collection | None]:
    """Return the judgements that the options name, and the collection where it is one.

    Raises:
        click.UsageError: neither or both are named.
    """
    from eval.collection import Judgements
    from eval.formats import read_collection, read_qrels

    if (qrels_path is None) == (source is None):
        raise click.UsageError("name the judgements: a file with --qrels, or a collection with --collection")
    if qrels_path is not None:
        return Judgements(read_qrels(qrels_path)), None
    collection = read_collection(typed(str(source)), split=split)
    return collection.judgements, collection


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Return the runs of files, by the names that they give themselves; by their files' where two give the same."""
    from eval.formats import read_run

    runs = [read_run(path) for path in paths]
    names = [run.name for run in runs]
    stems = [path.name.removesuffix(".gz").rpartition(".")[0] or path.name for path in paths]
    for instead in (stems, [str(path) for path in paths]):
        if len(set(names)) < len(names):
            names = instead
    return [replace(run, name=harmless(name)) for run, name in zip(runs, names, strict=True)]


def _plain(found: Mapping[str, Cases]) -> dict[str, Any]:
    return {
        name: {"lost": [case.to_json() for case in lost], "gained": [case.to_json() for case in gained]}
        for name, (lost, gained) in found.items()
    }


def _texts(topics_path: Path | None, collection: Collection | None) -> dict[str, str]:
    from eval.formats import read_topics

    if topics_path is not None:
        return {query: topic.text for query, topic in read_topics(topics_path).items()}
    return {} if collection is None else {query: topic.text for query, topic in collection.topics.items()}


def _notices(evaluation: Evaluation, queries: int) -> list[str]:
    missing = len(evaluation.unanswered)
    if not missing:
        return []
    return [
        f"{evaluation.run} answers {queries - missing:,} of {queries:,} judged queries; the others count as if it had "
        "found nothing."
    ]


def _titles(collection: Collection, runs: Sequence[Run], shown: int) -> dict[str, str]:
    """Return titles, or beginnings of texts, of all documents that may be shown."""
    wanted = {doc_id for run in runs for ranking in run.rankings.values() for doc_id in list(ranking)[:shown]}
    return {
        document.doc_id: document.title or document.text[:BEGINNING]
        for document in collection.documents()
        if document.doc_id in wanted
    }
