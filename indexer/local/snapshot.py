"""Snapshots of a tantivy folder by hard links: what readers open, and what the next writer starts from.

tantivy never changes a segment file, it only replaces `meta.json`; so a snapshot is a copy of that file and
links to the segments it names. Merges in the background may replace it and delete segments at any moment:
the copy is taken again until `meta.json` is the same before and after.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

from indexer.errors import IndexCorrupt
from indexer.local.durable import sync_folder

_META = "meta.json"
_MANAGED = ".managed.json"
_TRIES = 100


def take(source: Path, target: Path) -> None:
    """Make `target` a snapshot of the tantivy folder `source`; it appears whole or not at all.

    Raises:
        IndexCorrupt: `source` is no tantivy folder, or lacks files that it names.
    """
    beside = target.with_name(f".{target.name}.new")
    for _ in range(_TRIES):
        shutil.rmtree(beside, ignore_errors=True)
        if _copy(source, beside):
            break
    else:
        raise IndexCorrupt(f"{source} lacks segments that its {_META} names")
    sync_folder(beside)
    shutil.rmtree(target, ignore_errors=True)
    beside.replace(target)
    sync_folder(target.parent)


def _copy(source: Path, beside: Path) -> bool:
    beside.mkdir()
    try:
        meta = (source / _META).read_bytes()
        segments = [segment["segment_id"].replace("-", "") for segment in json.loads(meta)["segments"]]
    except (OSError, ValueError, KeyError) as error:
        raise IndexCorrupt(f"{source / _META} cannot be read: {error}") from error
    try:
        for file in sorted(source.iterdir()):
            if file.name.split(".")[0] in segments:
                _link(file, beside / file.name)
        managed = (source / _MANAGED).read_bytes()
        unchanged = (source / _META).read_bytes() == meta
    except FileNotFoundError:
        return False
    for name, content in ((_MANAGED, managed), (_META, meta)):
        with (beside / name).open("wb") as file_object:
            file_object.write(content)
            file_object.flush()
            os.fsync(file_object.fileno())
    return unchanged


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS):
            raise
        shutil.copyfile(file, target)  # a file system without hard links
