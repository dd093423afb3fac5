"""BEIR folders: which files belong to a split, and the collection that they make."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from eval.collection import Collection, Judgements, Topic
from eval.errors import FormatError, InvalidEvaluation
from eval.formats.evidence import read_evidence
from eval.formats.lines import opened
from eval.formats.qrels import read_qrels, read_subtopics
from eval.formats.topics import read_topics
from eval.run import Span
from indexer.document import Document

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of one split; those that need not be there are empty tuples then."""

    corpus: Path
    queries: Path
    qrels: Path
    spans: tuple[Path, ...]
    subtopics: tuple[Path, ...]

    def all(self) -> tuple[Path, ...]:
        return (self.corpus, self.queries, self.qrels, *self.spans, *self.subtopics)


def read_beir_folder(folder: Path, split: str = "") -> Collection:
    """Read the collection that a folder holds; see `read_collection`."""
    if not folder.is_dir():
        raise FormatError(
            folder, 0, "is no folder; expected one with corpus.jsonl, queries.jsonl and qrels.tsv"
        )
    split = split or _only_split(folder)
    files = _files(folder, split)
    qrels = read_qrels(files.qrels)
    if not qrels:
        raise FormatError(files.qrels, 0, "holds no judgements, so that nothing can be measured")
    topics = _judged(files, read_topics(files.queries), qrels)
    return Collection(
        name=f"{folder.resolve().name}{f'/{split}' if split else ''}",
        topics=topics,
        judgements=Judgements(qrels, _evidence(files.spans, qrels), _subtopics(files.subtopics, qrels)),
        documents=lambda: _documents(files.corpus),
        fingerprint=_fingerprint(files.all()),
    )


def _only_split(folder: Path) -> str:
    """Return the split to take where none was named; the empty string for judgements of no split."""
    if _found(folder, ("qrels.tsv",)):
        return ""
    splits = sorted(_splits(folder))
    if len(splits) == 1:
        return splits[0]
    if "test" in splits:
        return "test"
    if not splits:
        raise FormatError(
            folder, 0, "holds no judgements; expected qrels.tsv, qrels/SPLIT.tsv or qrels.SPLIT.tsv"
        )
    raise InvalidEvaluation(f"{folder} has judgements of several splits; name one of {', '.join(splits)}")


def _splits(folder: Path) -> Iterator[str]:
    pattern = re.compile(r"(?:(.+)_)?qrels(?:[._](.+))?\.tsv(?:\.gz)?")
    for path in folder.iterdir():
        match = pattern.fullmatch(path.name)
        if match and (match[1] or match[2]):
            yield match[1] or match[2]
    for path in (folder / "qrels").glob("*.tsv*"):
        yield path.name.removesuffix(".gz").removesuffix(".tsv")


def _files(folder: Path, split: str) -> _Files:
    def of(stem: str, suffix: str) -> list[str]:
        named = (
            [
                f"{stem}.{split}{suffix}",
                f"{stem}/{split}{suffix}",
                f"{stem}_{split}{suffix}",
                f"{split}_{stem}{suffix}",
            ]
            if split
            else []
        )
        return [*named, f"{stem}{suffix}"]

    qrels = of("qrels", ".tsv")
    return _Files(
        _needed(folder, ["corpus.jsonl"]),
        _needed(folder, of("queries", ".jsonl")),
        _needed(folder, qrels[:-1] if split else qrels),
        _found(folder, of("spans", ".jsonl")),
        _found(folder, of("subtopics", ".tsv")),
    )


def _found(folder: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the first of the names that is there, gzipped or not, or nothing."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return (path,)
    return ()


def _needed(folder: Path, names: list[str]) -> Path:
    found = _found(folder, names)
    if not found:
        raise FormatError(folder, 0, f"holds none of {', '.join(names)} (each may also end in .gz)")
    return found[0]


def _judged(files: _Files, topics: Mapping[str, Topic], qrels: Mapping[str, object]) -> dict[str, Topic]:
    missing = [query_id for query_id in qrels if query_id not in topics]
    if missing:
        raise FormatError(
            files.qrels,
            0,
            f"judges {len(missing)} queries that {files.queries.name} does not hold, such as {missing[0]!r}; "
            "are the two of the same collection and split?",
        )
    return {query_id: topic for query_id, topic in topics.items() if query_id in qrels}


def _evidence(paths: Iterable[Path], qrels: Mapping[str, object]) -> dict[str, list[Span]]:
    return {
        query_id: spans
        for path in paths
        for query_id, spans in read_evidence(path).items()
        if query_id in qrels
    }


def _subtopics(paths: Iterable[Path], qrels: Mapping[str, object]) -> dict[str, dict[str, dict[str, int]]]:
    return {
        query_id: subtopics
        for path in paths
        for query_id, subtopics in read_subtopics(path).items()
        if query_id in qrels
    }


def _documents(path: Path) -> Iterator[Document]:
    from indexer.document import ReadFailure
    from indexer.readers import read_corpus

    for item in read_corpus(path):
        if isinstance(item, ReadFailure):
            # Elsewhere a bad document is skipped; here it would change what is measured.
            source, _, line = item.source.rpartition(":")
            number = int(line) if source and line.isdigit() else 0
            raise FormatError(source or item.source, number, item.reason)
        yield item


def _fingerprint(paths: Iterable[Path]) -> str:
    """Return a hash of the files' contents, the same for a file and its gzip."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        part = hashlib.blake2b(digest_size=16)
        with opened(path) as file:
            while piece := file.read(_PIECE):
                part.update(piece)
        digest.update(part.digest())
    return digest.hexdigest()
