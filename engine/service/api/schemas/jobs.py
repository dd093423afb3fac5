"""What is given to the index, and what is told of the jobs that bring it there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic.functional_validators import WrapValidator
from pydantic_core import PydanticCustomError

from engine.event import name_fault
from engine.service.api.schemas.strict import Address, DocumentId, Given, Taken
from engine.service.jobs.job import SHOWN_REFUSALS, Job, Kind, State, moment

MOST_DOCUMENTS = 10_000
MOST_IDS = 1000
MOST_PATHS = 1000

State_: TypeAlias = Annotated[
    State,
    Field(
        description="`queued`, `reading` files, `indexing`, or `interrupted` by a stop of the service, after which it "
        "goes on; in the end `done`, `failed` or `cancelled`. A job that is `done` may have refused documents.",
        examples=["done"],
    ),
]


class DateIn(BaseModel):
    """A date, or a date and time, in ISO 8601."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    date: Annotated[str, Field(alias="$date", max_length=40, examples=["1962-03-01"])]

    @model_validator(mode="after")
    def _iso(self) -> DateIn:
        if "T" in self.date:
            datetime.fromisoformat(self.date)
        else:
            date.fromisoformat(self.date)
        return self


def _one_fault(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """Take a value, or say in one sentence what it has to be, not once for each thing that it could have been."""
    try:
        return handler(value)
    except ValidationError as error:
        raise PydanticCustomError("metadata_value", _VALUE) from error


_VALUE = (
    "is a string of at most 100,000 characters, a number of at most 64 bits, true, false, a date as "
    '{"$date": "1962-03-01"}, or a list of one of these'
)
Scalar: TypeAlias = (
    bool
    | Annotated[int, Field(ge=-(2**63), lt=2**63)]
    | float
    | Annotated[str, StringConstraints(max_length=100_000)]
)
Value: TypeAlias = Annotated[Scalar | DateIn | list[Scalar] | list[DateIn], WrapValidator(_one_fault)]
MetadataIn: TypeAlias = Annotated[
    dict[Annotated[str, StringConstraints(min_length=1, max_length=200)], Value],
    Field(
        max_length=1000,
        description="Fields to filter, sort and count by: strings, numbers, true or false, dates as "
        '`{"$date": "1962-03-01"}`, or lists of one of these.',
        examples=[{"year": 1962, "topics": ["wings", "drag"], "published": {"$date": "1962-03-01"}}],
    ),
]


class NewDocumentIn(Taken):
    """A document."""

    doc_id: DocumentId
    text: Annotated[
        str, Field(min_length=1, description="All of its text.", examples=["Flow past a slender wing…"])
    ]
    title: Annotated[str, Field(max_length=10_000, examples=["Slender wings"])] = ""
    metadata: Annotated[MetadataIn, Field(default_factory=dict)]

    @model_validator(mode="after")
    def _storable(self) -> NewDocumentIn:
        fault = name_fault(self.doc_id)
        if fault:
            raise ValueError(f"doc_id {fault}")
        return self


class NewDocumentsIn(Taken):
    """Documents to add, or to replace those of the same ids."""

    documents: Annotated[list[NewDocumentIn], Field(min_length=1, max_length=MOST_DOCUMENTS)]


class DeleteAddress(Address):
    """Which documents are to be deleted."""

    id: Annotated[list[DocumentId], Field(min_length=1, max_length=MOST_IDS)]


class PathsIn(Taken):
    """Files and folders to index."""

    paths: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=4096)]],
        Field(
            min_length=1,
            max_length=MOST_PATHS,
            description="Relative to a root of the service, or absolute and under one; a folder stands for all in it.",
            examples=[["reports/1962", "manuals/wing.pdf"]],
        ),
    ]


class JobsAddress(Address):
    """Which jobs are to be listed."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 20
    before: Annotated[str, Field(max_length=100, description="The `next` of the page before.")] = ""
    state: Annotated[
        list[State],
        Field(default_factory=list, max_length=7, description="Only jobs in one of these states."),
    ]


class ProgressOut(Given):
    """How far a job has come."""

    files: int = Field(description="Files to be read, as far as they are known.")
    files_read: int = Field(description="Files read, those refused included.")
    skipped: int = Field(description="Files in folders that are of no kind that is read.")
    documents: int = Field(description="Documents to be indexed or deleted, as far as they are known.")
    added: int = Field(description="Documents that are new in the index.")
    updated: int = Field(description="Documents that replaced an older version.")
    unchanged: int = Field(description="Documents that were there already, word for word.")
    deleted: int
    missing: int = Field(description="Documents that were to be deleted, and were not there.")
    refused: int = Field(description="Files and documents that were not taken.")
    passages: int = Field(description="Passages encoded; 0 where several jobs shared a commit.")


class RefusalOut(Given):
    """A file or document that was not taken."""

    source: str = Field(
        description="Its name, with `:line` for a record of a file.", examples=["scans/page.pdf"]
    )
    reason: str = Field(examples=["is encrypted: save it without a password"])


class JobOut(Given):
    """An indexing job."""

    job_id: str = Field(examples=["job_4f1f7a3c9e2b8d6a5c0e1b2d"])
    kind: Annotated[Kind, Field(description="What was given.")]
    state: State_
    cancelling: bool = Field(description="Whether it was asked to stop.")
    message: str = Field(description="What it waits for, or why it failed.", examples=[""])
    created: datetime
    started: datetime | None
    finished: datetime | None
    progress: ProgressOut
    refusals: list[RefusalOut] = Field(
        description=f"What was refused and why, the first {SHOWN_REFUSALS}; in a list of jobs, empty."
    )
    generation: int = Field(description="The generation of the index that holds what was done; 0 before.")


class JobsOut(Given):
    """Jobs, the newest first."""

    jobs: list[JobOut]
    next: str | None = Field(description="What `before` is for the next page; null on the last.")


def job_out(job: Job) -> JobOut:
    """Return a job as it is told."""
    counts = job.progress
    return JobOut(
        job_id=job.job_id,
        kind=job.kind,
        state=job.state,
        cancelling=job.cancelling and not job.is_finished,
        message=job.message,
        created=moment(job.created) or datetime.min,
        started=moment(job.started),
        finished=moment(job.finished),
        progress=ProgressOut(**{name: getattr(counts, name) for name in ProgressOut.model_fields}),
        refusals=[RefusalOut(source=each.source, reason=each.reason) for each in job.refusals],
        generation=counts.generation,
    )
