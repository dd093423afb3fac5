"""`quire eval measure`: what runs are worth, over all queries, by query, by user."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from quire.cli import DONE
from quire.columns import Column, table_lines
from quire.commands.eval_compare import judged, read_runs
from quire.terminal import Screen, typed

if TYPE_CHECKING:
    from eval.collection import Collection, Judgements
    from eval.measures import Evaluation, Measure

FILE = click.Path(path_type=Path)
USUAL = ("nDCG@10", "AP", "RR@10", "P@10", "R@100")


@click.command("measure")
@click.argument("run_paths", nargs=-1, required=True, metavar="RUN...", type=FILE)
@click.option("--qrels", "qrels_path", metavar="FILE", type=FILE, help="The judgements.")
@click.option(
    "--collection", "source", metavar="COLLECTION", help="In place of --qrels: a BEIR folder or irds:NAME."
)
@click.option("--split", default="", metavar="NAME", help="Which judgements of the collection.")
@click.option(
    "--evidence", metavar="FILE", type=FILE, help="Spans that answer, for SpanRecall@k and the like."
)
@click.option("--subtopics", metavar="FILE", type=FILE, help="Judgements of subtopics, for alpha_nDCG@k.")
@click.option("--topics", "topics_path", metavar="FILE", type=FILE, help="The queries' users, for --by-user.")
@click.option(
    "-m",
    "--measure",
    "names",
    multiple=True,
    metavar="MEASURE",
    help=f"What to compute; repeat for more ({', '.join(USUAL)}).",
)
@click.option("--per-query", is_flag=True, help="Show every query.")
@click.option("--by-user", is_flag=True, help="Show each user's mean.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def eval_measure_command(
    run_paths: tuple[Path, ...],
    qrels_path: Path | None,
    source: str | None,
    split: str,
    evidence: Path | None,
    subtopics: Path | None,
    topics_path: Path | None,
    names: tuple[str, ...],
    per_query: bool,
    by_user: bool,
    as_json: bool,
) -> int:
    """Measure each RUN against judgements. A judged query that a run does not answer counts with 0.

    Measures are named as in nDCG@10, R@100, AP, RBP(p=0.9), SpanRecall@5, Latency(p95); docs/measures.md has all. Files
    may be TREC's, .jsonl, .csv, .tsv or .parquet.
    """
    from eval.formats import read_evidence, read_subtopics
    from eval.measures import evaluate, parse_measure

    measures = list(dict.fromkeys(parse_measure(typed(name)) for name in names or USUAL))
    judgements, collection = judged(qrels_path, source, split)
    if evidence is not None:
        judgements = replace(judgements, evidence=read_evidence(evidence))
    if subtopics is not None:
        judgements = replace(judgements, subtopics=read_subtopics(subtopics))
    users = _users(topics_path, collection) if by_user else {}
    evaluations = [evaluate(run, judgements, measures) for run in read_runs(run_paths)]
    if as_json:
        runs = [_plain(evaluation, measures, per_query, users) for evaluation in evaluations]
        click.echo(json.dumps({"queries": len(judgements.qrels), "runs": runs}, ensure_ascii=False))
        return DONE
    screen = Screen.of()
    for line in _lines(evaluations, measures, judgements, screen):
        click.echo(line, color=True)
    for evaluation in evaluations:
        if per_query:
            for line in _details(evaluation, measures, _by_query(evaluation), "query", screen):
                click.echo(line, color=True)
        if by_user:
            for line in _details(evaluation, measures, _by_user(evaluation, users), "user", screen):
                click.echo(line, color=True)
    return DONE


def _users(topics_path: Path | None, collection: Collection | None) -> dict[str, str]:
    from eval.formats import read_topics

    if topics_path is None and collection is None:
        raise click.UsageError("--by-user needs the queries' users: name the queries' file with --topics")
    topics = read_topics(topics_path) if topics_path else collection.topics if collection else {}
    return {query: topic.user_id for query, topic in topics.items() if topic.user_id is not None}


def _lines(
    evaluations: Sequence[Evaluation], measures: Sequence[Measure], judgements: Judgements, screen: Screen
) -> Iterator[str]:
    """Yield what is incomplete, and a row for each run."""
    for evaluation in evaluations:
        for notice in _notices(evaluation, judgements):
            yield from screen.wrap([(notice, False)], "  ", "! ")
    yield screen.style(f"Over {_queries(len(judgements.qrels), 'judged ')}", "bold")
    columns = [Column("run", [evaluation.run for evaluation in evaluations], left=True)]
    for measure in measures:
        values = [evaluation.mean(measure) for evaluation in evaluations]
        columns.append(Column(str(measure), [_number(value, measure) for value in values]))
    yield from table_lines(columns, screen, "  ")


def _notices(evaluation: Evaluation, judgements: Judgements) -> Iterator[str]:
    if evaluation.unanswered:
        yield (
            f"{evaluation.run} does not answer {len(evaluation.unanswered):,} of {len(judgements.qrels):,} judged "
            f"queries ({_some(evaluation.unanswered)}); they count as if it had found nothing."
        )
    if evaluation.unjudged:
        yield (
            f"{evaluation.run} answers {_queries(len(evaluation.unjudged))} that nobody judged "
            f"({_some(evaluation.unjudged)}); they count nowhere."
        )


def _queries(count: int, kind: str = "") -> str:
    return f"{count:,} {kind}{'query' if count == 1 else 'queries'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


Rows = Mapping[str, Mapping[str, float]]


def _by_query(evaluation: Evaluation) -> Rows:
    """Return query to measure to value, queries in the judgements' order."""
    rows: dict[str, dict[str, float]] = {}
    for measure, values in evaluation.values.items():
        for query, value in values.items():
            rows.setdefault(query, {})[str(measure)] = value
    return rows


def _by_user(evaluation: Evaluation, users: Mapping[str, str]) -> Rows:
    rows: dict[str, dict[str, float]] = {}
    for measure in evaluation.values:
        for user, value in evaluation.by_user(measure, users).items():
            rows.setdefault(user, {})[str(measure)] = value
    return rows


def _details(
    evaluation: Evaluation, measures: Sequence[Measure], rows: Rows, what: str, screen: Screen
) -> Iterator[str]:
    yield ""
    yield screen.style(f"{evaluation.run}, by {what}", "bold")
    columns = [Column(what, list(rows), left=True)]
    for measure in measures:
        name = str(measure)
        entries = [_number(row[name], measure) if name in row else "–" for row in rows.values()]
        columns.append(Column(name, entries))
    yield from table_lines(columns, screen, "  ")


def _number(value: float, measure: Measure) -> str:
    if str(measure).startswith("Latency"):
        return f"{value:.1f} ms"
    return f"{value:,.0f}" if str(measure).startswith("Num") else f"{value:.4f}"


def _plain(
    evaluation: Evaluation, measures: Sequence[Measure], per_query: bool, users: Mapping[str, str]
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "run": evaluation.run,
        "measures": {str(measure): evaluation.mean(measure) for measure in measures},
        "unanswered": list(evaluation.unanswered),
        "unjudged": list(evaluation.unjudged),
    }
    if per_query:
        document["per_query"] = _by_query(evaluation)
    if users:
        document["by_user"] = _by_user(evaluation, users)
    return document
