"""`quire eval audit`: has a system found a shortcut? What a field or length alone is worth, and what it explains."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.columns import Column, table_lines
from quire.commands.eval_compare import FILE, read_runs
from quire.comparison_lines import DASH, interval_text, p_text, signed
from quire.index_argument import opened, place
from quire.terminal import Screen, cut, harmless, typed

if TYPE_CHECKING:
    from eval.audit import Audit
    from eval.collection import Collection
    from indexer.opening import Place


@click.command("audit")
@click.argument("source", metavar="COLLECTION")
@click.argument("run_paths", nargs=-1, required=True, metavar="RUN...", type=FILE)
@click.option(
    "--baseline",
    "baseline_path",
    metavar="RUN",
    required=True,
    type=FILE,
    help="What gains are counted from.",
)
@click.option("--split", default="", metavar="NAME", help="Which judgements of the collection.")
@click.option("-m", "--measure", "name", default="nDCG@10", metavar="MEASURE", help="By what (nDCG@10).")
@click.option(
    "--index", "index_path", metavar="INDEX", type=place, help="An index of COLLECTION: counts passages too."
)
@click.option(
    "--depth", type=click.IntRange(1), default=100, metavar="N", help="How much of each run counts (100)."
)
@click.option(
    "--top", type=click.IntRange(1), default=10, metavar="N", help="Preference is seen in the first N (10)."
)
@click.option("--seed", type=int, default=0, metavar="N", help="Of random orders and the bootstrap (0).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def eval_audit_command(
    source: str,
    run_paths: tuple[Path, ...],
    baseline_path: Path,
    split: str,
    name: str,
    index_path: Place | None,
    depth: int,
    top: int,
    seed: int,
    as_json: bool,
) -> int:
    """Rank COLLECTION's candidates by each metadata field and by length; say how much of a RUN's gain that explains.

    A field that ranks well alone is a leak of the collection, or a fact about it. A gain that it explains could be had
    without reading the query.
    """
    from eval.audit import audit
    from eval.formats import read_collection
    from eval.measures import parse_measure

    collection = read_collection(typed(source), split=split)
    baseline, *systems = read_runs([baseline_path, *run_paths])
    found = audit(
        collection,
        baseline,
        systems,
        parse_measure(typed(name)),
        passages=None if index_path is None else _passages(index_path, collection),
        depth=depth,
        top=top,
        seed=seed,
    )
    if as_json:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, allow_nan=False))
        return DONE
    for line in audit_lines(found, baseline.name, Screen.of()):
        click.echo(line, color=True)
    return DONE


def _passages(index_path: Place, collection: Collection) -> dict[str, int]:
    """Return the passages of each document that the index holds.

    Raises:
        click.UsageError: it holds none of the collection's.
    """
    with opened(index_path) as index:
        reader = index.reader()
        stored = (reader.find(document.doc_id) for document in collection.documents())
        passages = {document.doc_id: document.passages for document in stored if document is not None}
    if not passages:
        raise click.UsageError(
            f"--index {index_path}: holds no document of {collection.name}; name an index of that collection"
        )
    return passages


def audit_lines(found: Audit, baseline: str, screen: Screen) -> Iterator[str]:
    """Yield the audit as a person reads it: shortcuts alone beside chance and the systems, then what they explain."""
    head = f"{found.measure} on {found.queries:,} queries of {found.collection}"
    yield screen.style(cut(harmless(head), screen.width), "bold")
    yield ""
    which = "those judged" if found.judged_only else "what the runs found"
    text = f"Alone, as an order of a query's {found.candidates:.0f} candidates ({which}):"
    yield from screen.wrap([(text, False)])
    yield from table_lines(_alone_columns(found), screen, "  ")
    for system in dict.fromkeys(row.system for row in found.explained):
        rows = [row for row in found.explained if row.system == system]
        gain = f"{signed(rows[0].gain)}, {interval_text(rows[0].gain_interval, sign=True)}"
        yield ""
        yield from screen.wrap([(f"What explains {system}'s difference to {baseline} ({gain}):", False)])
        columns = [
            Column("shortcut", [row.shortcut for row in rows], left=True),
            Column("it prefers", [row.prefers for row in rows], left=True),
            Column(
                "place",
                [f"{row.baseline_exposure:.1%} to {row.exposure:.1%}" for row in rows],
                rank=1,
            ),
            Column("adds", [signed(row.added) for row in rows], rank=2),
            Column("is missed", [signed(row.missed) for row in rows], rank=2),
            Column("explains", [signed(row.explained) for row in rows]),
            Column("its interval", [interval_text(row.interval, sign=True) for row in rows]),
            Column("share", [DASH if row.share is None else f"{round(100 * row.share)}%" for row in rows]),
        ]
        yield from table_lines(columns, screen, "  ")
    yield ""
    for field, reason in found.skipped.items():
        yield from screen.wrap([(f"{field} orders nothing: {reason}.", False)], "  ", "! ")
    yield from (screen.style(line, "dim") for line in screen.wrap([(_LEGEND, False)]))


_LEGEND = (
    "p: paired t-test against a random order, corrected by Holm over all shortcuts. Explains: the mean of what the "
    "same preference adds to the baseline and what the system loses without it. Place: of the first documents among "
    "all of the collection, 100% being the largest, newest or commonest. Intervals: 95%. No share where the "
    "difference itself may be 0."
)


def _alone_columns(found: Audit) -> list[Column]:
    ours = list(found.systems.items())
    blank = [""] * (len(ours) + 1)
    rows = found.alone
    return [
        Column(
            "ranked by", [*(name for name, _ in ours), *(row.shortcut for row in rows), "chance"], left=True
        ),
        Column("", [*blank[1:], *(row.first for row in rows), ""], left=True),
        Column(
            "mean",
            [
                *(f"{mean:.4f}" for _, mean in ours),
                *(f"{row.mean:.4f}" for row in rows),
                f"{found.chance:.4f}",
            ],
        ),
        Column("its interval", [*blank[1:], *(interval_text(row.interval) for row in rows), ""], rank=1),
        Column("over chance", [*blank[1:], *(signed(row.over_chance) for row in rows), ""]),
        Column("corrected p", [*blank[1:], *(p_text(row.corrected_p) for row in rows), ""]),
        Column("documents with it", [*blank[1:], *(f"{row.coverage:.0%}" for row in rows), ""], rank=2),
    ]
