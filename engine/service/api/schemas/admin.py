"""What is asked and told of the service itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.service.api.schemas.strict import Given, Taken


class TokenIn(Taken):
    """Whom a token is for."""

    user_id: Annotated[
        str, Field(min_length=1, max_length=1024, description="Your name for the reader.", examples=["ann"])
    ]
    hours: Annotated[
        float | None,
        Field(
            gt=0,
            le=8760,
            description="How long it holds; as long as the service allows where it is left out.",
        ),
    ] = None


class TokenOut(Given):
    """A signed token: whoever has it is that reader until it expires."""

    token: str
    user_id: str
    tenant: str
    expires: str = Field(description="ISO 8601, in UTC.", examples=["2026-05-02T12:00:00+00:00"])


class IndexStatsOut(Given):
    """What the index holds."""

    generation: int
    documents: int
    passages: int
    vectors: int
    removed_passages: int
    graph_passages: int
    megabytes: float
    token_vectors: int | None
    token_megabytes: float
    encoder: str
    analyser: str
    fields: dict[str, list[str]] = Field(description="Metadata fields, each with the kinds of its values.")


class ProcessStatsOut(Given):
    """How the process does that answered."""

    generation: int = Field(description="The generation that it searches.")
    threads: int
    working: int
    waiting: int
    queue: int = Field(description="How many requests may wait.")


class StatsOut(Given):
    """The service's state."""

    index: IndexStatsOut
    process: ProcessStatsOut
