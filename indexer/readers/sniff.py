"""What a file without a known suffix is, by its first bytes."""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from indexer.readers.content import Unreadable
from indexer.readers.decode import stream_encoding
from indexer.readers.docx import read_docx
from indexer.readers.epub import read_epub
from indexer.readers.formats import Reader
from indexer.readers.html import read_html
from indexer.readers.pdf import read_pdf
from indexer.readers.plain import read_plain

_HEAD = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sniffed(path: Path, walked: bool) -> Reader | None:
    """Return the reader for the file at `path`, or None for scripts and what is no document.

    Args:
        path: The file.
        walked: Whether it was found in a folder, where an empty file without a suffix is a marker, not a document.

    Raises:
        OSError: the file cannot be opened.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        return None if walked else read_plain
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if b"%PDF-" in head[:1024]:
        return read_pdf
    if head.startswith(_OLE):
        return read_docx
    if head.startswith(b"PK\x03\x04"):
        return _zipped(head)
    if head.startswith(b"#!"):
        return None
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:64].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return read_html
    try:
        stream_encoding(head)
    except Unreadable:
        return None
    return read_plain


def _zipped(head: bytes) -> Reader | None:
    if b"application/epub+zip" in head[:128]:
        return read_epub
    return read_docx if b"word/" in head else None
