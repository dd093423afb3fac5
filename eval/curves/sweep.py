"""One search engine for each value of a setting: of `SearchSettings`, of the graph (`ef`), or of another index."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import get_type_hints

from engine.errors import InvalidSearchSettings
from engine.search_engine import SearchEngine
from engine.settings import SearchSettings
from eval.curves.curve import Value
from eval.errors import InvalidEvaluation
from indexer.backend import DocumentIndex
from indexer.index import Index
from indexer.local.manifest import read_manifest
from indexer.local.reader import LocalReader
from indexer.protocol import IndexReader
from indexer.setting_values import from_text

EF = "ef"
INDEX = "index"
_PROPOSING = (
    "depth",
    EF,
)  # settings that only decide what is looked at: an exhaustive search needs none of them
_MOST = 1_000_000  # the largest depth that settings take


@dataclass(slots=True)
class Sweep(AbstractContextManager["Sweep"]):
    """Search engines that differ in one setting. Close it, or use it as a context manager.

    Args:
        parameter: The setting.
        engines: Value to engine, in order.
        current: The value in use.
        exhaustive: What agreement is measured against; None where there is no such thing.
        against: What that is, in words.
        settings: What all engines share, name to value in words.
        index: The index in words.
        readers: To be closed with it.
    """

    parameter: str
    engines: Mapping[Value, SearchEngine]
    current: Value
    exhaustive: SearchEngine | None = None
    against: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    index: str = ""
    readers: Sequence[LocalReader] = ()

    def close(self) -> None:
        """Close what was opened for it; not the index that it was made of."""
        for engine in self.engines.values():
            engine.close()
        if self.exhaustive is not None:
            self.exhaustive.close()
        for reader in self.readers:
            reader.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Reading:
    """An index as an engine sees it: always the same reader."""

    kept: IndexReader

    def reader(self) -> IndexReader:
        return self.kept


def parameters() -> tuple[str, ...]:
    """Return the settings that can be swept, besides `index`."""
    return (EF, *(name for name in get_type_hints(SearchSettings) if name != "facets"))


def parsed(parameter: str, text: str) -> Value:
    """Return a value of a setting from how it is typed.

    Raises:
        InvalidEvaluation: there is no such setting, or the text is no value of it.
    """
    if parameter not in parameters():
        raise InvalidEvaluation(f"{parameter!r} is no setting; there are {', '.join(parameters())}")
    wanted = int if parameter == EF else get_type_hints(SearchSettings)[parameter]
    try:
        value = from_text(wanted, text)
    except ValueError as error:
        raise InvalidEvaluation(f"{parameter} {error}") from error
    return value if isinstance(value, int | float) else str(value)


def sweep(
    index: DocumentIndex, parameter: str, values: Sequence[Value], settings: SearchSettings | None = None
) -> Sweep:
    """Return an engine for each value of a setting; the current value is added where it is missing.

    Args:
        index: The index.
        parameter: A field of `SearchSettings`, or `ef`.
        values: Its values.
        settings: Everything else, and what counts as current; the defaults without it.

    Raises:
        InvalidEvaluation: no such setting, a value that it does not take, or `ef` for an index without a graph.
    """
    base = settings or SearchSettings()
    if parameter not in parameters():
        raise InvalidEvaluation(f"{parameter!r} is no setting; there are {', '.join(parameters())}")
    if parameter == EF:
        return _by_ef(index, values, base)
    current: Value = getattr(base, parameter)
    reader = index.reader()
    try:
        engines: dict[Value, SearchEngine] = {
            value: SearchEngine(_Reading(reader), index.encoder, replace(base, **{parameter: value}))  # type: ignore[arg-type]
            for value in _ordered([*values, current])
        }
    except InvalidSearchSettings as error:
        raise InvalidEvaluation(f"{parameter}: {error}") from error
    exhaustive, against = _exhaustive(index, reader, base) if parameter in _PROPOSING else (None, "")
    return Sweep(parameter, engines, current, exhaustive, against, _words(base, parameter), _described(index))


def _by_ef(index: DocumentIndex, values: Sequence[Value], base: SearchSettings) -> Sweep:
    """Return an engine for each `ef`, each with a graph of its own, so that none disturbs another's."""
    if not isinstance(index, Index):
        raise InvalidEvaluation(
            "ef is of the graph of an index in a folder; on Elasticsearch depth is what to vary"
        )
    manifest = read_manifest(index.path)
    if manifest is None or manifest.graph is None:
        raise InvalidEvaluation(
            f"{index.path} has no graph: so few passages are searched exactly, and ef means nothing there"
        )
    wrong = [value for value in values if isinstance(value, str) or value != int(value) or value < 1]
    if wrong:
        raise InvalidEvaluation(f"ef is a whole number of at least 1; found {wrong[0]!r:.40}")
    engines: dict[Value, SearchEngine] = {}
    readers = []
    for value in _ordered([*values, manifest.graph.ef]):
        changed = replace(manifest, graph=replace(manifest.graph, ef=int(value)))
        reader = LocalReader(index.path, changed, index.analyser, index.encoder_identity)
        readers.append(reader)
        engines[value] = SearchEngine(_Reading(reader), index.encoder, base)
    exhaustive, against = _exhaustive(index, index.reader(), base)
    return Sweep(
        EF,
        engines,
        manifest.graph.ef,
        exhaustive,
        against,
        _words(base, EF),
        f"{_described(index)}, HNSW of m {manifest.graph.m} and ef_construction {manifest.graph.ef_construction}",
        readers,
    )


