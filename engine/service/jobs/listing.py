"""Which files the paths of a job stand for: those that `quire index` would read, none outside."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from engine.service.jobs.job import Refusal
from engine.service.jobs.roots import Accepted, Roots
from indexer.document import ReadFailure
from indexer.readers import SUPPORTED_SUFFIXES, ReadOptions
from indexer.readers.formats import UNREAD_DOCUMENTS, suffix_of
from indexer.readers.walk import Found, walk


def listed_under(
    accepted: Sequence[Sequence[str]], roots: Roots, options: ReadOptions
) -> Iterator[dict[str, Any]]:
    """Yield what there is under some paths.

    Args:
        accepted: Pairs as `Accepted` holds them.
        roots: Where files may be.
        options: Which files are left out.

    Returns:
        Of every file to read `{"file": [path, name, kind, walked]}`; of every one that is passed over
        `{"skipped": reason}`; of what cannot be read `{"refused": [source, reason]}`. No file comes twice.
    """
    seen: set[str] = set()
    for pair in accepted:
        each = Accepted(*pair)
        if not os.path.isdir(each.path):
            if each.path not in seen:
                seen.add(each.path)
                yield {"file": [each.path, each.name, "", False]}
            continue
        for found in walk(Path(each.path), options):
            if isinstance(found, ReadFailure):
                refusal = Refusal.of(
                    (each.name + found.source.removeprefix(each.path)).lstrip("/"), found.reason
                )
                yield {"refused": [refusal.source, refusal.reason]}
            elif found.skipped or not _wanted(found.name):
                yield {"skipped": found.skipped or suffix_of(found.name)[0]}
            elif not _closed(found, roots) and str(found.path) not in seen:
                seen.add(str(found.path))
                name = f"{each.name}/{found.name}" if each.name else found.name
                yield {"file": [str(found.path), name, "", True]}


def _wanted(name: str) -> bool:
    """Return whether a file is of a kind that is read, may be, or ought to be told that it is not."""
    suffix, packed = suffix_of(name)
    return suffix in SUPPORTED_SUFFIXES or suffix in UNREAD_DOCUMENTS or not (suffix or packed)


def _closed(found: Found, roots: Roots) -> bool:
    """Return whether a file is one of the index's or the service's own, which is nobody's document."""
    return roots.closes(os.path.realpath(found.path))
