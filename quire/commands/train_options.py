"""What `quire train` and `quire mine` have in common: where the data are, and how a recipe comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from quire.cli import State
from quire.terminal import typed

if TYPE_CHECKING:
    from quire.training import DataSource, Recipe

Command = TypeVar("Command", bound=Callable[..., Any])
KINDS = ("judgements", "structure", "clicks", "preferences", "examples")
FOLDER = click.Path(path_type=Path, file_okay=False)
ALONE = ("resume", "quiet", "as_json")


def check_resumed_alone(ctx: click.Context, own: str) -> None:
    """Make sure that nothing is given beside --resume but how to show what it does.

    Args:
        ctx: The command, as it was called.
        own: What the run goes on with: its recipe, its settings.

    Raises:
        click.UsageError: something else is given; it names what.
    """
    others = [
        parameter.opts[-1]
        for parameter in ctx.command.params
        if parameter.name not in ALONE
        and ctx.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
    ]
    if others:
        raise click.UsageError(
            f"--resume goes on with the run's own {own}: leave {', '.join(others)} out, or begin a new run"
        )


def data_options(command: Command) -> Command:
    """Give a command the argument and the options that say where the data are, and how they are mined."""
    options = [
        click.argument("source", required=False, metavar="[INDEX | RECIPE.toml]"),
        click.option(
            "--judgements",
            multiple=True,
            metavar="COLLECTION",
            help="Judged queries: BEIR folder or irds:NAME.",
        ),
        click.option("--split", default="", metavar="NAME", help="Which judgements of the collections."),
        click.option("--structure", is_flag=True, help="Titles and headings of INDEX as queries."),
        click.option("--clicks", multiple=True, metavar="FILE", help="Clicks: query, doc_id, rank, clicked."),
        click.option(
            "--sessions", is_flag=True, help="Clicks by session, each list apart, in the place of rates."
        ),
        click.option(
            "--fit-positions", is_flag=True, help="Tell from the clicks how much each rank is looked at."
        ),
        click.option("--preferences", multiple=True, metavar="FILE", help="Rows of query, better, worse."),
        click.option("--queries", type=int, metavar="N", help="At most N queries of each source, by chance."),
        click.option("--negatives", type=int, metavar="N", help="Wrong answers mined for each query (7)."),
        click.option("--teacher", metavar="NAME", help="A reranker to mine with: the second round."),
        click.option("--seed", type=int, metavar="N", help="Of every choice by chance (0)."),
        click.option(
            "--collections", type=FOLDER, metavar="FOLDER", help="Where a recipe's collections are."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def recipe_from(state: State, options: Mapping[str, Any]) -> Recipe:
    """Return the recipe that the command line asks for: a file's, or one made of the options; changed by the others.

    Raises:
        click.UsageError: the options do not go together.
        InvalidTrainingSettings: what they say cannot be.
    """
    from quire.training.read import read_recipe
    from quire.training.recipe import Recipe

    configuration = state.configuration()
    given, source = [name for name in KINDS if options.get(name)], typed(options["source"] or "")
    if source.endswith(".toml"):
        if given or options["split"]:
            raise click.UsageError(
                f"{source} says what the data are; leave --{(given or ['split'])[0]} out, or write it there"
            )
        recipe = read_recipe(
            source,
            collections_folder=options["collections"],
            indexing=configuration.indexing,
            search=configuration.search,
        )
    else:
        data = _sources(source, given, options)
        recipe = Recipe(data=data, indexing=configuration.indexing, search=configuration.search)
    return _changed(recipe, options)


def _sources(index: str, given: Sequence[str], options: Mapping[str, Any]) -> tuple[DataSource, ...]:
    from quire.training.read import absolute
    from quire.training.recipe import DataSource

    if not given:
        raise click.UsageError(
            f"say what to learn from: a RECIPE.toml, or {', '.join(f'--{kind}' for kind in KINDS)} with an INDEX"
        )
    common: dict[str, Any] = {"queries": options["queries"] or 0}
    judged: dict[str, Any] = {"index": index, "split": options["split"]} | common
    found = [DataSource(collection=typed(name), **judged) for name in options["judgements"]]
    if options["structure"]:
        found.append(DataSource(structure=True, index=index, **common))
    found += [DataSource(clicks=typed(name), index=index, **common) for name in options["clicks"]]
    found += [DataSource(preferences=typed(name), index=index, **common) for name in options["preferences"]]
    found += [DataSource(examples=typed(name), **common) for name in options.get("examples", ())]
    return tuple(absolute(source) for source in found)


def _changed(recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    """Return a recipe changed by the options that were given."""
    from quire.training.read import model_path

    def some(*names: str, **renamed: str) -> dict[str, Any]:
        asked = {name: options.get(name) for name in names}
        asked |= {name: options.get(option) for name, option in renamed.items()}
        return {name: value for name, value in asked.items() if value is not None}

    training = some("base", "method", "objective", "epochs", "max_steps", "device", "threads", "seed")
    if "base" in training:
        training["base"] = model_path(typed(training["base"]))
    if options.get("max_steps") and options.get("epochs") is None:
        training["epochs"] = 0.0
    clicks: dict[str, Any] = {"by": "sessions"} if options["sessions"] else {}
    clicks |= {"fit": True} if options["fit_positions"] else {}
    replay = some(path="replay", share="replay_share")
    if "path" in replay:
        replay["path"] = str(replay["path"].resolve())
    return replace(
        recipe,
        training=replace(recipe.training, **training),
        mining=replace(recipe.mining, **some("negatives", "seed")),
        split=replace(recipe.split, **some("seed")),
        clicks=replace(recipe.clicks, **clicks),
        replay=replace(recipe.replay, **replay),
        teacher=model_path(typed(options["teacher"])) if options["teacher"] else recipe.teacher,
    )
