"""Logs: one line for each request and event, as JSON or as text, and nothing in them that is a reader's own.

Never logged: the words of a query, ids of documents, keys, tokens, cookies, addresses, paths as they were asked for,
and readers' names. A reader is a hash (`Disguise`), which tells one from another as long as the secret is the same, and
which cannot be guessed from a list of names without it.

An exception is logged by its kind and where it was raised. Its message is only logged where it is ours and about our
side (`safe_message`): others may quote what was asked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from engine.errors import SearchError
from engine.service.watching.record import current
from indexer.errors import IndexingError, InvalidFilter

if TYPE_CHECKING:
    from engine.service.settings import LogFormat

LOG = logging.getLogger("quire.service")
OWN = ("quire", "engine", "indexer", "reranker", "uvicorn", "py")
"""Loggers whose messages are known to hold nothing of a reader's. Of others, from WARNING on, the message is logged
without what would be filled into it."""

SILENT = ("elastic_transport.node", "urllib3", "httpx", "httpcore")
"""Loggers that write addresses, in which ids stand."""

MOST_FRAMES = 20


class Disguise:
    """Gives each reader a name for logs.

    Args:
        secret: What makes it impossible to find out who it is by trying names.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"quire: names in logs", hashlib.sha256)

    def of(self, tenant: str, user_id: str) -> str:
        """Return sixteen hexadecimal digits that stand for a reader."""
        said = json.dumps([tenant, user_id]).encode()
        return hmac.digest(self._key, said, hashlib.sha256).hex()[:16]


def set_up(form: LogFormat, stream: TextIO | None = None, worker: int | None = None) -> None:
    """Send what this process logs to a stream, standard error by default; replaces what was set up before.

    Args:
        form: `json` or `text`.
        stream: Where to.
        worker: Which of several processes this is.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines(worker) if form == "json" else TextLines(worker))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("quire").setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.captureWarnings(True)
    threading.excepthook = _thread_failed


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    """Log what a thread did not handle."""
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        LOG.error("a thread failed", exc_info=args.exc_value)


def safe_message(error: BaseException) -> str:
    """Return an error's message where nothing that a reader sent can be in it, else the empty string."""
    if isinstance(error, SearchError):
        return str(error) if error.status >= 500 else ""
    if isinstance(error, IndexingError):
        return "" if isinstance(error, InvalidFilter) else str(error)
    return (error.strerror or "") if isinstance(error, OSError) else ""


def told(error: BaseException) -> dict[str, object]:
    """Return an error as a log tells it: kind, message where that is safe, where it was raised, and what caused it."""
    said: dict[str, object] = {"kind": type(error).__name__}
    message = safe_message(error)
    if message:
        said["message"] = message
    said["at"] = list(_frames(error.__traceback__))
    cause = error.__cause__
    if cause is not None:
        said["cause"] = {"kind": type(cause).__name__, "at": list(_frames(cause.__traceback__))}
    return said


def _frames(trace: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(trace)[-MOST_FRAMES:]:
        parts = frame.filename.replace("\\", "/").split("/")
        yield f"{'/'.join(parts[-3:])}:{frame.lineno} {frame.name}"


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what a line says: the time, the level, the event, and what the record carries as `fields`."""
    top = record.name.partition(".")[0]
    message = record.getMessage() if top in OWN else str(record.msg)
    said: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "event": message,
    }
    if not record.name.startswith(LOG.name):
        said["logger"] = record.name
    request = current()
    if request is not None:
        said["request_id"] = request.request_id
    given = getattr(record, "fields", None)
    if isinstance(given, dict):
        said |= given
    if record.exc_info and record.exc_info[1] is not None:
        said["error"] = told(record.exc_info[1])
    return said


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._more: dict[str, object] = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line."""
        return json.dumps(fields_of(record) | self._more, ensure_ascii=True, default=str)


class TextLines(logging.Formatter):
    """One line for people: time, level, event, then name=value."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._more: dict[str, object] = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line."""
        said = fields_of(record) | self._more
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        head = f"{at} {said.pop('level')} {_plain(said.pop('event'))}"
        said.pop("time")
        return " ".join([head, *(f"{name}={_plain(value)}" for name, value in said.items())])


def _plain(value: object) -> str:
    """Return a value on one line, without control characters."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
