"""Bytes of a file as numbered lines, and text whole or absent on the disk."""

from __future__ import annotations

import errno
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from eval.errors import FormatError

_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def kind_of(path: Path) -> str:
    """Return the suffix that says the format: lower case, without `.gz`; the empty string where there is none.

    Raises:
        FormatError: Parquet inside gzip, which nobody reads.
    """
    name = path.name.lower()
    packed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    if packed and suffix == ".parquet":
        raise FormatError(path, 0, "is Parquet inside gzip; Parquet compresses by itself: unpack it")
    return suffix


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; its content without gzip, where its name ends in `.gz`.

    Raises:
        FormatError: the compressed data is damaged, or is not compressed.
        OSError: the file cannot be opened.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield cast("BinaryIO", file)
    except gzip.BadGzipFile as error:
        raise FormatError(path, 0, f"is not gzip as its name says ({error}); unpack or rename it") from error
    except (EOFError, zlib.error) as error:
        raise FormatError(path, 0, f"is damaged gzip data ({error}); fetch or write it again") from error


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield every line that is not blank, with its number from 1, without its end and without a byte order mark.

    A line ends in LF or CR LF, and nowhere else.

    Raises:
        FormatError: the file is damaged gzip, or UTF-16.
    """
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if number == 1:
                if line.startswith(_WIDE):
                    raise FormatError(path, 1, "is UTF-16; expected UTF-8: save the file as UTF-8")
                line = line.removeprefix(_BOM)
            line = line.rstrip(b"\r\n")
            if line and not line.isspace():
                yield number, line


def decoded(path: Path, number: int, data: bytes) -> str:
    """Return the text of a line, or of a part of it.

    Raises:
        FormatError: it is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(
            path, number, f"is not UTF-8 (byte 0x{data[error.start]:02X}); save the file as UTF-8"
        ) from None


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` for writing, that takes the place of `path` when the block ends without an error.

    What is written is compressed where the name ends in `.gz`; equal content makes equal bytes.

    Raises:
        OSError: the folder is missing, or the file cannot be written.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder to write into", str(path.parent))
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as raw:
            if path.suffix.lower() == ".gz":
                with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
