"""Indexing: documents, files and folders in, documents deleted; each time as a job that can be looked at."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, TypeAlias

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Header, Request
from fastapi import Query as Parameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from engine.errors import SearchError
from engine.service.access.caller import Caller
from engine.service.access.dependencies import needs
from engine.service.api.answers import PROBLEM_SCHEMA, WITH_BODY, answered, problems
from engine.service.api.callers import Here
from engine.service.api.schemas.jobs import (
    DateIn,
    DeleteAddress,
    JobOut,
    JobsAddress,
    JobsOut,
    NewDocumentsIn,
    PathsIn,
    job_out,
)
from engine.service.jobs.job import Job
from engine.service.problems import Problem

router = APIRouter(tags=["indexing"])

MOST_JSON = 16 << 20
"""Bytes of documents in one JSON body, which is held in memory; files of any size are streamed."""
READ_AT_ONCE = 4
"""Bodies of JSON that are read at once: one of 16 MiB may hold so many values that they take 600 MB."""
_reading = CapacityLimiter(READ_AT_ONCE)

Indexer: TypeAlias = Annotated[Caller, Depends(needs("index"))]
"""Whoever may add and delete documents."""
Key: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Sent again within a day with the same request, gives the same job: safe to repeat.",
        examples=["import-2026-11-23-07"],
    ),
]

_FULL: dict[int | str, dict[str, Any]] = {
    507: {
        "description": "The service's disk is full.",
        "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}},
    }
}
_LOCATION: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Taken in: from now on it will be done, whatever happens to the service in between.",
        "headers": {
            "Location": {"description": "Where the job can be looked at.", "schema": {"type": "string"}}
        },
    }
}
_UPLOAD = {
    "type": "object",
    "properties": {
        "doc_id": {
            "type": "string",
            "description": "The id of the file that comes next, in place of its name.",
        },
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
    "required": ["file"],
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/NewDocumentsIn"}},
            "multipart/form-data": {"schema": _UPLOAD},
        },
    }
}


@router.post(
    "/documents",
    status_code=202,
    response_model=JobOut,
    responses={**WITH_BODY, **_LOCATION, **_FULL},
    openapi_extra=_BODY,
    operation_id="add_documents",
)
async def add_documents(request: Request, service: Here, caller: Indexer, key: Key = None) -> Response:
    """Add documents, or replace those of the same ids: given as JSON, or as files to be read.

    Needs the scope `index`. Files are those of `quire index`: text, Markdown, HTML, PDF, DOCX, EPUB, reStructuredText,
    JSON Lines, CSV. A file's name is its document's id, unless a field `doc_id` comes before it.
    """
    kind, options = _content_type(request)
    try:
        if kind == "multipart/form-data":
            boundary = options.get("boundary", "").encode("latin-1", "replace")
            return _accepted(await service.jobs.add_files(caller, boundary, request.stream(), key))
        if kind == "application/json" or kind.endswith("+json"):
            body = await _body(request)
            job = await to_thread.run_sync(_add_documents, service, caller, body, key, limiter=_reading)
            return _accepted(job)
    except ClientDisconnect:
        raise Problem(499, "client-gone", "the client went away before all of the body had arrived") from None
    raise Problem(
        415,
        "unsupported-media-type",
        f"documents are application/json or multipart/form-data, found the content type {kind[:80] or 'none'}",
    )


@router.delete(
    "/documents",
    status_code=202,
    response_model=JobOut,
    responses={**_LOCATION, **_FULL},
    operation_id="delete_documents",
)
async def delete_documents(
    asked: Annotated[DeleteAddress, Parameter()], service: Here, caller: Indexer, key: Key = None
) -> Response:
    """Delete documents by their ids. Needs the scope `index`."""
    return _accepted(await to_thread.run_sync(service.jobs.delete, caller, asked.id, key))


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobOut,
    responses={**WITH_BODY, **_LOCATION, **_FULL},
    operation_id="index_paths",
)
async def index_paths(asked: PathsIn, service: Here, caller: Indexer, key: Key = None) -> Response:
    """Index files and folders that are on the service's own machine, under the roots that it is configured with.

    Needs the scope `index`.
    """
    return _accepted(await to_thread.run_sync(service.jobs.add_paths, caller, asked.paths, key))


@router.get("/jobs", response_model=JobsOut, responses=problems(404), operation_id="jobs")
async def list_jobs(asked: Annotated[JobsAddress, Parameter()], service: Here, caller: Indexer) -> Response:
    """List the jobs of the key's tenant, the newest first. Needs the scope `index`."""

    def found() -> bytes:
        jobs = service.jobs.page(caller, limit=asked.limit + 1, before=asked.before, states=asked.state)
        shown = jobs[: asked.limit]
        following = shown[-1].job_id if len(jobs) > asked.limit else None
        return JobsOut(jobs=[job_out(job) for job in shown], next=following).model_dump_json().encode()

    return answered(await to_thread.run_sync(found))


@router.get("/jobs/{job_id}", response_model=JobOut, responses=problems(404), operation_id="job")
async def show_job(job_id: str, service: Here, caller: Indexer) -> Response:
    """Tell how far a job has come. Needs the scope `index`.

    What a finished job has indexed is found from this answer on, where one process answers; by others within
    `refresh_seconds`.
    """

    def found() -> bytes:
        job = service.jobs.get(caller, job_id)
        if job.progress.generation > service.engines.generation:
            with suppress(SearchError):  # which the next look for a newer generation tells
                service.engines.refresh()
        return _told(job)

    return answered(await to_thread.run_sync(found))


@router.delete(
    "/jobs/{job_id}",
    status_code=202,
    response_model=JobOut,
    responses=problems(404, 409),
    operation_id="cancel_job",
)
async def cancel_job(job_id: str, service: Here, caller: Indexer) -> Response:
    """Ask a job to stop; what it has indexed stays. Needs the scope `index`."""
    return _accepted(await to_thread.run_sync(service.jobs.cancel, caller, job_id))


def _accepted(job: Job) -> Response:
    response = answered(_told(job), 202)
    response.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return response


def _told(job: Job) -> bytes:
    return job_out(job).model_dump_json().encode()


def _content_type(request: Request) -> tuple[str, dict[str, str]]:
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1"), {
        name.decode("latin-1"): value.decode("latin-1") for name, value in options.items()
    }


async def _body(request: Request) -> bytes:
    """Return a body of JSON, which is held in memory and so may not be of any size."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MOST_JSON:
            raise Problem(
                413,
                "body-too-large",
                f"documents as JSON may have {MOST_JSON:,} bytes in one request; found more: send them in several, or "
                "as a JSON Lines file in multipart/form-data",
                most=MOST_JSON,
            )
        pieces.append(piece)
    return b"".join(pieces)


def _add_documents(service: Here, caller: Caller, body: bytes, key: str | None) -> Job:
    try:
        asked = NewDocumentsIn.model_validate_json(body)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from None
    return service.jobs.add_documents(caller, [_given(each) for each in asked.documents], key)


def _given(document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a document's record, and those of its metadata that are dates."""
    dates = {name: _dates(value) for name, value in document.metadata.items() if _is_date(value)}
    metadata = {name: value for name, value in document.metadata.items() if name not in dates}
    record = {"doc_id": document.doc_id, "title": document.title, "text": document.text, "metadata": metadata}
    return record, dates


def _is_date(value: Any) -> bool:
    return isinstance(value, DateIn) or (isinstance(value, list) and isinstance((value or [None])[0], DateIn))


def _dates(value: Any) -> str | list[str]:
    return value.date if isinstance(value, DateIn) else [each.date for each in value]
