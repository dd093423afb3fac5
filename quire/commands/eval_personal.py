"""`quire eval personal`: does it get better because of who asks?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.cli import DONE
from quire.terminal import Screen, typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eval.collection import Judgements, Topic

FILE = click.Path(path_type=Path)


@click.command("personal")
@click.option("--events", "events_path", metavar="FILE", type=FILE, required=True, help="What readers did.")
@click.option("--qrels", "qrels_path", metavar="FILE", type=FILE, help="The judgements.")
@click.option("--topics", "topics_path", metavar="FILE", type=FILE, help="The queries: who asks, and when.")
@click.option("--collection", "source", metavar="COLLECTION", help="In place of both: a BEIR folder.")
@click.option("--split", default="", metavar="NAME", help="Which queries of the collection.")
@click.option("--anonymous", "anonymous_path", metavar="RUN", type=FILE, help="What everyone gets.")
@click.option("--personal", "personal_path", metavar="RUN", type=FILE, help="What each reader gets.")
@click.option(
    "--shuffled",
    "shuffled_path",
    metavar="RUN",
    type=FILE,
    help="The same made with another reader's history: the control.",
)
@click.option(
    "-m", "--measure", "names", multiple=True, metavar="MEASURE", help="By what; repeat for more (nDCG@10)."
)
@click.option("--hide-read", is_flag=True, help="Leave what the reader had read out of all lists.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0),
    default=0.01,
    metavar="X",
    help="A loss of no more is no harm (0.01).",
)
@click.option(
    "--test",
    type=click.Choice(["randomisation", "t", "wilcoxon"]),
    default="randomisation",
    help="The significance test, over readers (randomisation).",
)
@click.option(
    "--recommended", "recommended_paths", multiple=True, metavar="RUN", type=FILE,
    help="In place of queries: rankings by reader, judged on --future.",
)  # fmt: skip
@click.option("--future", "future_path", metavar="FILE", type=FILE, help="The events held out from --events.")
@click.option(
    "--cutoff", type=click.IntRange(1), default=10, metavar="K", help="Ranks that are looked at (10)."
)
@click.option(
    "--catalogue",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="How many documents there are (those named in the files).",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Of the bootstrap and the randomisation (0).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def eval_personal_command(
    events_path: Path,
    qrels_path: Path | None,
    topics_path: Path | None,
    source: str | None,
    split: str,
    anonymous_path: Path | None,
    personal_path: Path | None,
    shuffled_path: Path | None,
    names: tuple[str, ...],
    hide_read: bool,
    tolerance: float,
    test: str,
    recommended_paths: tuple[Path, ...],
    future_path: Path | None,
    cutoff: int,
    catalogue: int,
    seed: int,
    as_json: bool,
) -> int:
    """Judge a personalised run against the anonymous one: gain, control, harm, history, popularity.

    Runs may come from any engine. Each reader counts once. With --recommended and --future, judge recommendations
    without a query instead.
    """
    from eval.formats import read_run
    from eval.personal import personal_study, read_events

    if recommended_paths or future_path:
        if not recommended_paths or future_path is None:
            raise click.UsageError(
                "--recommended and --future belong together: the rankings, and what is right"
            )
        return _recommended(events_path, future_path, recommended_paths, cutoff, catalogue, seed, as_json)
    if anonymous_path is None or personal_path is None:
        raise click.UsageError("name two runs: --anonymous, what everyone gets, and --personal")
    judgements, topics = _judged(qrels_path, topics_path, source, split)
    study = personal_study(
        read_run(anonymous_path),
        read_run(personal_path),
        judgements,
        topics,
        read_events(events_path),
        shuffled=read_run(shuffled_path) if shuffled_path is not None else None,
        measures=[typed(name) for name in dict.fromkeys(names or ("nDCG@10",))],
        read="hide" if hide_read else "keep",
        tolerance=tolerance,
        cutoff=cutoff,
        catalogue=catalogue,
        test=test,  # type: ignore[arg-type]  # click checked it
        seed=seed,
    )
    if as_json:
        click.echo(json.dumps(study.to_json(), ensure_ascii=False, allow_nan=False))
        return DONE
    from quire.personal_lines import study_lines

    for line in study_lines(study, Screen.of()):
        click.echo(line, color=True)
    return DONE


def _judged(
    qrels_path: Path | None, topics_path: Path | None, source: str | None, split: str
) -> tuple[Judgements, Mapping[str, Topic]]:
    from eval.collection import Judgements
    from eval.formats import read_collection, read_qrels, read_topics

    if source is not None:
        if qrels_path is not None or topics_path is not None:
            raise click.UsageError("--collection stands for --qrels and --topics; give one or the others")
        collection = read_collection(source, split=split)
        return collection.judgements, collection.topics
    if qrels_path is None or topics_path is None:
        raise click.UsageError(
            "name the judgements with --qrels and the queries with --topics, or a --collection"
        )
    return Judgements(read_qrels(qrels_path)), read_topics(topics_path)


def _recommended(
    history_path: Path,
    future_path: Path,
    run_paths: tuple[Path, ...],
    cutoff: int,
    catalogue: int,
    seed: int,
    as_json: bool,
) -> int:
    from dataclasses import asdict

    from eval.formats import read_run
    from eval.personal import Split, read_events, recommendation_study
    from eval.personal.readers import finite

    split = Split(tuple(read_events(history_path)), tuple(read_events(future_path)))
    runs = [read_run(path) for path in run_paths]
    found = recommendation_study(runs, split, cutoff=cutoff, catalogue=catalogue, seed=seed)
    if as_json:
        click.echo(json.dumps(finite([asdict(one) for one in found]), ensure_ascii=False, allow_nan=False))
        return DONE
    from quire.personal_lines import recommended_lines

    for line in recommended_lines(found, Screen.of()):
        click.echo(line, color=True)
    return DONE
