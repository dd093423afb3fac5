"""Compressed input, unpacked within limits: zip members (DOCX, EPUB) and gzip."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from types import TracebackType
from typing import IO, BinaryIO

from indexer.readers.content import Unreadable
from indexer.readers.options import ReadOptions

_RATIO_FROM = 32 << 20
_CHUNK = 1 << 20


class Archive:
    """A zip file whose members are read within the limits of `options`, all of them together.

    Args:
        data: The file.
        options: The limits.

    Raises:
        Unreadable: it is no zip file, or a damaged one.
    """

    def __init__(self, data: bytes, options: ReadOptions) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError) as error:
            raise Unreadable(f"is damaged or no zip file, as its format must be ({error})") from error
        self._packed = len(data)
        self._options = options
        self._unpacked = 0

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def names(self) -> set[str]:
        """Return the names of all members."""
        return set(self._zip.namelist())

    def read(self, name: str) -> bytes:
        """Return a member's bytes.

        Raises:
            Unreadable: there is no such member, it is encrypted or damaged, or it unpacks past the limits.
        """
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            raise Unreadable(f"lacks the part {name}, which its format requires") from None
        if info.flag_bits & 1:
            raise Unreadable("is encrypted: save it without a password")
        try:
            with self._zip.open(info) as member:
                data = self._bounded(member)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, OSError) as error:
            raise Unreadable(f"has a damaged part {name} ({error})") from error
        return data

    def _bounded(self, member: IO[bytes]) -> bytes:
        parts = []
        while part := member.read(_CHUNK):
            self._unpacked += len(part)
            check_growth(self._packed, self._unpacked, self._options)
            if self._unpacked > self._options.max_uncompressed_bytes:
                raise Unreadable(too_large_unpacked(self._options))
            parts.append(part)
        return b"".join(parts)


def too_large_unpacked(options: ReadOptions) -> str:
    """Return the reason for a document that unpacks to too much."""
    return (
        f"unpacks to more than {options.max_uncompressed_bytes:,} bytes: "
        "raise max_uncompressed_bytes if the file is to be trusted"
    )


def check_growth(packed: int, unpacked: int, options: ReadOptions) -> None:
    """Refuse data that grows on unpacking as only a decompression bomb does.

    Raises:
        Unreadable: it is past 32 MiB and `max_ratio` times its packed size.
    """
    if unpacked > _RATIO_FROM and unpacked > options.max_ratio * max(packed, 1):
        raise Unreadable(
            f"unpacks to more than {options.max_ratio} times its size, as decompression bombs do: "
            "raise max_ratio if the file is to be trusted"
        )


def gunzip(data: bytes, options: ReadOptions) -> bytes:
    """Return what a gzip file holds.

    Raises:
        Unreadable: it is damaged or truncated, or unpacks past the limits.
    """
    parts, total = [], 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            while part := stream.read(_CHUNK):
                total += len(part)
                check_growth(len(data), total, options)
                if total > options.max_uncompressed_bytes:
                    raise Unreadable(too_large_unpacked(options))
                parts.append(part)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"is not a whole gzip file ({error})") from error
    return b"".join(parts)


class GuardedGzip(io.RawIOBase):
    """A gzip file as a stream that refuses to grow like a bomb, and to end early without saying so.

    Args:
        packed: The compressed stream; it is closed with this one.
        options: The limits.
    """

    def __init__(self, packed: BinaryIO, options: ReadOptions) -> None:
        self._packed = packed
        self._gzip = gzip.GzipFile(fileobj=packed)
        self._options = options
        self._unpacked = 0

    def readable(self) -> bool:
        """Return True: it is there to be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill `buffer`; see `io.RawIOBase`.

        Raises:
            Unreadable: the file is damaged or truncated, or grows past `max_ratio`.
        """
        try:
            part = self._gzip.read1(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise Unreadable(f"is not a whole gzip file ({error}); what came before was read") from error
        buffer[: len(part)] = part
        self._unpacked += len(part)
        check_growth(self._packed.tell(), self._unpacked, self._options)
        return len(part)

    def close(self) -> None:
        """Close both streams."""
        if not self.closed:
            self._gzip.close()
            self._packed.close()
        super().close()
