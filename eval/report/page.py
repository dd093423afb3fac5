"""The report as one HTML file: nothing is fetched, everything is readable without scripts, all text is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from eval.errors import MissingDependency
from eval.experiment.result import ExperimentResult
from eval.report.figure import DARK, LIGHT, Chart
from eval.report.gather import gather
from indexer.local.durable import replace_atomically

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = "templates"


def html_report(result: ExperimentResult, curves: Sequence[Chart] = ()) -> str:
    """Return the report as HTML. Equal results give equal text.

    Args:
        result: What an experiment found.
        curves: Figures of quality against a setting, to be shown after the collections.

    Raises:
        MissingDependency: jinja2, matplotlib or scipy is not installed.
    """
    environment = _environment()
    folder = files(__package__).joinpath(_TEMPLATES)
    css = folder.joinpath("report.css").read_text("utf-8")
    css = css.replace("THEME_LIGHT", _variables(LIGHT)).replace("THEME_DARK", _variables(DARK))
    from markupsafe import Markup

    return environment.get_template("report.html.jinja").render(
        report=gather(result, curves),
        css=Markup(css),
        script=Markup(folder.joinpath("report.js").read_text("utf-8")),
    )


def write_report(result: ExperimentResult, path: str | Path, curves: Sequence[Chart] = ()) -> None:
    """Write the report to a file, whole or not at all; see `html_report`."""
    replace_atomically(Path(path), html_report(result, curves).encode())


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingDependency("jinja2", "writing a report") from error
    return Environment(
        loader=PackageLoader(__package__, _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _variables(theme: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in theme.items())
