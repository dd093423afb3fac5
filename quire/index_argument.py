"""INDEX on a command line: a folder, or an address on Elasticsearch; and the index that is there, opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import click.shell_completion

if TYPE_CHECKING:
    from indexer.backend import DocumentIndex
    from indexer.elastic.settings import ElasticSettings
    from indexer.opening import Place


def place(text: str) -> Place:
    """Return the place of an index that was typed: a Path for a folder; for an address a string, as paths lose a slash.

    Raises:
        click.BadParameter: it is neither.
    """
    from indexer.errors import InvalidSettings
    from indexer.opening import place_of

    try:
        return place_of(text)
    except InvalidSettings as error:
        raise click.BadParameter(str(error)) from error


def _folders(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[click.shell_completion.CompletionItem]:
    return [click.shell_completion.CompletionItem(incomplete, type="dir")]


INDEX = click.argument("index_path", metavar="INDEX", type=place, shell_complete=_folders)


def elastic_settings() -> ElasticSettings:
    """Return what the configuration says of Elasticsearch: that of the command that is running, if one is."""
    from quire.cli import State

    context = click.get_current_context(silent=True)
    state = None if context is None else context.find_object(State)
    return (state or State()).configuration().elasticsearch


def opened(where: Place) -> DocumentIndex:
    """Open the index in a folder, or at an address as [elasticsearch] says.

    Raises:
        IndexingError: there is none, or it cannot be opened.
    """
    from indexer.elastic.address import is_address
    from indexer.opening import open_index

    return open_index(where, elastic=elastic_settings() if is_address(where) else None)
