"""From a TOML file to a `Recipe`. A key that does not exist is an error that names the nearest one and the line.

teacher = "runs/first/model"    Recipe's own

[[data]]                        DataSource's fields; as many such tables as there are sources
collection = "collections/nq"
weight = 0.5
mining = { negatives = 4 }      of this source alone; what it leaves out is as in [mining]

[[dev]]                         the same, to measure on
collection = "collections/wikiqa"

[training]                      TrainingSettings
[mining]                        MiningSettings and GuardSettings, in one table; "none" for no limit
[structure] [clicks] [split]    StructureSettings, ClickSettings, SplitSettings
[replay]                        ReplaySettings
[indexing] [search]             as in quire.toml
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from engine.configuration import IndexingSettings
from engine.errors import SearchError
from engine.settings import SearchSettings
from indexer.elastic.address import is_address
from indexer.errors import IndexingError
from indexer.setting_values import from_toml, line_of
from quire.training.recipe import HUB, ClickSettings, DataSource, Recipe, ReplaySettings, SplitSettings
from reranker.data.guard import GuardSettings
from reranker.data.mining_settings import MiningSettings
from reranker.data.structure import StructureSettings
from reranker.errors import InvalidTrainingSettings
from reranker.training.settings import TrainingSettings

Place = Callable[[str, str, int], str]
"""Names a section, a key and which of several tables it is in, as `file:line: `."""

_TABLES: dict[str, type[Any]] = {
    "structure": StructureSettings,
    "clicks": ClickSettings,
    "split": SplitSettings,
    "replay": ReplaySettings,
    "indexing": IndexingSettings,
    "search": SearchSettings,
}
_ALL = ("data", "dev", "training", "mining", *_TABLES, "teacher")
_PATHS = ("collection", "clicks", "preferences", "examples", "index")
T = TypeVar("T")


def read_recipe(
    path: str | Path,
    *,
    collections_folder: Path | None = None,
    indexing: IndexingSettings | None = None,
    search: SearchSettings | None = None,
) -> Recipe:
    """Read a recipe.

    Args:
        path: The file. Relative paths in it start from its folder.
        collections_folder: Where relative paths of collections start instead.
        indexing: What [indexing] changes; by default the defaults.
        search: What [search] changes, likewise.

    Raises:
        InvalidTrainingSettings: what the file says cannot be understood; names file and line.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidTrainingSettings(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidTrainingSettings(f"{path}: not TOML: {error}") from error

    def place(section: str, key: str = "", number: int = 0) -> str:
        return f"{path}:{_line(text, section, key, number)}: "

    before = {"indexing": indexing or IndexingSettings(), "search": search or SearchSettings()}
    reader = _Reader(place, path.parent, collections_folder or path.parent, before)
    return reader.recipe(tables)


def recipe_of(tables: Mapping[str, Any], name: str) -> Recipe:
    """Return the recipe of tables that `Recipe.to_json` made.

    Args:
        tables: Those.
        name: What an error calls them.

    Raises:
        InvalidTrainingSettings: they cannot be understood.
    """
    return _Reader(lambda *_: f"{name}: ", Path(), Path(), {}).recipe(tables)


def mining_with(
    base: MiningSettings, values: Mapping[str, Any], where: Callable[[str], str]
) -> MiningSettings:
    """Return mining settings changed by a table, in which those of the guard stand among the others.

    Raises:
        InvalidTrainingSettings: a key that does not exist, or a value that cannot be; `where` names its place.
    """
    own, guarded = get_type_hints(MiningSettings), get_type_hints(GuardSettings)
    own.pop("guard")
    parts: dict[str, dict[str, Any]] = {"own": {}, "guard": {}}
    for key, value in values.items():
        _known(where(key), "key of mining", key, [*own, *guarded])
        part, hint = ("own", own[key]) if key in own else ("guard", guarded[key])
        parts[part][key] = _converted(where(key), key, hint, value)
    guard = _made(lambda: replace(base.guard, **parts["guard"]), parts["guard"], where)
    return _made(lambda: replace(base, guard=guard, **parts["own"]), parts["own"], where)


class _Reader:
    def __init__(self, place: Place, folder: Path, collections: Path, before: Mapping[str, Any]) -> None:
        self._place, self._folder, self._collections, self._before = place, folder, collections, before

    def recipe(self, tables: Mapping[str, Any]) -> Recipe:
        for key in tables:
            _known(self._place("", key, 0), "key", key, _ALL)
        values: dict[str, Any] = {}
        for name, cls in _TABLES.items():
            values[name] = self._settings(name, cls, self._table(tables, name))
        values["replay"] = replace(values["replay"], path=self._path(values["replay"].path))
        training = self._table(tables, "training")
        at = self._at("training")
        settings: TrainingSettings = _made(lambda: TrainingSettings.from_mapping(training), training, at)
        values["training"] = replace(settings, base=self._model(settings.base))
        teacher = tables.get("teacher", "")
        values["teacher"] = self._model(_converted(self._place("", "teacher", 0), "teacher", str, teacher))
        mining = mining_with(MiningSettings(), self._table(tables, "mining"), self._at("mining"))
        for part in ("data", "dev"):
            values[part] = tuple(
                self._source(part, number, table, mining)
                for number, table in enumerate(self._array(tables, part))
            )
        return _made(lambda: Recipe(mining=mining, **values), {}, lambda _: self._place("", "", 0))

    def _source(self, part: str, number: int, table: Mapping[str, Any], mining: MiningSettings) -> DataSource:
        hints = get_type_hints(DataSource)
        at = self._at(part, number)
        values: dict[str, Any] = {}
        for key, value in table.items():
            _known(at(key), f"key in [[{part}]]", key, hints)
            if key == "mining":
                if not isinstance(value, dict):
                    raise InvalidTrainingSettings(f"{at(key)}mining must be a table; found {value!r:.60}")
                values[key] = mining_with(mining, value, lambda _: at("mining"))
            else:
                values[key] = _converted(at(key), key, hints[key], value)
        for key in _PATHS:
            if key in values:
                start = self._collections if key == "collection" else self._folder
                values[key] = self._path(values[key], start)
        return _made(lambda: DataSource(**values), values, at)

    def _settings(self, section: str, cls: type[T], table: Mapping[str, Any]) -> T:
        at, hints = self._at(section), get_type_hints(cls)
        values = {}
        for key, value in table.items():
            _known(at(key), f"key in [{section}]", key, hints)
            values[key] = _converted(at(key), key, hints[key], value)
        before = self._before.get(section)
        known = {item.name: getattr(before, item.name) for item in fields(before)} if before else {}
        return _made(lambda: cls(**(known | values)), values, at)

    def _table(self, tables: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        table = tables.get(name, {})
        if not isinstance(table, dict):
            raise InvalidTrainingSettings(
                f"{self._place('', name, 0)}{name} must be a table; found {table!r:.60}"
            )
        return table

    def _array(self, tables: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
        found = tables.get(name, [])
        if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
            raise InvalidTrainingSettings(
                f"{self._place(name, '', 0)}{name} must be a list of tables, each under [[{name}]]"
            )
        return found

    def _at(self, section: str, number: int = 0) -> Callable[[str], str]:
        return lambda key: self._place(section, key, number)

    def _path(self, text: str, start: Path | None = None) -> str:
        """Return a path that holds wherever the process is; what names something elsewhere stays as it is."""
        if not text or text.startswith(HUB) or is_address(text):
            return text
        return str(((start or self._folder) / Path(text).expanduser()).resolve())

    def _model(self, text: str) -> str:
        return model_path(text, self._folder)


def absolute(source: DataSource) -> DataSource:
    """Return a source whose paths hold wherever the process is."""
    values = asdict(source) | {"mining": source.mining}
    for key in _PATHS:
        if values[key] and not values[key].startswith(HUB) and not is_address(values[key]):
            values[key] = str(Path(values[key]).expanduser().resolve())
    return DataSource(**values)


def model_path(name: str, start: Path = Path()) -> str:
    """Return the absolute path of a model's folder, or a model's name as it is."""
    folder = start / Path(name).expanduser()
    return str(folder.resolve()) if name and folder.is_dir() else name


def _known(where: str, what: str, name: str, choices: Iterable[str]) -> None:
    choices = list(choices)
    if name not in choices:
        near = difflib.get_close_matches(name, choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(choices))}"
        raise InvalidTrainingSettings(f"{where}no such {what}: {name!r}; {hint}")


def _converted(where: str, key: str, hint: Any, value: object) -> Any:
    numbers = isinstance(value, list) and all(
        isinstance(item, int | float) and not isinstance(item, bool) for item in value
    )
    if hint == tuple[float, ...] and numbers and isinstance(value, list):
        return tuple(float(item) for item in value)
    try:
        return from_toml(hint, value)
    except ValueError as error:
        raise InvalidTrainingSettings(f"{where}{key} {error}") from error


def _made(make: Callable[[], T], values: Mapping[str, Any], where: Callable[[str], str]) -> T:
    """Return what `make` makes of values; an error names the place of the value that it is about."""
    try:
        return make()
    except (InvalidTrainingSettings, IndexingError, SearchError) as error:
        places = {key: list(re.finditer(rf"\b{re.escape(key)}\b", str(error))) for key in values}
        named = {key: found[-1].start() for key, found in places.items() if found}
        # Messages end with what was found.
        raise InvalidTrainingSettings(
            f"{where(max(named, key=named.__getitem__, default=''))}{error}"
        ) from error


def _line(text: str, section: str, key: str, number: int) -> int:
    """Return the line, from 1, of a section or of a key in it; `number` says which of several [[section]] is meant."""
    if section not in ("data", "dev"):
        return line_of(text, section or key, key if section else "")
    heads = [
        at
        for at, line in enumerate(text.splitlines())
        if re.match(rf"\s*\[\[\s*[\"']?{section}[\"']?\s*\]\]", line)
    ]
    if number >= len(heads):
        return line_of(text, section)
    lines = text.splitlines()[heads[number] : [*heads, len(text)][number + 1]]
    found = [
        at
        for at, line in enumerate(lines)
        if key and re.match(rf"\s*(\[\s*{section}\.)?[\"']?{re.escape(key)}[\"']?\s*[\].=]", line)
    ]
    return heads[number] + 1 + (found[0] if found else 0)
