"""What TREC's formats of columns between spaces share: how a line is divided, and which names fit into one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from eval.errors import FormatError, InvalidEvaluation
from eval.formats.lines import numbered_lines

SUFFIXES = frozenset((".run", ".trec", ".txt", ".qrels", ".topics", ".res", ".results"))
"""The suffixes that are written in TREC's formats. On reading, every unknown suffix is taken for TREC's too."""

_LOOKS = {4: "four are judgements", 6: "six are a run"}
_DIVIDES = re.compile("[\\s\x00\ud800-\udfff]|^[\ufeff#]|^$")


def columns(path: Path, expected: str) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each line's columns and number. As in trec_eval, only ASCII blanks divide columns.

    Lines that begin with # are comments, as they are for trec_eval from version 10.

    Args:
        path: The file.
        expected: The columns' names between spaces, for messages: as many have to be there.

    Raises:
        FormatError: a line has another number of columns.
    """
    count = len(expected.split())
    for number, line in numbered_lines(path):
        if line.startswith(b"#"):
            continue
        parts = line.split()
        if len(parts) != count:
            shown = line.decode("utf-8", "replace")
            what = f"; {_LOOKS[len(parts)]}" if len(parts) in _LOOKS else ""
            raise FormatError(
                path, number, f"has {len(parts)} columns, expected {count} ({expected}){what}: {shown!r:.100}"
            )
        yield number, parts


def checked_names(path: Path, kind: str, names: Iterable[str]) -> None:
    """See that names can stand in a TREC file, before one is written.

    Raises:
        InvalidEvaluation: one is empty, holds a blank of any script, or something that is no text.
    """
    for name in names:
        if _DIVIDES.search(name):
            raise InvalidEvaluation(
                f"{path}: the {kind} {name!r:.80} cannot be written in TREC's format, whose columns are divided by "
                "blanks; write .jsonl, .csv or .parquet instead, or rename it"
            )


def checked_suffix(path: Path, suffix: str, others: Iterable[str]) -> None:
    """See that a suffix to be written is TREC's.

    Raises:
        InvalidEvaluation: it is not.
    """
    if suffix not in SUFFIXES:
        known = ", ".join(sorted({*SUFFIXES, *others}))
        raise InvalidEvaluation(f"{path}: the suffix {suffix!r} names no format; write one of {known}")
