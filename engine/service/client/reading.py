"""Values from JSON: `read(Hit, {...})` makes frozen dataclasses of plain values, and says where they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from engine.service.client.errors import not_ours

T = TypeVar("T")


def read(kind: type[T], value: object) -> T:
    """Return a value of a type from its JSON.

    Members that the type does not know are passed over, so that a client reads what a newer service says. Members that
    are missing take the field's default.

    Args:
        kind: str, int, float, bool, None, object, a dataclass; tuples, mappings and unions of these.
        value: What `json.loads` returned.

    Raises:
        NoAnswer: it does not fit, which says where.
    """
    made: T = _read(kind, value, "the answer")
    return made


def _read(kind: Any, value: object, where: str) -> Any:
    if kind is object or kind is Any:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (str, int, float, bool, NoneType):
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        raise not_ours(f"{where} is {value!r:.40}, expected {kind.__name__}")
    if isinstance(kind, type) and is_dataclass(kind):
        return _object(kind, value, where)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _tuple(parts, value, where)
    if origin is Mapping:
        if isinstance(value, dict):
            return {str(name): _read(parts[1], one, f"{where}.{name}") for name, one in value.items()}
        raise not_ours(f"{where} is {value!r:.40}, expected an object")
    if origin in (Union, UnionType):
        return _one_of(parts, value, where)
    raise TypeError(f"cannot be read from JSON: {kind!r}")


def _object(kind: type, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise not_ours(f"{where} is {value!r:.40}, expected an object ({kind.__name__})")
    given = {}
    for name, (hint, needed) in _members(kind).items():
        if name in value:
            given[name] = _read(hint, value[name], f"{where}.{name}")
        elif needed:
            raise not_ours(f"{where} has no member {name!r} ({kind.__name__})")
    return kind(**given)


@lru_cache(maxsize=256)
def _members(kind: type) -> dict[str, tuple[Any, bool]]:
    """Return the type of each field of a dataclass, and whether it has no default."""
    hints = get_type_hints(kind)
    return {
        field.name: (hints[field.name], field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
    }


def _tuple(parts: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise not_ours(f"{where} is {value!r:.40}, expected a list")
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(_read(parts[0], one, f"{where}[{at}]") for at, one in enumerate(value))
    if len(parts) != len(value):
        raise not_ours(f"{where} has {len(value)} items, expected {len(parts)}")
    return tuple(
        _read(part, one, f"{where}[{at}]") for at, (part, one) in enumerate(zip(parts, value, strict=True))
    )


def _one_of(parts: tuple[Any, ...], value: object, where: str) -> Any:
    """Return the value as the first of the types that it fits."""
    from engine.service.client.errors import NoAnswer

    if value is None and NoneType in parts:
        return None
    kinds = [part for part in parts if part is not NoneType]
    for part in kinds[:-1]:
        try:
            return _read(part, value, where)
        except NoAnswer:
            continue
    return _read(kinds[-1], value, where)
