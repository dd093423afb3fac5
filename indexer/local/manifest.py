"""The manifest: which files make up the current generation. Replaced atomically, never edited."""

from __future__ import annotations

import dataclasses
import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from indexer.errors import IndexCorrupt, IndexVersionMismatch
from indexer.local.durable import replace_atomically

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """Size in bytes and CRC-32 of a file, or of its first `size` bytes where it is append-only."""

    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Graph:
    """The HNSW graph of rows 0 to `rows` - 1, with the parameters that hnswlib does not save.

    `items` of the rows have a vector and are in the graph.
    """

    file: str
    rows: int
    items: int
    m: int
    ef_construction: int
    ef: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One generation.

    Args:
        generation: Grows by one with each commit.
        epoch: The folder `epoch-N` that holds its files.
        rows: Passage numbers in use are below this; `vectors.f32` has as many rows.
        lexical: Folder of the tantivy index of passages, in the epoch's folder.
        whole: Folder of the tantivy index of whole documents; empty in an index made before there was one.
        graph: The HNSW graph, when there are enough passages for one.
        files: Path in the epoch's folder to size and checksum, of every derived file.
    """

    generation: int
    epoch: int
    rows: int
    lexical: str
    whole: str = ""
    graph: Graph | None = None
    files: dict[str, FileCheck] = field(default_factory=dict)

    def folder(self, index: Path) -> Path:
        """Return the folder of the generation's files."""
        return index / epoch_name(self.epoch)

    def write(self, index: Path) -> None:
        """Make this the current generation of the index at `index`."""
        body = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, sort_keys=True, indent=1)
        sealed = json.dumps({"crc": zlib.crc32(body.encode()), "manifest": body})
        replace_atomically(index / NAME, sealed.encode())


def epoch_name(epoch: int) -> str:
    """Return the name of an epoch's folder."""
    return f"epoch-{epoch}"


def read_manifest(index: Path) -> Manifest | None:
    """Return the current manifest, or None when there is none.

    Raises:
        IndexCorrupt: it is there and not what was written.
        IndexVersionMismatch: it is of a format version that this release cannot read.
    """
    try:
        sealed = json.loads((index / NAME).read_bytes())
        body = sealed["manifest"]
        if zlib.crc32(body.encode()) != sealed["crc"]:
            raise ValueError("its checksum does not match")
        content = json.loads(body)
        found = content.pop("format")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IndexCorrupt(
            f"{index / NAME} is damaged ({error}); opening the index makes a new one"
        ) from error
    if found != FORMAT:
        raise version_mismatch(index, found)
    graph = content.pop("graph")
    files = {name: FileCheck(**check) for name, check in content.pop("files").items()}
    return Manifest(**content, graph=Graph(**graph) if graph else None, files=files)


def version_mismatch(index: Path, found: object) -> IndexVersionMismatch:
    """Return the error for an index of another format version."""
    return IndexVersionMismatch(
        f"{index} is of format version {found}, this release of quire reads version {FORMAT}: "
        "use the release that wrote it, or export it there and import it here"
    )
