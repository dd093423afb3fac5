"""Which suffix is which format, and what is said of the ones that Quire does not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from indexer.readers.content import Content
from indexer.readers.docx import read_docx
from indexer.readers.epub import read_epub
from indexer.readers.html import read_html
from indexer.readers.markdown import read_markdown
from indexer.readers.options import ReadOptions
from indexer.readers.pdf import read_pdf
from indexer.readers.plain import read_plain
from indexer.readers.rst import read_rst

Reader: TypeAlias = Callable[[bytes, ReadOptions], Content]

DOCUMENTS: Mapping[str, Reader] = MappingProxyType(
    {
        ".txt": read_plain,
        ".text": read_plain,
        ".md": read_markdown,
        ".markdown": read_markdown,
        ".html": read_html,
        ".htm": read_html,
        ".xhtml": read_html,
        ".pdf": read_pdf,
        ".docx": read_docx,
        ".epub": read_epub,
        ".rst": read_rst,
        ".rest": read_rst,
    }
)
"""Formats of one document a file."""

RECORDS = frozenset((".jsonl", ".ndjson", ".csv", ".tsv"))
"""Formats of many documents a file."""

SUPPORTED_SUFFIXES = frozenset(DOCUMENTS) | RECORDS
"""Every suffix that is read; each may be followed by `.gz`."""

UNREAD_DOCUMENTS: Mapping[str, str] = MappingProxyType(
    {
        ".doc": "DOCX or PDF",
        ".docm": "DOCX",
        ".rtf": "DOCX or PDF",
        ".odt": "DOCX or PDF",
        ".pages": "DOCX or PDF",
        ".wpd": "DOCX or PDF",
        ".ppt": "PDF",
        ".pptx": "PDF",
        ".odp": "PDF",
        ".xls": "CSV",
        ".xlsx": "CSV",
        ".ods": "CSV",
        ".mobi": "EPUB",
        ".azw": "EPUB",
        ".azw3": "EPUB",
        ".fb2": "EPUB",
        ".djvu": "PDF",
        ".ps": "PDF",
        ".chm": "HTML",
        ".mht": "HTML",
        ".mhtml": "HTML",
        ".tex": "PDF",
    }
)
"""Suffixes of documents that a user would expect to find again, and what to convert them to."""


def suffix_of(name: str) -> tuple[str, bool]:
    """Return a file's suffix in lower case without a final `.gz`, and whether it had one."""
    name = name.rpartition("/")[2].lower()
    packed = name.endswith(".gz")
    stem, dot, suffix = (name[:-3] if packed else name).rpartition(".")
    return (f".{suffix}" if dot and stem else ""), packed


def stem_of(name: str) -> str:
    """Return a file's name without folders and suffixes."""
    last = name.rpartition("/")[2]
    if last.lower().endswith(".gz"):
        last = last[:-3]
    stem, dot, _ = last.rpartition(".")
    return stem if dot and stem else last
