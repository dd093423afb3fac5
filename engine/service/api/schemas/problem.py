"""Problem details, as errors are told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Where it is: `filters`, `events.3.kind`.", examples=["k"])
    message: str = Field(examples=["Input should be less than or equal to 100"])


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 describes it."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(
        description="What it is, for programs: `urn:quire:problem:` and a word.",
        examples=["urn:quire:problem:invalid-request"],
    )
    title: str = Field(description="The status in words.", examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(
        description="What was found, what was expected, what to do.",
        examples=["k: Input should be less than or equal to 100"],
    )
    errors: list[Fault] = Field(default=[], description="The fields that are at fault, the first few.")
    suggestion: str = Field(default="", description="What was probably meant, where that can be told.")
