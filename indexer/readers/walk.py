"""Which files a folder holds: sorted, each folder once, without what is hidden or ignored."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from indexer.document import ReadFailure
from indexer.readers.beir import corpus_file
from indexer.readers.options import ReadOptions

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".quireignore"


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read.

    Args:
        path: Where it is.
        name: Its path relative to the root, with `/` between the parts.
        beir: Whether it is the corpus of a BEIR folder.
        skipped: Why it is not read, as a word for counting; empty for a file that is.
    """

    path: Path
    name: str
    beir: bool = False
    skipped: str = ""


def walk(root: Path, options: ReadOptions) -> Iterator[Found | ReadFailure]:
    """Yield the files under `root` by name, folders in their place among them.

    Left out are: names with a dot in front (unless `options.hidden`), what `.quireignore` files (gitignore style, each
    for its own folder and below) or `options.ignore` match, folders already walked by another way, and, counted as
    skipped, sockets and the like, and linked folders unless `options.follow_links`.

    A folder with a `corpus.jsonl` or `corpus.jsonl.gz` is one BEIR collection: that file is yielded, the rest skipped.
    """
    seen: set[tuple[int, int]] = set()
    stack: list[tuple[Path, str, tuple[_Rules, ...]]] = [(root, "", _given(options))]
    while stack:
        path, name, rules = stack.pop()
        if name and not _is_folder(path):
            yield _file(path, name)
            continue
        try:
            status = path.stat()
            entries = sorted(os.scandir(path), key=lambda entry: entry.name, reverse=True)
            here = _rules_of(path, name)
        except OSError as error:
            yield ReadFailure(str(path), f"is a folder that cannot be read: {error.strerror or error}")
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        rules = (*rules, here) if here else rules
        corpus = corpus_file({entry.name for entry in entries})
        for entry in entries:
            inner = f"{name}/{entry.name}" if name else entry.name
            if entry.name.startswith(".") and not options.hidden:
                continue
            folder = _is_folder(Path(entry.path))
            if _ignored(inner, folder, rules):
                continue
            if corpus:
                yield Found(
                    Path(entry.path),
                    inner,
                    entry.name == corpus,
                    "" if entry.name == corpus else "beside corpus.jsonl",
                )
            elif folder and entry.is_symlink() and not options.follow_links:
                yield Found(Path(entry.path), inner, skipped="linked folder")
            else:
                stack.append((Path(entry.path), inner, rules))


@dataclass(frozen=True, slots=True)
class _Rules:
    folder: str
    spec: GitIgnoreSpec

    def verdict(self, name: str, folder: bool) -> bool | None:
        """Return whether these rules ignore (True) or keep (False) a path, or None where they say nothing."""
        inner = str(PurePosixPath(name).relative_to(self.folder)) if self.folder else name
        return self.spec.check_file(inner + "/" if folder else inner).include


def _given(options: ReadOptions) -> tuple[_Rules, ...]:
    return (_rules("", list(options.ignore)),) if options.ignore else ()


def _rules_of(folder: Path, name: str) -> _Rules | None:
    file = folder / IGNORE_FILE
    if not file.is_file():
        return None
    return _rules(name, file.read_text(encoding="utf-8-sig", errors="replace").splitlines())


def _rules(name: str, lines: list[str]) -> _Rules:
    from pathspec import GitIgnoreSpec

    return _Rules(name, GitIgnoreSpec.from_lines(lines))


def _ignored(name: str, folder: bool, rules: tuple[_Rules, ...]) -> bool:
    verdicts = [verdict for each in rules if (verdict := each.verdict(name, folder)) is not None]
    return bool(verdicts) and verdicts[-1]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _file(path: Path, name: str) -> Found:
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError:
        regular = True
    return Found(path, name, skipped="" if regular else "no ordinary file")
