"""What the commands about readers share: the tenant's option, and the store of an index's readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quire.index_argument import elastic_settings, opened

if TYPE_CHECKING:
    from engine.personal.readers import Readers
    from indexer.opening import Place

USER = click.argument("user_id", metavar="USER")
TENANT = click.option("--tenant", default="default", metavar="NAME", help="Whose readers (default).")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_readers(index_path: Place, tenant: str, *, writing: bool = False) -> Readers:
    """Open the readers of an index.

    Args:
        index_path: The folder, or the address.
        tenant: Whose.
        writing: Whether there may be something new: then it has to be an index that can be opened. Looking at
            what there is, and erasing it, asks for no more than the folder, or the server.

    Raises:
        NoSuchIndex: there is no folder.
        IndexingError: it is none of an index.
        SearchError: the readers' store is damaged, or does not answer.
    """
    from engine.errors import NoSuchIndex
    from engine.personal.opening import open_readers as opened_readers

    if writing:
        opened(index_path).close()
    elif isinstance(index_path, Path) and not index_path.is_dir():
        raise NoSuchIndex(f"{index_path} is not a folder; name the folder of an index")
    return opened_readers(
        index_path, tenant, elastic=None if isinstance(index_path, Path) else elastic_settings()
    )
