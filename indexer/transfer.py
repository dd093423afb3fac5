"""Export and import: documents as JSON lines, one a line, whole.

    {"doc_id": …, "title": …, "text": …, "source": …, "metadata": {…}, "blocks": [[kind, start, end, level], …],
     "pages": […]}

Vectors are not exported: an import is encoded anew, by whatever encoder the new index has. To keep the
vectors, copy the index's folder while nobody writes to it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from indexer.backend import DocumentIndex
from indexer.document import Block, Document, ReadFailure, metadata_from_json, metadata_to_json
from indexer.errors import InvalidDocument


def export_documents(index: DocumentIndex) -> Iterator[Document]:
    """Yield every document of the current generation as it was added."""
    return index.documents()


def write_documents(documents: Iterator[Document], path: str | Path) -> int:
    """Write documents as JSON lines, gzipped when the name ends in `.gz`; return how many.

    The file appears under its name only when it is whole.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    count = 0
    try:
        with _opened(beside, target.suffix == ".gz", "w") as file:
            for document in documents:
                file.write(json.dumps(document_to_json(document), ensure_ascii=False) + "\n")
                count += 1
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    return count


def read_documents(path: str | Path) -> Iterator[Document | ReadFailure]:
    """Yield the documents of an export; a line that is not one becomes a failure that names it."""
    source = Path(path)
    with _opened(source, source.suffix == ".gz", "r") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield document_from_json(json.loads(line))
            except (ValueError, TypeError, KeyError, InvalidDocument) as error:
                yield ReadFailure(
                    f"{source}:{number}", f"not a document as `quire export` writes it: {error!r:.200}"
                )


def document_to_json(document: Document) -> dict[str, Any]:
    """Return a document as plain JSON values."""
    return {
        "doc_id": document.doc_id,
        "title": document.title,
        "text": document.text,
        "source": document.source,
        "metadata": json.loads(metadata_to_json(document.metadata)),
        "blocks": [[block.kind, block.start, block.end, block.level] for block in document.blocks],
        "pages": list(document.pages),
    }


def document_from_json(record: dict[str, Any]) -> Document:
    """Return the document that `document_to_json` described.

    Raises:
        InvalidDocument: its values are impossible.
        KeyError, TypeError, ValueError: it is no such record.
    """
    return Document(
        doc_id=record["doc_id"],
        text=record["text"],
        title=record.get("title", ""),
        source=record.get("source", ""),
        metadata=metadata_from_json(json.dumps(record.get("metadata", {}))),
        blocks=tuple(Block(*block) for block in record.get("blocks", ())),
        pages=tuple(record.get("pages", ())),
    )


def _opened(path: Path, zipped: bool, mode: str) -> IO[str]:
    if zipped:
        return io.TextIOWrapper(gzip.GzipFile(path, mode), encoding="utf-8")
    return path.open(mode, encoding="utf-8")
