"""What adds and deletes documents: jobs. All of it needs the scope `index`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from urllib.parse import quote

from engine.service.client.answers.jobs import Job, Jobs
from engine.service.client.call import Call


def add_documents(documents: Iterable[Mapping[str, object]]) -> Call[Job]:
    """Add documents, in place of those that have their ids, and return the job that does it.

    Args:
        documents: {"doc_id": ..., "text": ...}, with `title`, `metadata` and `source`.
    """
    return Call("POST", "/v1/documents", Job, body={"documents": [dict(one) for one in documents]})


def add_files(files: Sequence[str | PathLike[str]]) -> Call[Job]:
    """Upload files to be read and indexed, and return the job that does it.

    Args:
        files: PDF, HTML, Markdown, ... as `quire index` reads them.
    """
    return Call("POST", "/v1/documents", Job, files=tuple(Path(each) for each in files))


def add_paths(paths: Sequence[str]) -> Call[Job]:
    """Have the service read files and folders on its own machine, and return the job that does it.

    Args:
        paths: Under one of the folders that the service is configured to read (`roots`).
    """
    return Call("POST", "/v1/jobs", Job, body={"paths": list(paths)})


def delete_documents(doc_ids: Sequence[str]) -> Call[Job]:
    """Delete documents, and return the job that does it.

    Args:
        doc_ids: Which.
    """
    return Call("DELETE", "/v1/documents", Job, params={"id": list(doc_ids)}, repeatable=True)


def jobs() -> Call[Jobs]:
    """Return the jobs that there are, the newest first."""
    return Call("GET", "/v1/jobs", Jobs, repeatable=True)


def job(job_id: str) -> Call[Job]:
    """Return a job: its state, how far it has come, what could not be taken.

    Args:
        job_id: Which.
    """
    return Call("GET", f"/v1/jobs/{quote(job_id, safe='')}", Job, repeatable=True)


def cancel(job_id: str) -> Call[Job]:
    """Have a job stop; what it has done stays.

    Args:
        job_id: Which.
    """
    return Call("DELETE", f"/v1/jobs/{quote(job_id, safe='')}", Job, repeatable=True)
