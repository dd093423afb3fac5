"""What all schemas have in common: requests are taken word for word, answers are described."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

DocumentId = Annotated[
    str, Field(min_length=1, max_length=1024, description="A document's id.", examples=["books/sailing.epub"])
]


class Named(BaseModel):
    """What a request holds: no field that is not known."""

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: Any) -> Any:
        """Refuse fields that there are not, with the nearest that there is."""
        if isinstance(values, dict):
            for name in values:
                if name not in cls.model_fields:
                    raise unknown_field(str(name), list(cls.model_fields))
        return values


class Taken(Named):
    """A body: no value is taken for one of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Address(Named):
    """The query string of an address, whose values are text that is read as what is expected."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class Given(BaseModel):
    """What an answer holds."""

    model_config = ConfigDict(extra="forbid")


def exampled(example: dict[str, Any]) -> ConfigDict:
    """Return a model's configuration with an example of all of it."""
    return ConfigDict(json_schema_extra={"examples": [example]})


def unknown_field(name: str, names: list[str]) -> PydanticCustomError:
    """Return the error of a field that there is not."""
    close = difflib.get_close_matches(name[:80], names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}"
    return PydanticCustomError(
        "unknown_field", "there is no such field; {hint}", {"field": name[:80], "hint": hint}
    )
