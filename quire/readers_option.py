"""What the commands about readers share: the tenant's option, and the store of an index's readers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.personal.store import ReaderStore

USER = click.argument("user_id", metavar="USER")
TENANT = click.option("--tenant", default="default", metavar="NAME", help="Whose readers (default).")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_readers(index_path: Path, tenant: str, *, writing: bool = False) -> ReaderStore:
    """Open the store of the readers of an index.

    Args:
        index_path: The folder.
        tenant: Whose.
        writing: Whether there may be something new: then it has to be an index that can be opened. Looking at
            what there is, and erasing it, asks for no more than the folder.

    Raises:
        NoSuchIndex: there is no folder.
        IndexingError: it is none of an index.
        ReaderStoreError: the file of readers is damaged.
    """
    from engine.errors import NoSuchIndex
    from engine.personal.store import ReaderStore
    from indexer.index import Index

    if writing:
        Index.open(index_path).close()
    elif not index_path.is_dir():
        raise NoSuchIndex(f"{index_path} is not a folder; name the folder of an index")
    return ReaderStore.open(index_path, tenant)
