"""What adds and deletes documents: jobs. All of it needs the scope `index`.

Each request for a job carries an Idempotency-Key, so that being sent twice it is one job all the same: a key of one's
own, under which the same request may also be made by another process a day long, or else one made for this call.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from os import PathLike
from pathlib import Path
from urllib.parse import quote

from engine.service.client.answers.jobs import Job, Jobs
from engine.service.client.call import Call


def add_documents(documents: Iterable[Mapping[str, object]], *, key: str = "") -> Call[Job]:
    """Add documents, in place of those that have their ids, and return the job that does it.

    Args:
        documents: {"doc_id": ..., "text": ...}, with `title` and `metadata`, which may hold dates of `datetime`.
        key: The same for the same request; empty for one of this call alone.
    """
    body = {"documents": [_dated(one) for one in documents]}
    return Call("POST", "/v1/documents", Job, body=body, headers=_once(key), repeatable=True)


def add_files(
    files: Sequence[str | PathLike[str]] | Mapping[str, str | PathLike[str]], *, key: str = ""
) -> Call[Job]:
    """Upload files to be read and indexed, and return the job that does it.

    Args:
        files: PDF, HTML, Markdown, ... as `quire index` reads them. A file's name is its document's id; a mapping of
            ids to files gives them others.
        key: The same for the same request; empty for one of this call alone.
    """
    named = files.items() if isinstance(files, Mapping) else (("", each) for each in files)
    uploads = tuple((doc_id, Path(each)) for doc_id, each in named)
    return Call("POST", "/v1/documents", Job, files=uploads, headers=_once(key), repeatable=True)


def add_paths(paths: Sequence[str], *, key: str = "") -> Call[Job]:
    """Have the service read files and folders on its own machine, and return the job that does it.

    Args:
        paths: Under one of the folders that the service is configured to read (`roots`).
        key: The same for the same request; empty for one of this call alone.
    """
    body = {"paths": list(paths)}
    return Call("POST", "/v1/jobs", Job, body=body, headers=_once(key), repeatable=True)


def delete_documents(doc_ids: Sequence[str], *, key: str = "") -> Call[Job]:
    """Delete documents, and return the job that does it.

    Args:
        doc_ids: Which.
        key: The same for the same request; empty for one of this call alone.
    """
    params = {"id": list(doc_ids)}
    return Call("DELETE", "/v1/documents", Job, params=params, headers=_once(key), repeatable=True)


def jobs(*, limit: int = 20, before: str = "", state: Sequence[str] = ()) -> Call[Jobs]:
    """Return the jobs of the key's tenant, the newest first.

    Args:
        limit: How many at most.
        before: `Jobs.next` of the page before.
        state: Only those in one of these states.
    """
    params = {"limit": limit, "before": before, "state": list(state)}
    return Call("GET", "/v1/jobs", Jobs, params=params, repeatable=True)


def job(job_id: str) -> Call[Job]:
    """Return a job: its state, how far it has come, what could not be taken.

    Args:
        job_id: Which.
    """
    return Call("GET", _path(job_id), Job, repeatable=True)


def cancel(job_id: str) -> Call[Job]:
    """Ask a job to stop; what it has indexed stays.

    Args:
        job_id: Which.
    """
    return Call("DELETE", _path(job_id), Job, repeatable=True)


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _once(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid.uuid4().hex}


def _dated(document: Mapping[str, object]) -> dict[str, object]:
    """Return a document whose dates are as JSON says them."""
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        return dict(document)
    return {**document, "metadata": {name: _plain(value) for name, value in metadata.items()}}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
