"""From a TOML file to an `Experiment`. A key that does not exist is an error that names the nearest one and the line.

name = "Words or meaning"
baseline = "bm25"

[collection.cranfield]          CollectionSource's fields
path = "collections/cranfield"

[pipeline.bm25]                 kind = "quire" unless it says otherwise; then the fields of that kind's class,
alpha = 0                       or of its search and indexing settings

[indexing]                      of all pipelines that do not say otherwise; as in quire.toml
encoder = "all-MiniLM-L6-v2"
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from engine.configuration import IndexingSettings
from engine.errors import SearchError
from engine.settings import SearchSettings
from eval.errors import InvalidExperiment
from eval.experiment.definition import CollectionSource, Experiment
from eval.experiment.pipeline import Pipeline
from eval.experiment.pipelines import KINDS, pipeline_class
from indexer.errors import IndexingError
from indexer.setting_values import from_toml, line_of

_TABLES = ("collection", "pipeline", "indexing")
_KEYS = ("name", "description", "baseline", "measures", "k", "page", "test", "correction", "folder")
_NESTED: dict[str, type[Any]] = {"search": SearchSettings, "indexing": IndexingSettings}
_OWN = ("kind", "on")


def read_experiment(path: str | Path, *, collections_folder: Path | None = None) -> Experiment:
    """Read an experiment's file.

    Args:
        path: The file. Relative paths in it start from its folder.
        collections_folder: Where relative paths of collections start instead; wins over the file's `folder`.

    Raises:
        InvalidExperiment: what the file says cannot be understood; names file and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidExperiment(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidExperiment(f"{path}: not TOML: {error}") from error
    return _Reader(path, text).experiment(tables, collections_folder)


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text

    def experiment(self, tables: Mapping[str, Any], collections_folder: Path | None) -> Experiment:
        for key in tables:
            self.known(self.top(key), "key", key, (*_KEYS, *_TABLES))
        hints = {**get_type_hints(Experiment), "folder": str}
        top: dict[str, Any] = {
            key: self.converted(self.top(key), key, hints[key], tables[key]) for key in _KEYS if key in tables
        }
        folder = self.path.parent / top.pop("folder", "")
        collections = dict(self.tables(tables, "collection"))
        pipelines = dict(self.tables(tables, "pipeline"))
        indexing = self.checked_keys("indexing", self.table(tables, "indexing"), IndexingSettings)
        made = {name: self.pipeline(name, table, indexing) for name, table in pipelines.items()}
        try:
            return Experiment(
                **{"name": self.path.stem} | top,
                collections={name: self.collection(name, table) for name, table in collections.items()},
                pipelines=made,
                only_on=dict(self.only_on(pipelines)),
                instead=dict(self.instead(collections, pipelines, indexing, made)),
                folder=self.path.parent,
                collections_folder=collections_folder or folder,
                definition=self.text,
            )
        except InvalidExperiment as error:
            if str(error).startswith(str(self.path)):
                raise
            raise InvalidExperiment(f"{self.path}: {error}") from error

    def only_on(self, pipelines: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for name, table in pipelines.items():
            if "on" in table:
                where = self.at(f"pipeline.{name}", "on")
                yield name, self.converted(where, f"pipeline.{name}.on", tuple[str, ...], table["on"])

    def instead(
        self,
        collections: Mapping[str, Mapping[str, Any]],
        pipelines: Mapping[str, Mapping[str, Any]],
        indexing: Mapping[str, Any],
        made: Mapping[str, Pipeline],
    ) -> Iterator[tuple[tuple[str, str], Pipeline]]:
        """Yield the pipelines that a collection's own [collection.NAME.indexing] makes other ones there."""
        for collection, record in collections.items():
            section = f"collection.{collection}.indexing"
            own = self.checked_keys(section, self.table(record, "indexing"), IndexingSettings)
            for name, table in pipelines.items():
                there = self.pipeline(name, table, {**indexing, **own})
                if there != made[name]:
                    yield (collection, name), there

    def collection(self, name: str, table: Mapping[str, Any]) -> CollectionSource:
        section = f"collection.{name}"
        if "path" not in table:
            raise self.wrong(self.at(section), f"[{section}] has no path: the folder of a BEIR collection")
        own = {key: value for key, value in table.items() if key != "indexing"}
        values = self.checked_keys(section, own, CollectionSource)
        source: CollectionSource = self.made(section, CollectionSource, values)
        return source

    def pipeline(self, name: str, table: Mapping[str, Any], indexing: Mapping[str, Any]) -> Pipeline:
        section = f"pipeline.{name}"
        kind = table.get("kind", "quire")
        self.known(self.at(section, "kind"), f"kind in [{section}]", kind, KINDS)
        cls = pipeline_class(kind)
        nested = {item.name: _NESTED[item.name] for item in fields(cls) if item.name in _NESTED}
        own = {item.name for item in fields(cls)} - set(nested)
        homes = {key: "" for key in own} | {
            item.name: part for part, settings in nested.items() for item in fields(settings)
        }
        values: dict[str, dict[str, Any]] = {"": {}, **{part: {} for part in nested}}
        if "indexing" in nested:
            values["indexing"] |= indexing
        for key, value in table.items():
            if key in _OWN:
                continue
            where = self.at(section, key)
            self.known(where, f"key in [{section}] (kind {kind})", key, (*homes, *_OWN))
            home = homes[key]
            wanted = get_type_hints(nested[home] if home else cls)[key]
            values[home][key] = self.converted(where, f"{section}.{key}", wanted, value)
        if "language" in own and "language" in indexing:
            values[""].setdefault("language", indexing["language"])
        parts = {part: self.made(section, settings, values[part]) for part, settings in nested.items()}
        pipeline: Pipeline = self.made(section, cls, values[""] | parts)
        return pipeline

    def checked_keys(self, section: str, table: Mapping[str, Any], cls: type[Any]) -> dict[str, Any]:
        hints = get_type_hints(cls)
        values = {}
        for key, value in table.items():
            where = self.at(section, key)
            self.known(where, f"key in [{section}]", key, hints)
            values[key] = self.converted(where, f"{section}.{key}", hints[key], value)
        return values

    def made(self, section: str, cls: type[Any], values: Mapping[str, Any]) -> Any:
        try:
            return cls(**values)
        except (SearchError, IndexingError, InvalidExperiment) as error:
            named = [key for key in values if key in str(error)]
            raise self.wrong(self.at(section, named[0] if named else ""), f"[{section}]: {error}") from error

    def converted(self, where: str, key: str, wanted: Any, value: Any) -> Any:
        options = [option for option in get_args(wanted) if option is not NoneType]
        if NoneType in get_args(wanted) and len(options) == 1:
            wanted = options[0]
        if get_origin(wanted) is Mapping:
            if isinstance(value, dict):
                return value
            raise self.wrong(where, f"{key} must be a table; found {value!r:.60}")
        if get_origin(wanted) is Sequence:
            wanted = tuple[str, ...]
        try:
            return from_toml(wanted, value)
        except ValueError as error:
            raise self.wrong(where, f"{key} {error}") from error

    def table(self, tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = tables.get(name, {})
        if not isinstance(table, dict):
            raise self.wrong(self.top(name), f"{name} must be a table; found {table!r:.60}")
        return table

    def tables(self, tables: Mapping[str, Any], name: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
        for inner, table in self.table(tables, name).items():
            if not isinstance(table, dict):
                raise self.wrong(
                    self.at(name, inner),
                    f"{inner!r} stands under [{name}] itself; each {name} is a table of its own: [{name}.NAME]",
                )
            yield inner, table

    def known(self, where: str, what: str, name: object, choices: Iterable[str]) -> None:
        choices = list(choices)
        if name in choices:
            return
        near = difflib.get_close_matches(str(name), choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(choices))}"
        raise self.wrong(where, f"no such {what}: {name!r}; {hint}")

    def top(self, key: str) -> str:
        return f"{self.path}:{line_of(self.text, key)}"

    def at(self, section: str, key: str = "") -> str:
        return f"{self.path}:{line_of(self.text, section, key)}"

    def wrong(self, where: str, message: str) -> InvalidExperiment:
        return InvalidExperiment(f"{where}: {message}")
