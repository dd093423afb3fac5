"""Which settings there are: the sections of a configuration, each a dataclass whose fields are the section's keys.

A field's type and default are the key's, and the class checks its values when it is made; so there is one place where
each setting is defined, documented and checked:

    [indexing]        IndexingSettings, below
    [reading]         indexer.readers.ReadOptions
    [search]          engine.settings.SearchSettings
    [personal]        engine.personal.settings.PersonalSettings
    [elasticsearch]   indexer.elastic.settings.ElasticSettings
    [service]         engine.service.settings.ServiceSettings

Who set them is in `engine.configuration`. A section's class is imported when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from typing import Any, Literal, cast, get_type_hints

from indexer.errors import InvalidSettings

SECTIONS = {
    "indexing": "engine.sections:IndexingSettings",
    "reading": "indexer.readers:ReadOptions",
    "search": "engine.settings:SearchSettings",
    "personal": "engine.personal.settings:PersonalSettings",
    "elasticsearch": "indexer.elastic.settings:ElasticSettings",
    "service": "engine.service.settings:ServiceSettings",
}


@dataclass(frozen=True, slots=True)
class IndexingSettings:
    """How an index is made. What is made with other settings is another index.

    Args:
        encoder: The model that makes the vectors: a name, a path, or a name on the hub.
        precision: In which the model runs: int8 (smaller and quicker on a processor), fp32, bf16, or auto, which is
            bf16 on a GPU and fp32 elsewhere.
        device: Where the model runs; `auto` takes a GPU when there is one and torch is installed.
        offline: Never ask the hub for a model.
        tokens: The most tokens of one passage, the headings above it included.
        overlap: About how many tokens a passage shares with the one before it.
        language: Of text in the Latin script, for stems: a Snowball language.
        token_vectors: Whether to keep each token's own vector, for late interaction.

    Raises:
        InvalidSettings: a value is outside its range.
    """

    encoder: str = "all-MiniLM-L6-v2"
    precision: Literal["auto", "fp32", "int8", "bf16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    offline: bool = False
    tokens: int = 256
    overlap: int = 32
    language: str = "english"
    token_vectors: bool = True

    def __post_init__(self) -> None:
        if not self.encoder.strip():
            raise InvalidSettings("encoder is the name or path of a model, found an empty string")
        if not 16 <= self.tokens <= 100_000:
            raise InvalidSettings(f"tokens is a whole number from 16 to 100,000, found {self.tokens}")
        if not 0 <= self.overlap <= self.tokens // 2:
            raise InvalidSettings(
                f"overlap is from 0 to half of tokens ({self.tokens // 2}), found {self.overlap}"
            )


def settings_class(section: str) -> type[Any]:
    """Return the dataclass that a section stands for."""
    module, _, name = SECTIONS[section].partition(":")
    return cast(type[Any], getattr(import_module(module), name))


@cache
def keys(section: str) -> dict[str, tuple[Any, object]]:
    """Return a section's keys, each with its type and its default."""
    cls = settings_class(section)
    hints = get_type_hints(cls)
    return {each.name: (hints[each.name], each.default) for each in fields(cls)}


def is_secret(section: str, key: str) -> bool:
    """Whether a setting must never be shown."""
    if section != "elasticsearch":
        return False
    from indexer.elastic.settings import SECRETS

    return key in SECRETS
