"""Configuration: one TOML file, the environment over it, the command line over both; each value knows its origin.

    [indexing]                        QUIRE_INDEXING_ENCODER=...        quire index --encoder ...
    encoder = "all-MiniLM-L6-v2"

    [search]                          QUIRE_SEARCH_ALPHA=0.3            quire search --alpha 0.3
    alpha = 0.5

Which sections and keys there are is in `engine.sections`; here is who set them.

The file is the one named by --config, or by QUIRE_CONFIG, or ./quire.toml, or quire/quire.toml in the user's
configuration folder (XDG_CONFIG_HOME, else ~/.config): the first there is, and no other. A section or key that
does not exist is an error that names the nearest one and the line; so is a variable QUIRE_SECTION_KEY. A secret may
be in a file that QUIRE_SECTION_KEY_FILE names; none is ever shown, nor part of an error.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from engine.errors import SearchError
from engine.sections import SECTIONS, IndexingSettings, is_secret, keys, settings_class
from engine.settings import SearchSettings
from indexer.errors import IndexingError, InvalidSettings
from indexer.setting_values import description, from_text, from_toml, line_of

if TYPE_CHECKING:
    from engine.personal.settings import PersonalSettings
    from engine.service.settings import ServiceSettings
    from indexer.elastic.settings import ElasticSettings

FILE_NAME = "quire.toml"


class ConfigurationError(SearchError):
    """A configuration file, variable or option that cannot be used; names it, and what was expected."""

    status = 422


@dataclass(frozen=True, slots=True)
class Value:
    """One value and where it came from.

    Args:
        section: Its section.
        key: Its key.
        value: The value, of the field's own type.
        origin: `default`, `file`, `environment` or `option`.
        where: The file and line, the variable or the option, for people; empty for a default.
    """

    section: str
    key: str
    value: object = field(repr=False)
    origin: Literal["default", "file", "environment", "option"] = "default"
    where: str = ""

    @property
    def hidden(self) -> bool:
        """Whether it is a secret, which must not be shown."""
        return bool(self.value) and is_secret(self.section, self.key)


class Configuration:
    """Every value there is, checked. Made by `load`."""

    def __init__(self, values: Mapping[tuple[str, str], Value], path: Path | None) -> None:
        self._values = dict(values)
        self.path = path
        self._built = {section: self._checked(section) for section in sorted({s for s, _ in self._values})}

    def __iter__(self) -> Iterator[Value]:
        """Yield the values by section and in the order in which their class declares them."""
        for section in SECTIONS:
            for key in keys(section):
                yield self._values.get((section, key), Value(section, key, keys(section)[key][1]))

    @property
    def indexing(self) -> IndexingSettings:
        """The settings of [indexing]."""
        return cast(IndexingSettings, self.section("indexing"))

    @property
    def search(self) -> SearchSettings:
        """The settings of [search]."""
        return cast(SearchSettings, self.section("search"))

    @property
    def personal(self) -> PersonalSettings:
        """The settings of [personal]."""
        return cast("PersonalSettings", self.section("personal"))

    @property
    def elasticsearch(self) -> ElasticSettings:
        """The settings of [elasticsearch]."""
        return cast("ElasticSettings", self.section("elasticsearch"))

    @property
    def service(self) -> ServiceSettings:
        """The settings of [service]."""
        return cast("ServiceSettings", self.section("service"))

    def section(self, name: str) -> object:
        """Return a section's settings object: for `reading`, an `indexer.readers.ReadOptions`."""
        if name not in self._built:
            self._built[name] = settings_class(name)()
        return self._built[name]

    def _checked(self, section: str) -> object:
        cls = settings_class(section)
        given = [value for value in self._values.values() if value.section == section]
        try:
            return cls(**{value.key: value.value for value in given})
        except (IndexingError, SearchError) as error:
            # Which one it is: the ones that the message names, else those refused on their own, else all given.
            named = [value for value in given if re.search(rf"\b{value.key}\b", str(error))]
            culprits = named or [value for value in given if not _accepts(cls, value)] or given
            where = ", ".join(f"{section}.{value.key} ({value.where})" for value in culprits)
            raise ConfigurationError(f"{where}: {error}") from error


def _accepts(cls: type[Any], value: Value) -> bool:
    try:
        cls(**{value.key: value.value})
    except (IndexingError, SearchError):
        return False
    return True