def sweep_indexes(indexes: Mapping[str, DocumentIndex], settings: SearchSettings | None = None) -> Sweep:
    """Return an engine for each of several indexes of the same documents; the first is the value in use.

    So encoders, their precision, and ways to split can be compared: what is decided when an index is made.

    Raises:
        InvalidEvaluation: there are none.
    """
    if not indexes:
        raise InvalidEvaluation("name at least one index")
    base = settings or SearchSettings()
    engines: dict[Value, SearchEngine] = {
        name: SearchEngine(_Reading(index.reader()), index.encoder, base) for name, index in indexes.items()
    }
    first = next(iter(indexes))
    against = SearchEngine(_Reading(indexes[first].reader()), indexes[first].encoder, base)
    described = "; ".join(f"{name}: {_described(index)}" for name, index in indexes.items())
    return Sweep(INDEX, engines, first, against, f"the index {first}", _words(base, INDEX), described)


def _exhaustive(
    index: DocumentIndex, reader: IndexReader, base: SearchSettings
) -> tuple[SearchEngine | None, str]:
    """Return an engine to which every passage is a candidate: so deep, vectors are searched without the graph.

    None for an index on Elasticsearch, which gives no more than some thousand candidates.
    """
    if not isinstance(index, Index):
        return None, ""
    depth = max(reader.passage_count, 1)
    if depth > _MOST:
        raise InvalidEvaluation(
            f"{index.path} has {depth:,} passages; an exhaustive search takes up to {_MOST:,}"
        )
    return SearchEngine(_Reading(reader), index.encoder, replace(base, depth=depth)), "an exhaustive search"


def _ordered(values: Sequence[Value]) -> list[Value]:
    once = list(dict.fromkeys(values))
    if any(isinstance(value, str) for value in once):
        return once
    return sorted(once, key=float)


def _words(settings: SearchSettings, without: str) -> dict[str, str]:
    return {
        field.name: str(getattr(settings, field.name))
        for field in dataclasses.fields(settings)
        if field.name != without
    }


def _described(index: DocumentIndex) -> str:
    reader = index.reader()
    return f"{reader.document_count:,} documents, {reader.passage_count:,} passages, {reader.encoder_fingerprint}"
