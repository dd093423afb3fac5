"""`quire eval curves`: what one setting does to quality and to latency."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE, State
from quire.columns import Column, table_lines
from quire.index_argument import INDEX, opened, place
from quire.step_line import StepLine
from quire.terminal import Screen, cut, harmless, typed

if TYPE_CHECKING:
    from engine.settings import SearchSettings
    from eval.collection import Judgements, Topic
    from eval.curves import Curve, Sweep
    from indexer.opening import Place

FOLDER = click.Path(path_type=Path)
EF = "ef"


@click.command("curves")
@INDEX
@click.argument("source", metavar="COLLECTION")
@click.option("--parameter", "-p", required=True, metavar="NAME", help="depth, alpha, ef, index, ...")
@click.option("--values", metavar="V,V,...", default="", help="The values; the current one is added.")
@click.option("--index", "others", multiple=True, metavar="NAME=INDEX", help="For -p index: another index.")
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Another setting, for all points."
)
@click.option("--split", default="", metavar="NAME", help="Which judgements of the collection.")
@click.option(
    "-m", "--measure", "names", multiple=True, metavar="MEASURE", help="Repeat for more (nDCG@10, R@100)."
)
@click.option(
    "--choose",
    "rule",
    type=click.Choice(["current", "knee", "best"]),
    default="current",
    help="Which point is marked: the current value, the fastest within 1% of the best, or the best (current).",
)
@click.option("--queries", type=click.IntRange(0), default=0, metavar="N", help="At most N queries (0: all).")
@click.option(
    "--timed", type=click.IntRange(1), default=100, metavar="N", help="Of these, at most N timed (100)."
)
@click.option("--out", type=FOLDER, default=Path(), metavar="FOLDER", help="Where files are written (here).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and write no files.")
@click.pass_obj
def eval_curves_command(
    state: State,
    index_path: Place,
    source: str,
    parameter: str,
    values: str,
    others: tuple[str, ...],
    changes: tuple[str, ...],
    split: str,
    names: tuple[str, ...],
    rule: str,
    queries: int,
    timed: int,
    out: Path,
    as_json: bool,
) -> int:
    """Measure quality, agreement with an exhaustive search, and latency at several values of one setting.

    COLLECTION is a BEIR folder or irds:NAME; a file of topics does for agreement and latency. Writes an SVG, a PNG
    and a JSON file. A setting is one of [search] in `quire config`, or ef, the width of the search in an HNSW graph;
    with -p index the values are indexes: other encoders, precisions, splits.
    """
    from eval.curves import chart, measure
    from eval.curves.curve import RULES
    from eval.measures import parse_measure

    settings = _settings(state, changes)
    topics, judgements, name = _asked(source, split)
    measures = [parse_measure(typed(name)) for name in dict.fromkeys(names or ("nDCG@10", "R@100"))]
    with ExitStack() as stack:
        sweep = _sweep(stack, index_path, parameter, values, others, settings)
        line = stack.enter_context(StepLine())
        curve = measure(
            sweep,
            topics,
            judgements,
            measures if judgements is not None else (),
            name=name,
            rule=next(one for one in RULES if one == rule),
            queries=queries,
            timed=timed,
            doing=line,
        )
    if as_json:
        click.echo(json.dumps(curve.to_json(), ensure_ascii=False, allow_nan=False))
        return DONE
    drawn = chart(curve)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{drawn.name}{suffix}" for suffix in (".svg", ".png", ".json")]
    drawn.save(paths[0])
    drawn.save(paths[1])
    curve.save(paths[2])
    for text in curve_lines(curve, Screen.of()):
        click.echo(text, color=True)
    click.echo(f"Written: {', '.join(map(str, paths))}")
    return DONE


def _settings(state: State, changes: tuple[str, ...]) -> SearchSettings:
    """Return the settings in use, with --set's changes."""
    from eval.curves.sweep import parameters, parsed

    settings = state.configuration().search
    for change in map(typed, changes):
        name, equals, text = change.partition("=")
        if not equals or name == EF or name not in parameters():
            known = ", ".join(one for one in parameters() if one != EF)
            raise click.UsageError(f"--set {change!r}: expected NAME=VALUE with a name of {known}")
        settings = replace(settings, **{name: parsed(name, text)})  # type: ignore[arg-type]
    return settings