def load(
    path: str | Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, tuple[str, object]] | None = None,
    folder: Path | None = None,
) -> Configuration:
    """Return the configuration.

    Args:
        path: The file that the user named; None looks for one.
        environ: The environment; by default this process's.
        options: What the command line says: `section.key` to the option's name and its value; None values count
            as not given.
        folder: Where ./quire.toml is looked for; by default the working directory.

    Raises:
        ConfigurationError: a file that is missing or not TOML, a key that does not exist, a value of the wrong
            type or outside its range; names the origin.
    """
    environ = os.environ if environ is None else environ
    file = find_file(path, environ, folder or Path())
    values: dict[tuple[str, str], Value] = {}
    layers = [_from_file(file) if file else (), _from_environment(environ), _from_options(options or {})]
    for layer in layers:
        for value in layer:
            values[value.section, value.key] = value
    return Configuration(values, file)


def find_file(path: str | Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return the configuration file to read, or None when there is none and none was named.

    Raises:
        ConfigurationError: the one that was named is not there.
    """
    named = path or environ.get("QUIRE_CONFIG")
    if named:
        if not Path(named).is_file():
            source = "--config" if path else "QUIRE_CONFIG"
            raise ConfigurationError(f"{named}: no such configuration file (named by {source})")
        return Path(named)
    home = environ.get("XDG_CONFIG_HOME") or os.path.join(
        environ.get("HOME") or os.path.expanduser("~"), ".config"
    )
    for candidate in (folder / FILE_NAME, Path(home) / "quire" / FILE_NAME):
        if candidate.is_file():
            return candidate
    return None


def _from_file(path: Path) -> Iterator[Value]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    for section, table in tables.items():
        where = f"{path}:{line_of(text, section)}"
        if not isinstance(table, dict):
            at = [name for name in SECTIONS if section in keys(name)]
            hint = f"; it belongs under [{at[0]}]" if at else f"; sections are {_named(SECTIONS)}"
            raise ConfigurationError(f"{where}: {section!r} stands outside any section{hint}")
        _known(where, "section", section, SECTIONS)
        for key, value in table.items():
            where = f"{path}:{line_of(text, section, key)}"
            _known(where, f"key in [{section}]", key, keys(section))
            yield _converted(
                section, key, where, "file", lambda wanted, value=value: from_toml(wanted, value)
            )


def _from_environment(environ: Mapping[str, str]) -> Iterator[Value]:
    for variable in sorted(environ):
        for section in SECTIONS:
            prefix = f"QUIRE_{section.upper()}_"
            if variable.startswith(prefix):
                key = variable.removeprefix(prefix).lower()
                if is_secret(section, key.removesuffix("_file")) and key.endswith("_file"):
                    yield _from_secret_file(section, key.removesuffix("_file"), variable, environ)
                    continue
                _known(variable, f"key in [{section}]", key, keys(section))
                text = environ[variable]
                yield _converted(
                    section, key, variable, "environment", lambda wanted, text=text: from_text(wanted, text)
                )


def _from_secret_file(section: str, key: str, variable: str, environ: Mapping[str, str]) -> Value:
    from indexer.elastic.environment import secret_in

    plain = variable.removesuffix("_FILE")
    if plain in environ:
        raise ConfigurationError(f"{plain} and {variable} are both set: keep one of them")
    try:
        return Value(section, key, secret_in(variable, environ[variable]), "environment", variable)
    except InvalidSettings as error:
        raise ConfigurationError(str(error)) from error


def _from_options(options: Mapping[str, tuple[str, object]]) -> Iterator[Value]:
    for name, (option, value) in options.items():
        if value is not None:
            section, _, key = name.partition(".")
            yield _converted(
                section, key, option, "option", lambda wanted, value=value: from_toml(wanted, value)
            )


def _converted(
    section: str, key: str, where: str, origin: Literal["file", "environment", "option"], convert: Any
) -> Value:
    wanted = keys(section)[key][0]
    try:
        return Value(section, key, convert(wanted), origin, where)
    except ValueError as error:
        if is_secret(section, key):  # the error would show it
            raise ConfigurationError(f"{where}: {section}.{key} must be {description(wanted)}") from None
        raise ConfigurationError(f"{where}: {section}.{key} {error}") from error


def _known(where: str, kind: str, name: str, choices: Mapping[str, object]) -> None:
    if name in choices:
        return
    near = difflib.get_close_matches(name, choices, n=1)
    elsewhere = [section for section in SECTIONS if kind != "section" and name in keys(section)]
    if elsewhere:
        hint = f"; it belongs under [{elsewhere[0]}]"
    else:
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {_named(choices)}"
    raise ConfigurationError(f"{where}: no such {kind}: {name!r}{hint}")


def _named(choices: Mapping[str, object]) -> str:
    return ", ".join(choices)


__all__ = [
    "SECTIONS",
    "Configuration",
    "ConfigurationError",
    "IndexingSettings",
    "Value",
    "find_file",
    "is_secret",
    "keys",
    "load",
    "settings_class",
]
