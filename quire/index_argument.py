"""INDEX on a command line: a folder, or an address on Elasticsearch; and the index that is there, opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from indexer.backend import DocumentIndex
    from indexer.elastic.settings import ElasticSettings
    from indexer.opening import Place


class PlaceType(click.ParamType):
    """The place of an index: a Path for a folder, a string for an address, which a Path would take a slash from."""

    name = "index"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Return the place that was typed."""
        from indexer.errors import InvalidSettings
        from indexer.opening import place_of

        try:
            return place_of(value)
        except InvalidSettings as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        """Complete the names of folders."""
        return [click.shell_completion.CompletionItem(incomplete, type="dir")]


PLACE = PlaceType()
INDEX = click.argument("index_path", metavar="INDEX", type=PLACE)


def elastic_settings() -> ElasticSettings:
    """Return what the configuration of the command that is running says of Elasticsearch."""
    from quire.cli import State

    state = click.get_current_context().find_object(State)
    return (state or State()).configuration().elasticsearch


def opened(place: Place) -> DocumentIndex:
    """Open the index in a folder, or at an address as [elasticsearch] says.

    Raises:
        IndexingError: there is none, or it cannot be opened.
    """
    from indexer.opening import is_address, open_index

    return open_index(place, elastic=elastic_settings() if is_address(place) else None)