def _asked(source: str, split: str) -> tuple[Mapping[str, Topic], Judgements | None, str]:
    """Return the topics, what is right where that is known, and the collection's name."""
    from eval.formats import read_collection, read_topics

    path = Path(typed(source))
    if path.is_file():
        if split:
            raise click.UsageError(
                f"--split chooses judgements of a collection; {source} is a file of topics"
            )
        return read_topics(path), None, path.name.partition(".")[0]
    collection = read_collection(typed(source), split=split)
    return collection.topics, collection.judgements, collection.name


def _sweep(
    stack: ExitStack,
    index_path: Place,
    parameter: str,
    values: str,
    others: tuple[str, ...],
    settings: SearchSettings,
) -> Sweep:
    from eval.curves import sweep, sweep_indexes
    from eval.curves.sweep import INDEX as INDEXES
    from eval.curves.sweep import parsed

    index = stack.enter_context(opened(index_path))
    if parameter != INDEXES:
        if others:
            raise click.UsageError(f"--index goes with -p {INDEXES}; found -p {parameter}")
        asked = [parsed(parameter, text.strip()) for text in typed(values).split(",") if text.strip()]
        if not asked:
            raise click.UsageError(f"--values names the values of {parameter}, separated by commas")
        return stack.enter_context(sweep(index, parameter, asked, settings))
    if values or not others:
        raise click.UsageError(
            f"with -p {INDEXES} name the other indexes: --index NAME=INDEX, and no --values"
        )
    indexes = {_name(index_path): index}
    for other in map(typed, others):
        name, equals, folder = other.partition("=")
        if not equals or not name or name in indexes:
            raise click.UsageError(f"--index {other!r}: expected NAME=INDEX, with a name of its own")
        indexes[name] = stack.enter_context(opened(place(folder)))
    return stack.enter_context(sweep_indexes(indexes, settings))


def _name(where: Place) -> str:
    """Return what a point of a curve calls an index: the last part of its path or address."""
    return where.resolve().name if isinstance(where, Path) else where.rpartition("/")[2]


def curve_lines(curve: Curve, screen: Screen) -> Iterator[str]:
    """Yield a curve as a table, the chosen point marked with a star."""
    chosen = curve.chosen_point
    title = f"{curve.parameter} on {curve.collection}, {queries_text(curve.queries)}"
    yield screen.style(cut(harmless(title), screen.width), "bold")
    columns = [
        Column(curve.parameter, [f"{_text(p.value)}{' *' if p is chosen else '  '}" for p in curve.points])
    ]
    for name in curve.measures:
        columns.append(Column(name, [f"{point.quality[name]:.4f}" for point in curve.points]))
        spans = [point.differences[name] for point in curve.points]
        columns.append(
            Column(
                "less marked",
                [f"{low:+.4f} to {high:+.4f}" if low or high else "–" for low, high in spans],
                2,
            )
        )
    if all(point.agreement is not None for point in curve.points):
        columns.append(Column("agreement", [f"{point.agreement or 0:.4f}" for point in curve.points]))
    columns.append(Column("p50 ms", [f"{point.p50:.1f}" for point in curve.points]))
    columns.append(Column("p95 ms", [f"{point.p95:.1f}" for point in curve.points], 1))
    yield from table_lines(columns, screen, "  ")
    said = f"* {_text(chosen.value)}: {curve.rule}."
    if curve.measures:
        said += " Less marked: the 95% interval of the difference from that point."
    if curve.against:
        said += f" Agreement: the first ten in common with {curve.against}."
    said += f" Latency: the first ten, {queries_text(curve.timed)}, each query's quickest of three."
    yield from (screen.style(line, "dim") for line in screen.wrap([(said, False)]))


def queries_text(count: int) -> str:
    """Return `1 query`, `2,000 queries`."""
    return f"{count:,} {'query' if count == 1 else 'queries'}"


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
